import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../core/json.ts";
import { operatorOf } from "./string-pattern.ts";
import { compileValuePattern } from "./value-pattern.ts";

/** Pattern, values that match, values that do not. */
const cases: readonly (readonly [JsonValue, readonly JsonValue[], readonly JsonValue[]])[] = [
  ["nginx", ["nginx"], ["Nginx", "", null, true]],
  ["*", ["", "x", 1, true], [null, [], {}]],
  ["?*", ["x", 1], ["", null, {}]],
  ["n?inx:*", ["nginx:1"], ["nginx", "nnginx:1"]],
  ["!*:latest", ["a:1", 5], ["a:latest", null]],
  ["a|b", ["a", "b", "a|b"], ["c"]],
  ["a | b", ["a", "b"], [" a"]],
  ["!a & !b", ["c"], ["a", "b", null]],
  ["a* & !ab | x", ["ac", "x"], ["ab", "y"]],
  ["<5", [4, "4", null, "4.9"], [5, "5", true, "x"]],
  [">=1Gi", ["1Gi", "2048Mi", "1073741824"], ["1G", "512Mi", null]],
  ["<=100m", ["0.1", "99m"], ["0.2", "1"]],
  [">1h", ["61m", "2h"], ["60m", "1h"]],
  ["1h", ["60m", "1h0m"], ["1", 3600]],
  ["100m", ["100m", "0.1"], ["101m"]],
  ["1-5", [1, "5", "2.5"], [0, 6, "x"]],
  ["1!-5", [0, 6], [1, 5, 3]],
  ["1Mi-1Gi", ["1Mi", "512Mi"], ["2Gi"]],
  ["-5--1", [-3], [0, -6]],
  ["5.10.84-1", ["5.10.84-1"], ["5.10.84"]],
  ["!", ["!"], [""]],
  [">", [">"], ["1"]],
  ["> abc", [], ["abd", "abc"]],
  ["0", [0, "0", null], [1, "", false]],
  ["1.5E+00", [1.5, "1.50"], ["1.51"]],
  [8080, [8080, "8080", "8080.0"], [8081, "x", true, null]],
  [1.5, [1.5, "1.5"], [1, "1"]],
  [9_007_199_254_740_993n, [9_007_199_254_740_993n], [1]],
  [true, [true], ["true", 1, null]],
  [false, [false], [null, ""]],
  [null, [null, 0, "", false, 0n], [1, "x", true, {}, []]],
  [{}, [{}, { a: 1 }], [null, "x", []]],
  [[], [], [[], "x"]],
];

describe("value patterns", () => {
  test.each(cases)("%o", (pattern, matching, others) => {
    const matches = compileValuePattern(pattern);
    expect(matching.filter((value) => !matches(value))).toEqual([]);
    expect(others.filter((value) => matches(value))).toEqual([]);
  });

  test("a missing value is null", () => {
    expect(compileValuePattern(null)(undefined)).toBe(true);
    expect(compileValuePattern("<=0")(undefined)).toBe(true);
    expect(compileValuePattern("?*")(undefined)).toBe(false);
  });

  test.each([
    ["a", ""],
    ["!", ""],
    ["!a", "!"],
    [">=5", ">="],
    ["<5", "<"],
    ["1-2", "-"],
    ["1!-2", "!-"],
    ["a-b", ""],
  ])("operator of %j is %j", (pattern, operator) => {
    expect(operatorOf(pattern)).toBe(operator);
  });
});
