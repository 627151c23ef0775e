import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareStrings, compareValues, equalValues } from "./compare.ts";
import { formatFloat } from "./go-float.ts";
import { formatJson, formatJsonIndented, toJson } from "./json.ts";
import { parseJson } from "./json-parser.ts";
import { mapKey } from "./map-key.ts";
import { parseNumber } from "./number.ts";
import { printValue } from "./print.ts";
import { bytesOf, textOf } from "./text.ts";
import { fromJson, RegoObject, RegoSet, type Value } from "./value.ts";

function json(text: string): Value {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

/** Random values, the small ones often equal. */
const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Value>(null, true, false, 0, 1, parseNumber("1.0"), "", "a", "b"),
    fc.integer(),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => RegoSet.of(items)),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((members) => RegoObject.of(members)),
  ),
})).value;

describe("order", () => {
  test("kinds come in OPA's order", () => {
    const ordered: Value[] = [null, false, true, -1, parseNumber("1.5"), 2, "", "a", [], [1], RegoObject.empty, RegoSet.empty];
    expect(ordered.toReversed().sort(compareValues)).toEqual(ordered);
  });

  test("texts are ordered by their UTF-8 bytes", () => {
    expect(compareStrings("\u{1f600}", "\ufffd")).toBeGreaterThan(0);
    expect(compareStrings("a", "ab")).toBeLessThan(0);
  });

  test("the order is total and agrees with equality and keys", () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const order = compareValues(a, b);
        expect(Math.sign(order) + Math.sign(compareValues(b, a))).toBe(0);
        expect(order === 0).toBe(equalValues(a, b));
        expect(order === 0).toBe(mapKey(a) === mapKey(b));
        if (order <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("print", () => {
  test.each<[Value, string]>([
    [RegoSet.empty, "set()"],
    [RegoSet.of([2, 1, "a"]), '{1, 2, "a"}'],
    [json('{"b":[1.0,null],"a":{}}'), '{"a": {}, "b": [1.0, null]}'],
    [RegoObject.of([[1, RegoSet.of([true])]]), "{1: {true}}"],
    ['q"\n\u00e4\u{1f600}', '"q\\"\\n\u00e4\u{1f600}"'],
    [textOf(Uint8Array.of(0x61, 0xff)), '"a\\xff"'],
  ])("%o", (value, text) => {
    expect(printValue(value)).toBe(text);
  });
});

describe("JSON", () => {
  test("is read without loss and written as Go writes it", () => {
    expect(formatJson(json('{"b": 1.50, "a": [12345678901234567890123, "<&>"]}'))).toBe(
      '{"a":[12345678901234567890123,"\\u003c\\u0026\\u003e"],"b":1.50}',
    );
    expect(formatJson(RegoObject.of([[RegoSet.of([1]), null]]))).toBe('{"[1]":null}');
    expect(formatJsonIndented(json('{"a":[1],"b":{}}'), ">", "  ")).toBe('{\n>  "a": [\n>    1\n>  ],\n>  "b": {}\n>}');
  });

  test.each([
    ["", "EOF"],
    ['{"a":1', "unexpected EOF"],
    ["[1,]", "invalid character ']' looking for beginning of value"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ["01", "error: invalid character '1' after top-level value"],
    ["nul}", "invalid character '}' in literal null (expecting 'l')"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ["1e999999999", "invalid number: number too big"],
  ])("%s is refused in Go's words", (text, message) => {
    expect(parseJson(text)).toEqual({ ok: false, message });
  });

  test("comes back as it went in", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        expect(toJson(json(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("objects made from JSON read only what is asked for", () => {
    let reads = 0;
    const object = {
      get costly(): never {
        reads++;
        throw new Error("read");
      },
      cheap: { inner: [1] },
    };
    const value = RegoObject.fromJson(object);
    expect(value.get("cheap")).toBe(value.get("cheap"));
    expect(value.get("none")).toBeUndefined();
    expect(reads).toBe(0);
    expect(value.get("toString")).toBeUndefined();
  });

  test("integers of 64 bits survive", () => {
    expect(printValue(fromJson({ n: 9223372036854775807n }))).toBe('{"n": 9223372036854775807}');
  });
});

test("any bytes can be text", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(bytesOf(textOf(bytes))).toEqual(new Uint8Array(bytes));
    }),
  );
});

test.each<[number, Parameters<typeof formatFloat>[1], number | undefined, string]>([
  [1000000, "g", undefined, "1e+06"],
  [123456.5, "g", undefined, "123456.5"],
  [0.00001, "g", undefined, "1e-05"],
  [2.5, "f", 0, "2"],
  [0.5, "f", 0, "0"],
  [0.6, "f", 0, "1"],
  [1e21, "f", 2, "1000000000000000000000.00"],
  [1234.5678, "e", 3, "1.235e+03"],
  [1234.5678, "g", 3, "1.23e+03"],
  [-0.1, "f", 3, "-0.100"],
  [0, "e", undefined, "0e+00"],
  [1.5, "x", undefined, "0x1.8p+00"],
  [1, "b", undefined, "4503599627370496p-52"],
])("formatFloat(%d, %s, %s) is %s", (value, verb, precision, text) => {
  expect(formatFloat(value, verb, precision)).toBe(text);
});
