import type { JsonValue } from "../../core/json.ts";
import { equals, notEquals } from "./operator-equals.ts";
import { allIn, allNotIn, anyIn, anyNotIn, deprecatedIn, deprecatedNotIn } from "./operator-in.ts";
import { compareDurations, compareNumbers, type OrderTest } from "./operator-order.ts";

/** Compares a condition's key with its value, both after substitution. */
export type Operator = (key: JsonValue, value: JsonValue) => boolean;

const greater: OrderTest = (order) => order > 0;
const greaterOrEqual: OrderTest = (order) => order >= 0;
const less: OrderTest = (order) => order < 0;
const lessOrEqual: OrderTest = (order) => order <= 0;

/** Every operator of a Kyverno condition, by its name. */
export const operators = {
  Equal: equals,
  Equals: equals,
  NotEqual: notEquals,
  NotEquals: notEquals,
  In: deprecatedIn,
  AnyIn: anyIn,
  AllIn: allIn,
  NotIn: deprecatedNotIn,
  AnyNotIn: anyNotIn,
  AllNotIn: allNotIn,
  GreaterThan: compareNumbers(greater),
  GreaterThanOrEquals: compareNumbers(greaterOrEqual),
  LessThan: compareNumbers(less),
  LessThanOrEquals: compareNumbers(lessOrEqual),
  DurationGreaterThan: compareDurations(greater),
  DurationGreaterThanOrEquals: compareDurations(greaterOrEqual),
  DurationLessThan: compareDurations(less),
  DurationLessThanOrEquals: compareDurations(lessOrEqual),
} as const satisfies { readonly [name: string]: Operator };

const byLowerCase = new Map<string, Operator>(Object.entries(operators).map(([name, op]) => [name.toLowerCase(), op]));

/** The operator of that name, in any case; undefined for none. */
export function operatorByName(name: string): Operator | undefined {
  return byLowerCase.get(name.toLowerCase());
}

/** Operators that Kyverno has deprecated, and what to write instead. */
const replacements: { readonly [name: string]: readonly string[] } = {
  In: ["AllIn", "AnyIn"],
  NotIn: ["AllNotIn", "AnyNotIn"],
};

/** What to write instead of a deprecated operator; empty for any other. */
export function replacementsOf(operator: string): readonly string[] {
  return Object.hasOwn(replacements, operator) ? (replacements[operator] ?? []) : [];
}
