import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import { isArray, type JsonValue } from "./json.ts";

test.each<[what: string, value: JsonValue, text: string]>([
  [
    "sorts members by code units, at every depth",
    { b: 1, a: { d: [{ z: 1, y: 2 }], c: null } },
    '{"a":{"c":null,"d":[{"y":2,"z":1}]},"b":1}',
  ],
  ["does not sort indexes as numbers", { "10": 1, "9": 2, a: 3 }, '{"10":1,"9":2,"a":3}'],
  ["keeps all digits", { n: 9223372036854775807n }, '{"n":9223372036854775807}'],
  ["replaces half a surrogate pair", { "k\ud800": "v\udc00" }, '{"k\ufffd":"v\ufffd"}'],
  ["keeps what only looks like an escape", "\\ud800", '"\\\\ud800"'],
  ["drops members that are undefined", { a: undefined, b: [] }, '{"b":[]}'],
  ["writes minus zero as zero", [-0, 1e21, 0.1], "[0,1e+21,0.1]"],
])("%s", (_, value, text) => expect(canonicalJson(value)).toBe(text));

test("what is no JSON number throws", () => {
  expect(() => canonicalJson({ a: [Number.NaN] })).toThrow(TypeError);
  expect(() => canonicalJson(Number.POSITIVE_INFINITY)).toThrow(TypeError);
});

/** The definition, without regard for speed. */
function defined(value: JsonValue): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(defined).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key.toWellFormed())}:${defined(item ?? null)}`).join(",")}}`;
}

const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("__proto__", "10", "9", "\ud800", "toJSON", "constructor", ""),
);
const { value: values } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    texts,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true, false, 2n ** 63n - 1n),
    fc.array(tie("value")),
    fc.array(fc.tuple(texts, tie("value"))).map((members) => Object.fromEntries(members)),
  ),
}));

test("is the text that its definition gives", () => {
  fc.assert(fc.property(values, (value) => canonicalJson(value) === defined(value)));
});
