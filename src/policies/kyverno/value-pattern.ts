import { parseGoFloat } from "../../core/go-format.ts";
import { isObject, type JsonValue } from "../../core/json.ts";
import { compileStringPattern, type ValueTest } from "./string-pattern.ts";

/**
 * Compiles one pattern value for comparison with one value: strings with operators and wildcards, numbers, booleans,
 * null (which matches 0, "", false and null), and objects (any object will do). Lists match nothing here.
 */
export function compileValuePattern(pattern: JsonValue): ValueTest {
  switch (typeof pattern) {
    case "string":
      return compileStringPattern(pattern);
    case "boolean":
      return (value) => value === pattern;
    case "number":
    case "bigint":
      return (value) => equalsNumber(value, pattern);
    default:
      if (pattern === null) return isNothing;
      return isObject(pattern) ? isObject : () => false;
  }
}

function equalsNumber(value: JsonValue | undefined, pattern: number | bigint): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: an integer may be a number on one side and a bigint on the other
  if (typeof value === "number" || typeof value === "bigint") return value == pattern;
  return typeof value === "string" && parseGoFloat(value) === Number(pattern);
}

function isNothing(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === 0 || value === 0n || value === "" || value === false;
}
