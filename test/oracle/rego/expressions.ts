import type { Random } from "./random.ts";
import type { Terms } from "./terms.ts";

type Maker = (t: Terms, r: Random) => string;

const call = (name: string, ...args: readonly string[]): string => `${name}(${args.join(", ")})`;
const unary =
  (name: string, arg: (t: Terms) => string): Maker =>
  (t) =>
    call(name, arg(t));
const number = (t: Terms): string => t.number();
const integer = (t: Terms): string => t.integer();
const string = (t: Terms): string => t.string();
const any = (t: Terms): string => t.term();
const small = (t: Terms): string => String(t.random.below(12) - 3);
const strings = (t: Terms): string => (t.random.chance(0.5) ? t.array(() => t.string()) : t.set(() => t.string()));
const list = (t: Terms): string => (t.random.chance(0.6) ? t.array() : t.set());
const numbers = (t: Terms): string => (t.random.chance(0.6) ? t.array(() => t.number()) : t.set(() => t.number()));
const address = (t: Terms): string => {
  const byte = () => t.random.below(256);
  if (t.random.chance(0.75)) return `${10 + t.random.below(3)}.${t.random.below(4)}.${byte()}.${byte()}`;
  return t.random.pick(["fe80::1", "2001:db8::ff", "::1", "::ffff:10.0.0.1", "2001:db8:0:1::"]);
};
const cidr = (t: Terms): string => {
  const host = address(t);
  const bits = host.includes(":") ? 96 + t.random.below(33) : 20 + t.random.below(13);
  return JSON.stringify(`${host}/${t.random.chance(0.05) ? 200 : bits}`);
};
const pattern = (t: Terms): string =>
  JSON.stringify(
    t.random.pick([
      "a",
      "a+",
      "^f",
      "(a)(b)?",
      "[a-c]+",
      "o*",
      "\\.",
      "(?i)HELLO",
      "(\\w+) (\\w+)",
      "b|o",
      "",
      "x(?P<n>.)y",
      "(",
      ".",
    ]),
  );
const glob = (t: Terms): string =>
  JSON.stringify(
    t.random.pick(["*", "**", "foo.*", "*.bar", "f?o", "{foo,abc}", "[a-c]bc", "[!a]*", "a*", "{a,b{c,}}", "foo\\.*", "a[b"]),
  );
const semver = (t: Terms): string =>
  JSON.stringify(
    t.random.pick([
      "1.2.3",
      "1.2.4",
      "v1.0.0",
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-beta.11",
      "1.0.0-rc.2",
      "1.0",
      "01.0.0",
      "1.0.0+b",
      "2.0.0-x.10.y",
    ]),
  );
const quantity = (t: Terms): string =>
  JSON.stringify(
    `${t.random.pick(["1", "10", "0.5", "1.5", "100", "1e3", "12345678901234567890", "", "abc", "-3", "1.0000001"])}${t.random.pick(["", "k", "K", "Ki", "m", "M", "Mi", "MB", "MiB", "g", "Gi", "T", "kb", "E", "e", "xx", " "])}`,
  );
const moment = (t: Terms): string =>
  t.random.pick([
    "0",
    "1257894000000000000",
    "1585852421593912000",
    "-1000000000",
    "1700000000123456789",
    "1711846800000000000",
    "9223372036854775807",
  ]);
const zoned = (t: Terms): string => {
  const zone = t.random.pick([
    "UTC",
    "",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Nowhere/Land",
  ]);
  return t.random.chance(0.4) ? moment(t) : `[${moment(t)}, ${JSON.stringify(zone)}]`;
};
const layout = (t: Terms): string =>
  JSON.stringify(
    t.random.pick([
      "2006-01-02",
      "RFC3339",
      "RFC822Z",
      "RFC1123Z",
      "ANSIC",
      "Mon Jan _2 15:04:05.000 2006",
      "3:04PM",
      "02 Jan 06 15:04 -0700",
      "15:04:05.999999999",
      "002 2006",
      "Monday, January 2",
      "20060102T150405Z",
    ]),
  );
const keys = (t: Terms): string => (t.random.chance(0.5) ? t.array(() => t.string()) : t.set(() => t.string()));
const path = (t: Terms): string =>
  JSON.stringify(t.random.pick(["a", "/a/b", "b/0", "foo", "/x", "a/b/c", "", "b/-", "b/1/foo", "ab"]));
const document = (t: Terms): string =>
  `{"a": ${t.random.pick(['{"b": {"c": 1, "d": [1, 2]}}', "{}", "3", '{"b": 7}'])}, "b": ${t.array()}, "foo": ${t.term(1)}}`;
const patch = (t: Terms): string => {
  const op = t.random.pick(["add", "remove", "replace", "move", "copy", "test", "nope"]);
  const from = op === "move" || op === "copy" ? `, "from": ${path(t)}` : "";
  return `{"op": "${op}", "path": ${path(t)}, "value": ${t.term(1)}${from}}`;
};
const verb = (t: Terms): string => {
  const flags = t.random.list(2, () => t.random.pick(["+", "-", "#", "0", " "])).join("");
  const width = t.random.chance(0.4) ? String(t.random.below(14)) : "";
  const precision = t.random.chance(0.3) ? `.${t.random.below(8)}` : "";
  return `%${flags}${width}${precision}${t.random.pick([..."vvvvsssdddxXqbocUeEfFgGtT%"])}`;
};
const format: Maker = (t, r) => {
  const count = r.below(4);
  const verbs = Array.from({ length: count }, () => verb(t));
  const args = Array.from({ length: r.chance(0.9) ? count : r.below(4) }, () => t.term());
  return call("sprintf", JSON.stringify(verbs.join(r.pick([" ", "", "|"]))), `[${args.join(", ")}]`);
};
const operator =
  (infix: string, left: (t: Terms) => string, right = left): Maker =>
  (t) =>
    `${left(t)} ${infix} ${right(t)}`;
const set = (t: Terms): string => t.set(() => t.scalar(), 6);
const template = (t: Terms): string =>
  JSON.stringify(
    t.random.pick([
      "{{.a}}",
      "{{range .b}}<{{.}}>{{else}}none{{end}}",
      "{{range $i, $x := .b}}{{$i}}={{$x}};{{end}}",
      "{{if .a}}yes{{else if .foo}}foo{{else}}no{{end}}",
      "{{with .foo}}{{.}}{{end}} {{- .none -}} x",
      '{{len .b}} {{printf "%v|%5s" .a .foo}}',
      '{{if and .a (not .foo)}}1{{end}}{{or .none "d"}}',
      '{{define "T"}}[{{.}}]{{end}}{{template "T" .a}}',
      "{{$x := 1}}{{if eq $x 1}}one{{end}}{{/* c */}}{{.none.b}}",
      '{{if .b}}{{index .b 0}}{{end}} {{html "<a>"}} {{urlquery "a b"}}',
      "{{.a",
      "{{nope .a}}",
      "{{range $k, $v := .a}}{{$k}}:{{$v}} {{end}}",
    ]),
  );
const schemas = (t: Terms): string =>
  t.random.pick([
    '{"type": "object", "required": ["a", "zz"]}',
    '{"properties": {"b": {"items": {"type": "string"}}}}',
    '{"properties": {"b": {"minItems": 2, "uniqueItems": true}}}',
    '{"properties": {"foo": {"enum": [1, "a", null]}}}',
    '{"properties": {"foo": {"anyOf": [{"type": "number", "minimum": 3}, {"type": "string", "minLength": 2}]}}}',
    '{"additionalProperties": false, "properties": {"a": {}, "b": {}}}',
    '{"properties": {"foo": {"oneOf": [{"type": "number"}, {"multipleOf": 2}]}}}',
    '{"properties": {"a": {"not": {"type": "object"}}}}',
    '{"properties": {"a": {"$ref": "#/definitions/n"}}, "definitions": {"n": {"type": ["null", "number"]}}}',
    '{"properties": {"a": {"type": "nope"}}}',
    '{"properties": {"foo": {"pattern": "^a", "maxLength": 3}}}',
    '{"minProperties": 4}',
  ]);

/** Random calls, one maker for each kind; common things appear more often. */
export const makers: readonly Maker[] = [
  ...["+", "-", "*", "/"].flatMap((infix) => [operator(infix, number), operator(infix, number), operator(infix, integer)]),
  operator("%", integer),
  ...["==", "!=", "<", "<=", ">", ">="].map((infix) => operator(infix, any)),
  operator("<", number),
  operator("==", number),
  operator("&", set),
  operator("|", set),
  operator("-", set),
  ...["abs", "round", "ceil", "floor"].map((name) => unary(name, number)),
  ...["bits.and", "bits.or", "bits.xor"].map(
    (name): Maker =>
      (t) =>
        call(name, t.integer(), t.integer()),
  ),
  unary("bits.negate", integer),
  (t) => call("bits.lsh", t.integer(), String(t.random.below(70))),
  (t) => call("bits.rsh", t.integer(), String(t.random.below(70))),
  ...["count", "sort", "max", "min"].map((name) => unary(name, list)),
  unary("count", string),
  ...["sum", "product"].map((name) => unary(name, numbers)),
  (t) => call("array.concat", t.array(), t.array()),
  (t) => call("array.slice", t.array(), small(t), small(t)),
  unary("array.reverse", (t) => t.array()),
  unary("array.flatten", (t) => t.array()),
  (t) => `object.get({}, "none", ${t.term(1)}) in ${list(t)}`,
  ...["is_number", "is_string", "is_array", "is_set", "is_object", "is_null", "is_boolean", "type_name"].map((name) =>
    unary(name, any),
  ),
  (t, r) => call("to_number", r.pick([t.string(), t.number(), "null", "true", '"1.50"', '"-7e2"', '"x1"'])),
  format,
  format,
  format,
  format,
  format,
  format,
  (t) => call("sprintf", '"%v|%v|%v"', `[${t.term()}, ${t.number()}, ${t.term(3)}]`),
  (t) => call("format_int", t.number(), t.random.pick(["2", "8", "10", "16", "7"])),
  ...["contains", "startswith", "endswith", "indexof", "indexof_n", "split", "strings.count"].map(
    (name): Maker =>
      (t) =>
        call(name, t.string(), t.string()),
  ),
  ...["trim", "trim_left", "trim_right", "trim_prefix", "trim_suffix"].map(
    (name): Maker =>
      (t) =>
        call(name, t.string(), t.string()),
  ),
  ...["trim_space", "lower", "upper", "strings.reverse"].map((name) => unary(name, string)),
  (t) => call("substring", t.string(), small(t), small(t)),
  (t) => call("strings.split_n", t.string(), t.string(), small(t)),
  (t) => call("concat", t.string(), strings(t)),
  (t) => call("replace", t.string(), t.string(), t.string()),
  (t) =>
    call(
      "strings.replace_n",
      t.object(() => t.string()),
      t.string(),
    ),
  ...["strings.any_prefix_match", "strings.any_suffix_match"].map(
    (name): Maker =>
      (t) =>
        call(name, t.random.chance(0.5) ? t.string() : strings(t), t.random.chance(0.5) ? t.string() : strings(t)),
  ),
  (t) => call("regex.match", pattern(t), t.string()),
  (t) => call("regex.split", pattern(t), t.string()),
  (t) => call("regex.find_n", pattern(t), t.string(), small(t)),
  (t) => call("regex.find_all_string_submatch_n", pattern(t), t.string(), small(t)),
  (t) => call("regex.replace", t.string(), pattern(t), t.random.pick(['"x"', '"$1"', '"<$0>"', '"$2z"', '"$2$1"'])),
  unary("regex.is_valid", pattern),
  (t) => call("glob.match", glob(t), t.random.pick(["null", "[]", '["."]', '["/"]', '[",", "."]']), t.string()),
  unary("glob.quote_meta", string),
  (t) => call("object.get", t.object(), t.random.chance(0.5) ? t.string() : t.array(() => t.string()), t.term(1)),
  unary("object.keys", (t) => t.object()),
  ...["object.remove", "object.filter"].map(
    (name): Maker =>
      (t) =>
        call(name, t.object(), keys(t)),
  ),
  (t) => call("object.union", document(t), document(t)),
  (t) =>
    call(
      "object.union_n",
      t.array(() => document(t)),
    ),
  (t) => call("object.subset", document(t), document(t)),
  (t) => call("object.subset", list(t), list(t)),
  ...["json.remove", "json.filter"].map(
    (name): Maker =>
      (t) =>
        call(
          name,
          document(t),
          t.array(() => path(t)),
        ),
  ),
  (t) =>
    call(
      "json.patch",
      document(t),
      t.array(() => patch(t), 2),
    ),
  unary("json.marshal", any),
  (t) =>
    call(
      "json.marshal_with_options",
      t.term(),
      t.random.pick(["{}", '{"pretty": true}', '{"indent": "  "}', '{"prefix": ">"}', '{"pretty": false, "indent": " "}']),
    ),
  (t) =>
    call(
      "json.unmarshal",
      JSON.stringify(
        t.random.pick([
          '{"a": [1, 2.50, "x"]}',
          "[1e3,-0.0]",
          "{",
          "tru",
          '"\\u00e9"',
          '{"a":1}x',
          "12345678901234567890123",
          '[1,{"b":null}]',
        ]),
      ),
    ),
  unary("yaml.marshal", (t) => t.term()),
  (t) =>
    call(
      "yaml.unmarshal",
      JSON.stringify(
        t.random.pick([
          "a: 1\nb: [x, y]\n",
          "- 1\n- 2.5\n- yes\n",
          "a: {b: c}",
          "x",
          "a: |\n  hi\n  you\n",
          "t: 2020-01-01\n",
          "n: 0o10\nm: 0x1f\n",
        ]),
      ),
    ),
  ...["base64.encode", "base64url.encode", "base64url.encode_no_pad", "hex.encode", "urlquery.encode"].map((name) =>
    unary(name, string),
  ),
  ...["base64.decode", "base64url.decode", "base64.is_valid", "hex.decode", "urlquery.decode"].map((name) =>
    unary(name, (t) =>
      JSON.stringify(t.random.pick(["YWJj", "YWI=", "YQ==", "YQ", "a b", "6162", "zz", "a%20b+c", "%zz", "5b_-", "w7w="])),
    ),
  ),
  unary("urlquery.encode_object", (t) => t.object(() => (t.random.chance(0.5) ? t.string() : t.array(() => t.string())))),
  unary("urlquery.decode_object", (t) => JSON.stringify(t.random.pick(["a=1&b=2&a=3", "", "a", "a=%20&b=x+y", "x=1;y=2", "=v"]))),
  unary("uri.parse", (t) =>
    JSON.stringify(
      t.random.pick([
        "https://u:p@h.example:8080/a%2Fb/c?q=1&r#frag",
        "/a b",
        "mailto:a@b",
        "http://[::1]:80/x",
        "://",
        "x",
        "http://h/ü?ü",
      ]),
    ),
  ),
  ...["crypto.md5", "crypto.sha1", "crypto.sha256"].map((name) => unary(name, string)),
  ...["crypto.hmac.md5", "crypto.hmac.sha1", "crypto.hmac.sha256", "crypto.hmac.sha512"].map(
    (name): Maker =>
      (t) =>
        call(name, t.string(), t.string()),
  ),
  (t) => call("net.cidr_contains", cidr(t), t.random.chance(0.5) ? cidr(t) : JSON.stringify(address(t))),
  (t) => call("net.cidr_intersects", cidr(t), cidr(t)),
  (t) =>
    call(
      "net.cidr_contains_matches",
      t.array(() => cidr(t), 3),
      t.set(() => JSON.stringify(address(t)), 3),
    ),
  (t) =>
    call(
      "net.cidr_merge",
      // OPA itself mistakes the size of IPv4-mapped networks when it merges.
      t
        .array(() => (t.random.chance(0.8) ? cidr(t) : JSON.stringify(address(t))).replace("::ffff:", ""))
        .replace(/[.\d]+\/1[01]\d/g, "10.0.0.0/30"),
    ),
  (t) => call("net.cidr_expand", JSON.stringify(`10.0.${t.random.below(4)}.${t.random.below(256)}/${28 + t.random.below(5)}`)),
  unary("net.cidr_is_valid", cidr),
  (t) => call("semver.compare", semver(t), semver(t)),
  unary("semver.is_valid", semver),
  unary("units.parse", quantity),
  unary("units.parse_bytes", quantity),
  unary("uuid.parse", (t) =>
    JSON.stringify(
      t.random.pick([
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "{6ba7b810-9dad-21d1-80b4-00c04fd430c8}",
        "urn:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "nope",
        "000003e8-cbb9-21ea-b201-00045a86c8a1",
      ]),
    ),
  ),
  ...["time.date", "time.clock", "time.weekday"].map((name) => unary(name, zoned)),
  (t) => call("time.format", t.random.chance(0.5) ? zoned(t) : `[${moment(t)}, "UTC", ${layout(t)}]`),
  (t) => call("time.add_date", moment(t), small(t), small(t), small(t)),
  (t) => call("time.diff", zoned(t), zoned(t)),
  (t) =>
    call(
      "time.parse_ns",
      layout(t),
      JSON.stringify(
        t.random.pick([
          "2020-02-30",
          "2024-05-06",
          "2024-05-06T07:08:09Z",
          "2024-05-06T07:08:09.5+02:00",
          "3:04PM",
          "07:08:09",
          "Mon Jan  2 15:04:05 2006",
          "20240506T070809Z",
        ]),
      ),
    ),
  unary("time.parse_rfc3339_ns", (t) =>
    JSON.stringify(
      t.random.pick(["2024-05-06T07:08:09Z", "2024-05-06T07:08:09.123456789-07:00", "2024-5-6", "1500-01-01T00:00:00Z"]),
    ),
  ),
  unary("time.parse_duration_ns", (t) =>
    JSON.stringify(t.random.pick(["1h30m", "1.5s", "-2m", "1d2h", "1w", "0.5y", "x", "1d", "3", "1ns", "1µs"])),
  ),
  (t) => call("strings.render_template", template(t), document(t)),
  (t) => call("json.match_schema", document(t), schemas(t)),
  unary("json.verify_schema", schemas),
  (t) =>
    call(
      "graph.reachable",
      t.object(() => t.array(() => t.string())),
      t.array(() => t.string()),
    ),
  (t) =>
    call(
      "graph.reachable_paths",
      t.object(() => t.array(() => t.string(), 2)),
      t.array(() => t.string(), 2),
    ),
  (t) => `[p | walk(${t.term()}, p)]`,
  (t) => call("numbers.range", small(t), small(t)),
  (t) => call("numbers.range_step", small(t), small(t), small(t)),
  (t) => `{x | some x in ${list(t)}; x != ${t.term(1)}}`,
  (t) => `{k: v | some k, v in ${t.object()}; is_string(k)}`,
  (t) => `[y | some x in ${numbers(t)}; y := x ${t.random.pick(["+", "*", "-"])} ${t.number()}]`,
  (t) => `count([1 | some x in ${list(t)}; some y in ${list(t)}; x < y])`,
];
