import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../core/json.ts";
import { operatorByName, operators, replacementsOf } from "./operators.ts";

/** Operator, key, value, answer: as Kyverno 1.19 gives it. */
const cases: readonly (readonly [keyof typeof operators, JsonValue, JsonValue, boolean])[] = [
  ["Equals", "a", "a", true],
  ["Equals", "abc", "a*", true],
  ["Equals", "a*", "abc", false],
  ["Equals", "1Gi", "1024Mi", true],
  ["Equals", "1Gi", "*", false],
  ["Equals", "1h", "60m", true],
  ["Equals", "1h", 3600, true],
  ["Equals", 60, "1m", false],
  ["Equals", "0", "0s", false],
  ["Equals", 1, "1.0", true],
  ["Equals", 1.5, "1.5", true],
  ["Equals", "1", 1, false],
  ["Equals", true, "true", false],
  ["Equals", null, null, false],
  ["Equals", [1, { a: "b" }], [1, { a: "b" }], true],
  ["Equals", [1, 2], [2, 1], false],
  ["Equals", { a: 1, b: 2 }, { b: 2, a: 1 }, true],
  ["Equals", 9_007_199_254_740_993n, 9_007_199_254_740_993n, true],
  ["NotEquals", "a", "b", true],
  ["NotEquals", "a", 1, true],
  ["NotEquals", null, "a", false],
  ["NotEquals", "1Gi", "", true],
  ["Equal", "a", "a", true],
  ["NotEqual", "a", "a", false],
  ["AnyIn", "a", ["b", "a"], true],
  ["AnyIn", "kube-system", ["default", "kube-*"], true],
  ["AnyIn", "kube-*", ["kube-system"], true],
  ["AnyIn", ["a", "x"], ["a", "b"], true],
  ["AnyIn", 5, "1-10", true],
  ["AnyIn", "5Mi", "1Mi-10Mi", true],
  ["AnyIn", "a", '["a","b"]', true],
  ["AnyIn", "a", "[1]", false],
  ["AnyIn", "8", "8", true],
  ["AnyIn", ["8"], 8, true],
  ["AnyIn", "8", 8, false],
  ["AnyIn", [], ["a"], false],
  ["AnyIn", null, ["a"], false],
  ["AllIn", ["a", "b"], ["a", "b", "c"], true],
  ["AllIn", ["a", "x"], ["a", "b"], false],
  ["AllIn", [1, 5], "1-3", false],
  ["AllIn", [], ["a"], true],
  ["AllIn", ["8"], 8, false],
  ["AnyNotIn", ["a", "x"], ["a"], true],
  ["AnyNotIn", ["a"], ["a"], false],
  ["AnyNotIn", [1, 5], "1-3", true],
  ["AnyNotIn", "a", 5, false],
  ["AnyNotIn", "x", ["a"], true],
  ["AllNotIn", ["x", "y"], ["a"], true],
  ["AllNotIn", ["x", "a"], ["a"], false],
  ["AllNotIn", [1, 5], "1-3", false],
  ["AllNotIn", [4, 5], "1-3", true],
  ["AllNotIn", "a", { a: 1 }, false],
  ["In", ["a*"], ["ab"], false],
  ["In", "a", ["a*"], true],
  ["In", "a", "not json", false],
  ["NotIn", "a", "not json", false],
  ["NotIn", ["a"], "a", true],
  ["NotIn", ["a", "b"], ["a"], true],
  ["GreaterThan", "1.5Gi", "1Gi", true],
  ["GreaterThan", "2", "10", false],
  ["GreaterThan", 10, "9.5", true],
  ["GreaterThan", "1.10.0", "1.9.0", true],
  ["GreaterThan", "1.0.0", "1.0.0-rc1", true],
  ["GreaterThan", "90s", 60, true],
  ["GreaterThan", "1h", "100m", false],
  ["GreaterThan", true, 0, false],
  ["GreaterThan", "a", "b", false],
  ["GreaterThanOrEquals", "1h", "60m", true],
  ["LessThan", "500m", "1", true],
  ["LessThan", 1, 1, false],
  ["LessThanOrEquals", "1.2.3", "1.2.3", true],
  ["LessThanOrEquals", "1.2.3", 2, false],
  ["DurationGreaterThan", "1h", 60, true],
  ["DurationGreaterThan", 1.9, 1, false],
  ["DurationLessThan", "1x", "1h", false],
  ["DurationLessThanOrEquals", "0", "0s", true],
  ["DurationGreaterThanOrEquals", true, "1h", false],
];

describe("operators", () => {
  test.each(cases)("%s %o %o is %s", (name, key, value, expected) => {
    expect(operators[name](key, value)).toBe(expected);
  });

  test("names count in any case", () => {
    expect(operatorByName("anyin")).toBe(operators.AnyIn);
    expect(operatorByName("GREATERTHAN")?.(2, 1)).toBe(true);
    expect(operatorByName("Is")).toBeUndefined();
    expect(operatorByName("toString")).toBeUndefined();
  });

  test("what replaces a deprecated operator", () => {
    expect(replacementsOf("NotIn")).toEqual(["AllNotIn", "AnyNotIn"]);
    expect(replacementsOf("AnyIn")).toEqual([]);
    expect(replacementsOf("constructor")).toEqual([]);
  });
});
