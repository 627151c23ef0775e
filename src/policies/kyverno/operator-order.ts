import { type Duration, durationFromNumber, parseDuration, second, wrapDuration } from "../../core/duration.ts";
import { parseGoFloat } from "../../core/go-format.ts";
import type { JsonValue } from "../../core/json.ts";
import { compareQuantities, parseQuantity } from "../../core/quantity.ts";
import { compareSemver, parseSemver } from "../../core/semver.ts";

/** Says whether an order (negative, zero, positive) is the wanted one; not a number means that there is none. */
export type OrderTest = (order: number) => boolean;

function isNumber(value: JsonValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** Numbers count as seconds; fractions of a second are cut off. */
function secondsToDuration(value: number | bigint): Duration {
  return wrapDuration((typeof value === "bigint" ? value : durationFromNumber(value)) * second);
}

/** Both sides as durations, where at least one is written as one; a plain "0" is not. */
export function durationPair(key: JsonValue, value: JsonValue): readonly [Duration, Duration] | undefined {
  const left = typeof key === "string" && key !== "0" ? parseDuration(key) : undefined;
  const right = typeof value === "string" && value !== "0" ? parseDuration(value) : undefined;
  if (left !== undefined && right !== undefined) return [left, right];
  if (left !== undefined && isNumber(value)) return [left, secondsToDuration(value)];
  if (right !== undefined && isNumber(key)) return [secondsToDuration(key), right];
  return undefined;
}

function order<T extends number | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN;
}

/** Durations, quantities, numbers and semantic versions, in this order; anything else compares as false. */
export function compareNumbers(test: OrderTest): (key: JsonValue, value: JsonValue) => boolean {
  return (key, value) => {
    const result = numericOrder(key, value);
    return result !== undefined && test(result);
  };
}

function numericOrder(key: JsonValue, value: JsonValue): number | undefined {
  const durations = durationPair(key, value);
  if (durations !== undefined) return order(durations[0], durations[1]);
  if (isNumber(key)) return orderWithNumber(Number(key), value);
  if (typeof key !== "string") return undefined;
  if (typeof value === "string") {
    const left = parseQuantity(key);
    const right = parseQuantity(value);
    if (left !== undefined && right !== undefined) return compareQuantities(left, right);
  }
  const number = parseGoFloat(key);
  if (number !== undefined) return orderWithNumber(number, value);
  const version = parseSemver(key);
  const other = typeof value === "string" ? parseSemver(value) : undefined;
  return version === undefined || other === undefined ? undefined : compareSemver(version, other);
}

function orderWithNumber(key: number, value: JsonValue): number | undefined {
  if (isNumber(value)) return order(key, Number(value));
  if (typeof value !== "string") return undefined;
  const durations = durationPair(key, value);
  if (durations !== undefined) return order(durations[0], durations[1]);
  const number = parseGoFloat(value);
  return number === undefined ? undefined : order(key, number);
}

/** The deprecated `Duration*` operators: texts have to be durations, numbers are seconds. */
export function compareDurations(test: OrderTest): (key: JsonValue, value: JsonValue) => boolean {
  return (key, value) => {
    const left = toDuration(key);
    const right = toDuration(value);
    return left !== undefined && right !== undefined && test(order(left, right));
  };
}

function toDuration(value: JsonValue): Duration | undefined {
  if (isNumber(value)) return secondsToDuration(value);
  return typeof value === "string" ? parseDuration(value) : undefined;
}
