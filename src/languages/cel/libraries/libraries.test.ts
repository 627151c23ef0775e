import { describe, expect, test } from "vitest";
import { shown } from "../evaluate.testing.ts";

type Rows = readonly (readonly [source: string, expected: string])[];

const tables: { readonly [library: string]: Rows } = {
  strings: [
    ["'tacocat'.charAt(3)", "o"],
    ["'😀b'.charAt(1)", "b"],
    ["'hello mellow'.indexOf('ello', 2)", "7"],
    ["'hello mellow'.lastIndexOf('ello')", "7"],
    ["'abc'.indexOf('', 5)", "3"],
    ["'TacoÉ'.lowerAscii()", "tacoÉ"],
    ["'aaa'.replace('a', 'b', 2)", "bba"],
    ["'ab'.replace('', '-')", "-a-b-"],
    ["'a,b,c'.split(',', 2)", "[a, b,c]"],
    ["'abc'.substring(1, 2)", "b"],
    ["'abc'.substring(3)", ""],
    ["'abc'.substring(4)", "index out of range: 4"],
    ["' \\t\\u3000a '.trim()", "a"],
    ["['x', 'y'].join('-')", "x-y"],
    ["strings.quote('a\\n\"')", '"a\\n\\""'],
    ["'añ'.reverse()", "ña"],
    ["'%s %d %.2f %x %o %b %e'.format(['a', 1, 2.5, 255, 8, 5, 12345.678])", "a 1 2.50 ff 10 101 1.234568e+04"],
    ["'%s'.format([{'b': 1, 'a': [1.0, null]}])", "{a: [1, null], b: 1}"],
    ["'%.0f %.0f'.format([2.5, 3.5])", "2 4"],
  ],
  lists: [
    ["[1, 2, 3, 4].slice(1, 3)", "[2, 3]"],
    ["[1].slice(0, 2)", "cannot slice(0, 2), list is length 1"],
    ["[[1, 2], [3]].flatten()", "[1, 2, 3]"],
    ["[[1, [2]], [[[3]]]].flatten(2)", "[1, 2, [3]]"],
    ["[3, 1, 2].sort()", "[1, 2, 3]"],
    ["[{'a': 2}, {'a': 1}].sortBy(i, i.a)", "[{a: 1}, {a: 2}]"],
    ["lists.range(3)", "[0, 1, 2]"],
    ["[1, 2].reverse()", "[2, 1]"],
    ["[1, dyn(1.0), 2, 1].distinct()", "[1, 2]"],
  ],
  sets: [
    ["sets.contains([1, 2], [2])", "true"],
    ["sets.equivalent([1, 1], [1])", "true"],
    ["sets.intersects([1], [2])", "false"],
  ],
  math: [
    ["math.greatest(1, 2.5, 2u)", "2.5"],
    ["math.least([3, 1, 2])", "1"],
    ["math.round(-1.5)", "-2"],
    ["math.trunc(-1.9)", "-1"],
    ["math.isNaN(0.0 / 0.0)", "true"],
    ["math.abs(-9223372036854775808)", "integer overflow"],
    ["math.sign(-3)", "-1"],
    ["math.bitXor(5, 3)", "6"],
    ["math.bitShiftRight(-1, 60)", "15"],
    ["math.sqrt(16)", "4"],
  ],
  encoders: [
    ["base64.encode(b'hi')", "aGk="],
    ["string(base64.decode('aGk'))", "hi"],
    ["base64.decode('a*k=')", "illegal base64 data at input byte 1"],
  ],
  regex: [
    ["regex.replace('abc', '(b)', '[\\\\1]')", "a[b]c"],
    ["regex.extract('id-42', '(\\\\d+)').value()", "42"],
    ["regex.extractAll('a1b2', '\\\\d')", "[1, 2]"],
  ],
  "two-variable macros": [
    ["[3, 2, 1].all(i, v, i + v == 3)", "true"],
    ["{'a': 1}.exists(k, v, k == 'a' && v == 1)", "true"],
    ["[5, 6].transformList(i, v, i * v)", "[0, 6]"],
    ["[5, 6].transformList(i, v, i == 1, v)", "[6]"],
    ["{'a': 1}.transformMap(k, v, v + 1)", "{a: 2}"],
    ["['x'].transformMapEntry(i, v, {v: i})", "{x: 0}"],
    ["['x', 'x'].transformMapEntry(i, v, {v: i})", "insert failed: key x already exists"],
  ],
  optionals: [
    ["optional.none().orValue(1)", "1"],
    ["optional.of(1).or(optional.of(2)).value()", "1"],
    ["optional.none().value()", "optional.none() dereference"],
    ["optional.ofNonZeroValue('').hasValue()", "false"],
    ["{'a': {'b': 1}}.?a.?b", "optional(1)"],
    ["[1][?3].hasValue()", "false"],
    ["[?optional.none(), 2]", "[2]"],
    ["{?'a': optional.of(1), ?'b': optional.none()}", "{a: 1}"],
    ["optional.of(2).optMap(v, v * 2).value()", "4"],
    ["optional.of(2).optFlatMap(v, optional.none())", "optional.none()"],
    ["optional.unwrap([optional.of(1), optional.none()])", "[1]"],
    ["[1, 2].first().value() + [1, 2].last().value()", "3"],
  ],
  network: [
    ["ip('127.0.0.1').isLoopback()", "true"],
    ["ip('2001:DB8::1') == ip('2001:db8::1')", "true"],
    ["string(ip('2001:DB8::1'))", "2001:db8::1"],
    ["ip('nope').family()", 'IP Address "nope" parse error during conversion from string: ParseAddr("nope"): unable to parse IP'],
    ["cidr('10.0.0.0/8').containsIP('10.2.3.4')", "true"],
    ["cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", "true"],
    ["string(cidr('10.1.2.3/8').masked())", "10.0.0.0/8"],
    ["isIP('1.2.3')", "false"],
  ],
};

describe.each(Object.keys(tables))("%s", (library) => {
  test.each(tables[library] ?? [])("%s is %s", (source, expected) => {
    expect(shown(source)).toBe(expected);
  });
});
