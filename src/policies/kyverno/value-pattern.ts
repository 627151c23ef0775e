import { parseGoFloat, parseGoInt } from "../../core/go-format.ts";
import { isArray, isObject, type JsonValue } from "../../core/json.ts";
import { compileStringPattern, type ValueTest } from "./string-pattern.ts";

/**
 * Compiles one pattern value for comparison with one value: strings with operators and wildcards, numbers (a \`bigint\` is
 * an integer to Kyverno, a \`number\` a float), booleans,
 * null (which matches 0, "", false and null), and objects (any object will do). Lists match nothing here.
 */
export function compileValuePattern(pattern: JsonValue): ValueTest {
  switch (typeof pattern) {
    case "string":
      return compileStringPattern(pattern);
    case "boolean":
      return (value) => value === pattern;
    case "number":
      return (value) => equalsNumber(value, pattern) || (typeof value === "string" && parseGoFloat(value) === pattern);
    case "bigint":
      return (value) => equalsNumber(value, pattern) || (typeof value === "string" && parseGoInt(value) === pattern);
    default:
      if (pattern === null) return isNothing;
      return isObject(pattern) ? isObject : () => false;
  }
}

function equalsNumber(value: JsonValue | undefined, pattern: number | bigint): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: an integer may be a number on one side and a bigint on the other
  return (typeof value === "number" || typeof value === "bigint") && value == pattern;
}

/**
 * The pattern with the integers that its author wrote as `bigint`. Kyverno keeps those as integers, which only a text
 * of digits equals; numbers that a variable brings in, and all of an `anyPattern`, are floats to it, which "5.0" equals.
 */
export function withIntegers(pattern: JsonValue): JsonValue {
  if (typeof pattern === "number") return Number.isInteger(pattern) ? BigInt(pattern) : pattern;
  if (isArray(pattern)) return pattern.map(withIntegers);
  if (!isObject(pattern)) return pattern;
  return Object.fromEntries(Object.entries(pattern).map(([key, value]) => [key, withIntegers(value ?? null)]));
}

function isNothing(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === 0 || value === 0n || value === "" || value === false;
}
