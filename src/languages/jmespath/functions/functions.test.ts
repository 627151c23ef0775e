import { describe, expect, test } from "vitest";
import type { Host } from "../../../core/host.ts";
import type { JsonValue } from "../../../core/json.ts";
import { compileJmesPath, JmesPathError, NotFound } from "../index.ts";

const host: Host = { now: () => Date.UTC(2024, 0, 2, 3, 4, 5), random: () => 0.25 };

function evaluate(source: string, on: JsonValue = {}, with_: Host = host): JsonValue {
  const program = compileJmesPath(source);
  if (!program.ok) throw new Error(program.diagnostics[0]?.message);
  const value = program.value(on, with_);
  if (value instanceof NotFound) throw new Error(value.message);
  return value;
}

/** Results as Kyverno 1.19 gives them. */
const results: readonly (readonly [string, JsonValue])[] = [
  ["compare('a', 'b')", -1],
  ["equal_fold('\u212aelvin', 'KELVIN')", true],
  ["equal_fold('Stra\u00dfe', 'STRASSE')", false],
  ["replace('aaa', 'a', 'b', `2`)", "bba"],
  ["replace('ab', '', '-', `2`)", "-a-b"],
  ["replace_all('ab', '', '-')", "-a-b-"],
  ["to_upper('stra\u00dfe')", "STRA\u00dfE"],
  ["to_lower('\u0130\u03a3')", "i\u03c3"],
  ["trim('--a-b--', '-')", "a-b"],
  ["trim_prefix('v1.2', 'v')", "1.2"],
  ["split('a,b', ',')", ["a", "b"]],
  ["split('a\u{1f600}', '')", ["a", "\u{1f600}"]],
  ["regex_replace_all('(\\w)(\\w*)', 'hello world', '$2-$1')", "ello-h orld-w"],
  ["regex_replace_all_literal('o', 'foo', `1`)", "f11"],
  ["regex_match('^[0-9]+$', `12`)", true],
  ["pattern_match('12*', `123`)", true],
  ['label_match(`{"a":"b"}`, `{"a":"b","c":"d"}`)', true],
  ['label_match(`{"a":"b"}`, `{}`)', false],
  ["to_boolean('TRUE')", true],
  ["add('1Gi', '1Mi')", "1025Mi"],
  ["add('90s', '1h30s')", "1h2m0s"],
  ["add(`1`, `2.5`)", 3.5],
  ['sum(`["1Gi","512Mi"]`)', "1536Mi"],
  ["subtract('10', '10m')", "9990m"],
  ["multiply('1.5Gi', `2`)", "3Gi"],
  ["multiply(`1.5`, '1h')", "1h30m0s"],
  ["divide('10Ki', '2Ki')", 5],
  ["divide('10', `3`)", "3"],
  ["divide('90s', '45s')", 2],
  ["modulo('10', '3')", "1"],
  ["modulo(`-7`, `3`)", -1],
  ["round(`-2.5`, `0`)", -3],
  ["round(`3.14159`, `2`)", 3.14],
  ["base64_decode('aGVsbG8=')", "hello"],
  ["base64_encode('h\u00e9')", "aMOp"],
  ["path_canonicalize('/a//b/../c/')", "/a/c"],
  ["truncate('h\u00e9llo', `2.9`)", "h\u00e9"],
  ["truncate('abc', `-1`)", ""],
  ["semver_compare('1.2.3', '>=1.0.0 <2.0.0')", true],
  ["semver_compare('not a version', '<1.0.0')", true],
  ["parse_json('{\"a\":[1]}')", { a: [1] }],
  ["parse_yaml('a: yes')", { a: true }],
  ["lookup(`{\"a\":1}`, 'a')", 1],
  ["lookup(`[1,2]`, `1`)", 2],
  ["lookup(`[1,2]`, `-1`)", null],
  [
    "items(`{\"b\":2,\"a\":1}`, 'k', 'v')",
    [
      { k: "a", v: 1 },
      { k: "b", v: 2 },
    ],
  ],
  ["items(`[\"x\"]`, 'k', 'v')", [{ k: 0, v: "x" }]],
  ['object_from_lists(`["a",1.5]`, `[1]`)', { a: 1, "1.5": null }],
  ["image_normalize('nginx')", "docker.io/nginx:latest"],
  ["sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["md5('abc')", "900150983cd24fb0d6963f7d28e17f72"],
  ["time_now()", "2024-01-02T03:04:05Z"],
  ["time_now_utc()", "2024-01-02T03:04:05Z"],
  ["time_since('', '2024-01-02T03:04:00Z', '')", "5s"],
  ["time_since('2006-01-02', '2024-01-01', '2024-01-03')", "48h0m0s"],
  ["time_to_cron('2024-01-02T03:04:05-05:00')", "4 3 2 1 2"],
  ["time_add('2024-01-02T03:04:05+02:00', '-1h')", "2024-01-02T02:04:05+02:00"],
  ["time_parse('1', '1600000000')", "2020-09-13T12:26:40Z"],
  ["time_parse('Jan _2 2006', 'Feb  3 2024')", "2024-02-03T00:00:00Z"],
  ["time_utc('2024-01-02T03:04:05+02:00')", "2024-01-02T01:04:05Z"],
  ["time_diff('2024-01-02T03:04:05Z', '2024-01-01T03:04:05Z')", "-24h0m0s"],
  ["time_before('2024-01-02T03:04:05Z', '2024-01-02T03:04:05-01:00')", true],
  ["time_after('2024-01-02T03:04:05Z', '2024-01-02T03:04:05-01:00')", false],
  ["time_between('2024-01-02T00:00:00Z', '2024-01-01T00:00:00Z', '2024-01-03T00:00:00Z')", true],
  ["time_truncate('2024-01-02T03:59:05Z', '1h')", "2024-01-02T03:00:00Z"],
  ["is_external_url('http://user@10.1.2.3:8080/x')", false],
  ["is_external_url('https://8.8.8.8')", true],
  ["is_external_url('http://[::ffff:192.168.0.1]/')", false],
  ["is_external_url('http://[fd00::1]')", false],
  ["is_external_url('http://[2001:db8::1]:80')", true],
  ["is_external_url('http://localhost')", false],
  ["is_external_url('http://[fe80::1%25eth0]/')", true],
  ["is_external_url('http://[fd00::1%25eth0]/')", false],
  ['sort(`["b","a"]`)', ["a", "b"]],
  ['to_string(`{"b":1,"a":"<"}`)', '{"a":"\\u003c","b":1}'],
  ["to_number('0x1p4')", 16],
  ["contains(`[[1]]`, `[1]`)", true],
  ["random('[a-d]{2}-x?')", "bb-"],
];

/** Calls that Kyverno answers with an error. */
const errors: readonly (readonly [string, string])[] = [
  ["to_upper(`1`)", "'to_upper': argument #1 is not of type string"],
  ["length(`null`)", "'length': argument #1 is not of type string or array or object"],
  ["to_boolean('x')", "lowercase argument must be 'true' or 'false'"],
  ["add('1Gi', `1`)", "'add': Types mismatch"],
  ["add('1Gi', '1h')", "'add': Types mismatch"],
  ["divide('1h', '30m')", "'divide': Types mismatch"],
  ["add('x', `1`)", "'add': invalid operand"],
  ["divide(`1`, `0`)", "'divide': Zero divisor passed"],
  ["modulo(`1.5`, `1`)", "Non-integer argument(s)"],
  ["sum(`[]`)", "at least one element"],
  ["round(`1`, `0.5`)", "Non-integer argument(s)"],
  ["round(`1`, `1e21`)", "Non-integer argument(s)"],
  ["round(`1`, `400`)", "the result is no number"],
  ["base64_decode('a')", "illegal base64 data"],
  ["parse_json('{')", "JSON"],
  ["parse_yaml('a: [')", ""],
  ["semver_compare('1.0.0', 'xy')", "Could not get version from string"],
  ["regex_match(join('', ['(']), 'a')", "missing closing )"],
  ["time_parse('2006-01-02', 'x')", "parsing time"],
  ["time_add('2024-01-02T03:04:05Z', '1d')", "invalid duration"],
  ["image_normalize('')", "invalid reference format"],
  ["is_external_url('http://example.com')", "cannot be resolved here"],
  ["lookup(`[1]`, 'a')", "argument #2 is not of type Number"],
  ["lookup(`{}`, `1`)", "argument #2 is not of type String"],
  ["random('')", "no pattern provided"],
  ["random('(a')", "missing )"],
  ["random('(((a{1000}){1000}){1000}){1000}')", "too long"],
  ["x509_decode('x')", "failed to decode PEM block"],
  ['sort_by(`[{"a":1},{"a":"b"}]`, &a)', "invalid type"],
  ['max_by(`[{"a":1},{}]`, &a)', "invalid type"],
  ["join('-', `[1]`)", "argument #2 is not of type strings"],
];

describe("functions", () => {
  test.each(results)("%s", (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  test.each(errors)("%s is refused", (source, message) => {
    expect(() => evaluate(source)).toThrow(JmesPathError);
    expect(() => evaluate(source)).toThrow(message);
  });

  test("a constant that is no regular expression is refused when compiled", () => {
    const compiled = compileJmesPath("a && regex_match('(', b)");
    expect(compiled.ok).toBe(false);
    expect(compiled.diagnostics[0]?.message).toContain("regex_match: ");
    expect(compiled.diagnostics[0]?.message).toContain("missing closing )");
  });

  test("a broken certificate is refused", () => {
    expect(() => evaluate("x509_decode('pem')")).toThrow(JmesPathError);
    expect(() => evaluate("x509_decode('pem')")).toThrow("failed to decode PEM block");
  });

  test("a random text matches its pattern", () => {
    let seed = 0;
    const changing: Host = { ...host, random: () => (seed = (seed + 0.618) % 1) };
    for (const pattern of ["[A-Z]{3}[0-9]+", "(foo|ba[rz])-\\w{4}", "[^a-y]{2}\\.", "[[:digit:]_-]{5}"]) {
      const text = evaluate(`random('${pattern}')`, {}, changing);
      expect(text).toMatch(new RegExp(`^(?:${pattern.replace("[:digit:]", "0-9")})$`));
    }
  });

  test("sorting leaves its argument alone", () => {
    const list: JsonValue = { list: [{ n: 2 }, { n: 1 }] };
    expect(evaluate("sort_by(list, &n)[0].n", list)).toBe(1);
    expect(list).toEqual({ list: [{ n: 2 }, { n: 1 }] });
  });
});
