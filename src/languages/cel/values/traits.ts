import { isNumeric } from "./equality.ts";
import { isDouble, isInt } from "./numbers.ts";
import { isComparable } from "./order.ts";
import { Bytes, type CelError, type CelValue, Duration, isList, isMap, noSuchOverload, Timestamp, Uint } from "./value.ts";

/** What a value must be able to do to stand on the left of an operator. */
export type Trait = "add" | "subtract" | "multiply" | "modulo" | "negate" | "compare" | "size" | "match";

const tests: { readonly [trait in Trait]: (value: CelValue) => boolean } = {
  add: (value) => isNumeric(value) || typeof value === "string" || value instanceof Bytes || isList(value) || isTime(value),
  subtract: (value) => isNumeric(value) || isTime(value),
  multiply: isNumeric,
  modulo: (value) => isInt(value) || value instanceof Uint,
  negate: (value) => isInt(value) || isDouble(value) || typeof value === "boolean" || value instanceof Duration,
  compare: isComparable,
  size: (value) => typeof value === "string" || value instanceof Bytes || isList(value) || isMap(value),
  match: (value) => typeof value === "string",
};

function isTime(value: CelValue): boolean {
  return value instanceof Timestamp || value instanceof Duration;
}

/** The error of an operator for operands it does not take; named where the left one could never be one, as in cel-go. */
export function refused(operator: string, trait: Trait, left: CelValue): CelError {
  const receives = typeof left === "string" || isTime(left);
  return tests[trait](left) || receives ? noSuchOverload() : noSuchOverload(operator);
}
