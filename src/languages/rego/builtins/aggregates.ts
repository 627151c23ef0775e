import { anyOf, anyType, arrayOf, booleanType, numberType, objectOf, setOf, stringType } from "../types/type.ts";
import { add, multiply } from "../values/arithmetic.ts";
import { type BigFloat, floats, formatBigFloat, multiplyTo, parseBigFloat } from "../values/big-float.ts";
import { compareValues } from "../values/compare.ts";
import { integerOf, isNumber, type NumberValue, numberText, parseNumber } from "../values/number.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import type { Builtin, BuiltinResult } from "./builtin.ts";
import { any, elementError, isArray, itemsOf, listOrSet, typeError, unary } from "./operand.ts";

const countable = { ...any, type: anyOf(stringType, arrayOf(anyType), objectOf(anyType, anyType), setOf(anyType)) };
const numbers = listOrSet(anyOf(arrayOf(numberType), setOf(numberType)));

function count(value: Value): BuiltinResult {
  if (typeof value === "string") return runeCount(value);
  if (isArray(value)) return value.length;
  if (value instanceof RegoObject || value instanceof RegoSet) return value.size;
  return typeError(1, value, "array", "object", "set", "string");
}

function runeCount(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    // A low surrogate after a high one is the second half of a character.
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}

/** Exact while all are integers; else one float from the first to the last, without another rounding in between. */
function fold(
  name: string,
  exact: (a: NumberValue, b: NumberValue) => NumberValue,
  float: (a: BigFloat, b: BigFloat) => BigFloat,
  start: number,
  precision: number,
): Builtin {
  return unary(name, numbers, numberType, (collection) => {
    const items = itemsOf(collection);
    const found = items.filter(isNumber);
    const odd = items.find((item) => !isNumber(item));
    if (odd !== undefined) return elementError(1, collection, odd, "number");
    if (found.every((item) => integerOf(item) !== undefined)) return found.reduce(exact, start);
    const total = found.reduce((sum, item) => float(sum, parseBigFloat(numberText(item))), parseBigFloat(String(start)));
    return parseNumber(formatBigFloat(total, precision));
  });
}

/** OPA begins the product with a float of this precision, which stays. */
const productPrecision = 53;

/** The greatest (`sign` 1) or least (-1) element; of equal ones the last, so that `[1, 1.0]` has the maximum 1.0. */
function extreme(name: string, sign: number): Builtin {
  return unary(name, listOrSet(), anyType, (collection) => {
    if (collection instanceof RegoSet) return collection.sorted().at(sign > 0 ? -1 : 0);
    let best = collection[0];
    for (const item of collection) {
      if (best !== undefined && compareValues(item, best) * sign >= 0) best = item;
    }
    return best;
  });
}

const either = listOrSet(undefined, ["array", "set"]);

export const aggregateBuiltins: readonly Builtin[] = [
  unary("count", countable, numberType, count),
  fold("sum", add, floats.add, 0, 64),
  fold("product", multiply, (a, b) => multiplyTo(productPrecision, a, b), 1, productPrecision),
  extreme("max", 1),
  extreme("min", -1),
  unary("sort", listOrSet(), arrayOf(anyType), (collection) =>
    collection instanceof RegoSet ? collection.sorted() : collection.toSorted(compareValues),
  ),
  unary("all", either, booleanType, (collection) => itemsOf(collection).every((item) => item === true), {
    deprecated: true,
  }),
  unary("any", either, booleanType, (collection) => itemsOf(collection).includes(true), { deprecated: true }),
];
