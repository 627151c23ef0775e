import { type Duration, parseDuration } from "../../core/duration.ts";
import { formatGoExponent } from "../../core/go-format.ts";
import type { JsonValue } from "../../core/json.ts";
import { compareQuantities, parseQuantity, type Quantity } from "../../core/quantity.ts";
import { compileWildcard } from "../../core/wildcard.ts";

/** Says whether a value satisfies a scalar pattern. A missing value counts as null. */
export type ValueTest = (value: JsonValue | undefined) => boolean;

export type PatternOperator = "" | ">=" | "<=" | ">" | "<" | "!" | "-" | "!-";

const endpoint = "([-|+]?\\d+(?:\\.\\d+)?[A-Za-z]*)";
const inRange = new RegExp(`^${endpoint}-${endpoint}$`);
const notInRange = new RegExp(`^${endpoint}!-${endpoint}$`);
const prefixes = [">=", "<=", ">", "<", "!"] as const;

/** The operator that a string pattern starts with, or the kind of range it is; empty for plain equality. */
export function operatorOf(pattern: string): PatternOperator {
  if (pattern.length < 2) return "";
  const prefix = prefixes.find((p) => pattern.startsWith(p));
  if (prefix !== undefined) return prefix;
  if (notInRange.test(pattern)) return "!-";
  return inRange.test(pattern) ? "-" : "";
}

/** The end points of a range pattern, `1-5` or `1!-5`. */
export function splitRange(pattern: string, operator: "-" | "!-"): readonly [string, string] | undefined {
  const parts = (operator === "-" ? inRange : notInRange).exec(pattern);
  return parts === null ? undefined : [parts[1] ?? "", parts[2] ?? ""];
}

/** Spaces only: other white space belongs to the pattern. */
function trimSpaces(text: string): string {
  return text.replace(/^ +| +$/g, "");
}

/** `a & b | c`: alternatives of conditions that must all hold; each may start with an operator or be a range. */
export function compileStringPattern(pattern: string): ValueTest {
  const alternatives = pattern.split("|").map((alternative) => {
    const conditions = trimSpaces(alternative)
      .split("&")
      .map((condition) => compileCondition(trimSpaces(condition)));
    const [only] = conditions;
    if (conditions.length === 1 && only !== undefined) return only;
    return (value: JsonValue | undefined) => conditions.every((test) => test(value));
  });
  const [only] = alternatives;
  if (alternatives.length === 1 && only !== undefined) return (value) => value === pattern || only(value);
  return (value) => value === pattern || alternatives.some((test) => test(value));
}

function compileCondition(condition: string): ValueTest {
  const operator = operatorOf(condition);
  if (operator === "-" || operator === "!-") {
    const [low = "", high = ""] = splitRange(condition, operator) ?? [];
    if (operator === "-") {
      const from = compileComparison(">=", low);
      const to = compileComparison("<=", high);
      return (value) => from(value) && to(value);
    }
    const below = compileComparison("<", low);
    const above = compileComparison(">", high);
    return (value) => below(value) || above(value);
  }
  return compileComparison(operator, condition.slice(operator.length).trim());
}

type Comparison = Exclude<PatternOperator, "-" | "!-">;

function holds(operator: Comparison, order: number): boolean {
  switch (operator) {
    case "":
      return order === 0;
    case "!":
      return order !== 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
  }
}

/** Durations come first, then quantities, then text: `100m` is a hundred minutes if the value can be a duration too. */
function compileComparison(operator: Comparison, operand: string): ValueTest {
  const text = compileText(operator, operand);
  const duration = parseDuration(operand);
  const quantity = parseQuantity(operand);
  if (duration === undefined && quantity === undefined) return text;
  return (value) => {
    const number = numberText(value);
    if (number !== undefined) {
      const byDuration = duration === undefined ? undefined : compareDuration(number, duration);
      if (byDuration !== undefined) return holds(operator, byDuration);
      const byQuantity = quantity === undefined ? undefined : compareQuantity(number, quantity);
      if (byQuantity !== undefined) return holds(operator, byQuantity);
    }
    return text(value);
  };
}

function compareDuration(text: string, pattern: Duration): number | undefined {
  const value = parseDuration(text);
  if (value === undefined) return undefined;
  return value < pattern ? -1 : value > pattern ? 1 : 0;
}

function compareQuantity(text: string, pattern: Quantity): number | undefined {
  const value = parseQuantity(text);
  return value === undefined ? undefined : compareQuantities(value, pattern);
}

/** The text that numeric comparison reads: null counts as zero; undefined for booleans, lists and objects. */
export function numberText(value: JsonValue | undefined): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isSafeInteger(value) ? String(value) : fixed(value);
    case "bigint":
      return value.toString();
    case "undefined":
      return "0";
    default:
      return value === null ? "0" : undefined;
  }
}

/** Go's `%f`. */
function fixed(value: number): string {
  return Math.abs(value) < 1e21 || !Number.isFinite(value) ? value.toFixed(6) : `${BigInt(value)}.000000`;
}

function compileText(operator: Comparison, operand: string): ValueTest {
  if (operator !== "" && operator !== "!") return () => false;
  const matches = compileWildcard(operand);
  const wanted = operator === "";
  return (value) => {
    const text = scalarText(value);
    return text !== undefined && matches(text) === wanted;
  };
}

function scalarText(value: JsonValue | undefined): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isSafeInteger(value) ? String(value) : formatGoExponent(value);
    case "bigint":
    case "boolean":
      return String(value);
    default:
      return undefined;
  }
}
