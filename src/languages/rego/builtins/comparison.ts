import { anyOf, anyType, booleanType, numberType, setOf } from "../types/type.ts";
import { subtract } from "../values/arithmetic.ts";
import { compareValues, equalValues } from "../values/compare.ts";
import { isNumber } from "../values/number.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import type { Builtin } from "./builtin.ts";
import { any, binary, isArray, isSet, ternary, typeError } from "./operand.ts";
import { difference } from "./set-operations.ts";

const compare = (name: string, infix: string, holds: (order: number) => boolean): Builtin =>
  binary(name, [any, any], booleanType, (a, b) => holds(compareValues(a, b)), { infix });

const equality = (name: string, infix: string, wanted: boolean): Builtin =>
  binary(name, [any, any], booleanType, (a, b) => equalValues(a, b) === wanted, { infix });

function contains(value: Value, collection: Value): boolean {
  if (isSet(collection)) return collection.has(value);
  if (isArray(collection)) return collection.some((item) => equalValues(value, item));
  return collection instanceof RegoObject && collection.sorted().some((member) => equalValues(value, member.value));
}

function containsAt(key: Value, value: Value, collection: Value): boolean {
  if (isSet(collection)) return collection.has(key) && equalValues(key, value);
  if (isArray(collection)) {
    const item = isNumber(key) ? collection[Number(key)] : undefined;
    return item !== undefined && equalValues(value, item);
  }
  const member = collection instanceof RegoObject ? collection.get(key) : undefined;
  return member !== undefined && equalValues(value, member);
}

const numberOrSet = anyOf(numberType, setOf(anyType));
const minusOperand = { ...any, type: numberOrSet };

/** `-` of numbers and of sets. */
const minus = binary(
  "minus",
  [minusOperand, minusOperand],
  numberOrSet,
  (a, b) => {
    if (isNumber(a)) return isNumber(b) ? subtract(a, b) : typeError(2, b, "number");
    if (a instanceof RegoSet) return b instanceof RegoSet ? difference(a, b) : typeError(2, b, "set");
    return typeError(1, a, "number", "set");
  },
  { infix: "-" },
);

/** Operators on any values. `eq` and `assign` are the evaluator's own; here they only have their types. */
export const comparisonBuiltins: readonly Builtin[] = [
  equality("eq", "=", true),
  equality("assign", ":=", true),
  equality("equal", "==", true),
  equality("neq", "!=", false),
  compare("lt", "<", (order) => order < 0),
  compare("lte", "<=", (order) => order <= 0),
  compare("gt", ">", (order) => order > 0),
  compare("gte", ">=", (order) => order >= 0),
  minus,
  binary("internal.member_2", [any, any], booleanType, contains, { infix: "in" }),
  ternary("internal.member_3", [any, any, any], booleanType, containsAt, { infix: "in" }),
];
