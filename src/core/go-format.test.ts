import { describe, expect, test } from "vitest";
import {
  formatGoExponent,
  formatGoFloat,
  formatGoFloat32,
  formatGoJson,
  formatGoValue,
  parseGoFloat,
  parseGoInt,
} from "./go-format.ts";
import type { JsonValue } from "./json.ts";

describe("numbers as Go reads and writes them", () => {
  test.each([
    ["1.5", 1.5],
    ["-.5", -0.5],
    ["1.", 1],
    ["1e3", 1000],
    ["1_000", 1000],
    ["0x1p4", 16],
    ["0x1.8p1", 3],
    ["Inf", Number.POSITIVE_INFINITY],
    ["-infinity", Number.NEGATIVE_INFINITY],
    ["nan", Number.NaN],
    ["1e999", undefined],
    ["1__0", undefined],
    ["_1", undefined],
    ["0x1", undefined],
    [" 1", undefined],
    ["1e", undefined],
    ["", undefined],
  ])("parseGoFloat(%j)", (text, value) => {
    expect(parseGoFloat(text)).toBe(value);
  });

  test.each([
    ["9223372036854775807", 9_223_372_036_854_775_807n],
    ["+1", 1n],
    ["-1", -1n],
    ["9223372036854775808", undefined],
    ["1.0", undefined],
    ["", undefined],
  ])("parseGoInt(%j)", (text, value) => {
    expect(parseGoInt(text)).toBe(value);
  });

  test.each([
    [0.5, "0.5", "5E-01"],
    [1_234_567.5, "1.2345675e+06", "1.2345675E+06"],
    [123_456.5, "123456.5", "1.234565E+05"],
    [1e-5, "1e-05", "1E-05"],
    [0.0001, "0.0001", "1E-04"],
    [1e20, "1e+20", "1E+20"],
  ])("%d", (value, plain, exponent) => {
    expect(formatGoFloat(value)).toBe(plain);
    expect(formatGoExponent(value)).toBe(exponent);
  });

  test.each([
    [0.1, "0.1"],
    [16_777_217, "16777216"],
    [1_000_650_000, "1000650000"],
    [1e22, "10000000000000000000000"],
    [-2.5, "-2.5"],
  ])("%d through float32 is %s", (value, text) => {
    expect(formatGoFloat32(value)).toBe(text);
  });
});

describe("values as Go writes them", () => {
  const values: readonly (readonly [JsonValue, string, string])[] = [
    [null, "<nil>", "null"],
    ["a<b", "a<b", '"a\\u003cb"'],
    [1_000_000, "1000000", "1000000"],
    [[1, "a", null], "[1 a <nil>]", '[1,"a",null]'],
    [{ b: [true], a: { c: 1.5 } }, "map[a:map[c:1.5] b:[true]]", '{"a":{"c":1.5},"b":[true]}'],
    ["\u2028&", "\u2028&", '"\\u2028\\u0026"'],
    [12_345_678_901_234_567_890n, "12345678901234567890", "12345678901234567890"],
  ];
  test.each(values)("%o", (value, text, json) => {
    expect(formatGoValue(value)).toBe(text);
    expect(formatGoJson(value)).toBe(json);
  });
});
