import {
  type Duration,
  durationFromNumber,
  formatDuration,
  parseDuration,
  second,
  toSeconds,
  wrapDuration,
} from "../../../core/duration.ts";
import { formatGoFloat } from "../../../core/go-format.ts";
import type { JsonValue } from "../../../core/json.ts";
import {
  addQuantities,
  divideQuantities,
  formatQuantity,
  integerQuantity,
  multiplyQuantities,
  parseQuantity,
  type Quantity,
  quantityToNumber,
  subtractQuantities,
} from "../../../core/quantity.ts";
import { isNumber } from "../compile.ts";
import { JmesPathError } from "../errors.ts";
import { define, type Functions } from "./call.ts";

type Operand =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "quantity"; readonly value: Quantity }
  | { readonly kind: "duration"; readonly value: Duration };

/** A text is a quantity if it can be one (`100m`), else a duration. */
function operand(value: JsonValue, name: string): Operand {
  if (isNumber(value)) return { kind: "number", value: Number(value) };
  if (typeof value === "string") {
    const quantity = parseQuantity(value);
    if (quantity !== undefined) return { kind: "quantity", value: quantity };
    const duration = parseDuration(value);
    if (duration !== undefined) return { kind: "duration", value: duration };
  }
  return fail(name, "invalid operand");
}

function fail(name: string, problem: string): never {
  throw new JmesPathError(`JMESPath function '${name}': ${problem}`);
}

const mismatch = "Types mismatch";
const zeroDivisor = "Zero divisor passed";

/** A quantity of an absurd exponent, or an infinite number, cannot be written as a factor. */
function factor(value: number, name: string): Quantity {
  return parseQuantity(formatGoFloat(value)) ?? fail(name, "invalid operand");
}

function add(a: Operand, b: Operand, name: string): JsonValue {
  if (a.kind === "number" && b.kind === "number") return a.value + b.value;
  if (a.kind === "quantity" && b.kind === "quantity") return formatQuantity(addQuantities(a.value, b.value));
  if (a.kind === "duration" && b.kind === "duration") return formatDuration(wrapDuration(a.value + b.value));
  return fail(name, mismatch);
}

function subtract(a: Operand, b: Operand, name: string): JsonValue {
  if (a.kind === "number" && b.kind === "number") return a.value - b.value;
  if (a.kind === "quantity" && b.kind === "quantity") return formatQuantity(subtractQuantities(a.value, b.value));
  if (a.kind === "duration" && b.kind === "duration") return formatDuration(wrapDuration(a.value - b.value));
  return fail(name, mismatch);
}

function multiply(a: Operand, b: Operand, name: string): JsonValue {
  if (a.kind === "number") return b.kind === "number" ? a.value * b.value : multiply(b, a, name);
  if (b.kind !== "number") return fail(name, mismatch);
  if (a.kind === "quantity") return formatQuantity(multiplyQuantities(a.value, factor(b.value, name)));
  return fromSeconds(toSeconds(a.value) * b.value);
}

function fromSeconds(seconds: number): string {
  return formatDuration(durationFromNumber(seconds * Number(second)));
}

function divide(a: Operand, b: Operand, name: string): JsonValue {
  if (b.kind === "number") {
    if (a.kind !== "number" && b.value === 0) return fail(name, zeroDivisor);
    if (a.kind === "duration") return fromSeconds(toSeconds(a.value) / b.value);
    if (a.kind === "number") return quotient(a.value, b.value, name);
    const result = divideQuantities(a.value, factor(b.value, name));
    return result === undefined ? fail(name, zeroDivisor) : formatQuantity(result);
  }
  if (a.kind === "quantity" && b.kind === "quantity") {
    return quotient(quantityToNumber(a.value), quantityToNumber(b.value), name);
  }
  if (a.kind === "duration" && b.kind === "duration") return quotient(toSeconds(a.value), toSeconds(b.value), name);
  return fail(name, mismatch);
}

function quotient(a: number, b: number, name: string): number {
  return b === 0 ? fail(name, zeroDivisor) : a / b;
}

function modulo(a: Operand, b: Operand, name: string): JsonValue {
  if (a.kind === "number" && b.kind === "number") return Number(remainder(a.value, b.value, name));
  if (a.kind === "quantity" && b.kind === "quantity") {
    const rest = remainder(quantityToNumber(a.value), quantityToNumber(b.value), name);
    return formatQuantity(integerQuantity(rest, a.value.format));
  }
  if (a.kind !== "duration" || b.kind !== "duration") return fail(name, mismatch);
  return b.value === 0n ? fail(name, zeroDivisor) : formatDuration(a.value % b.value);
}

function remainder(a: number, b: number, name: string): bigint {
  const limit = 2 ** 63;
  const isInteger = (n: number) => Number.isInteger(n) && n >= -limit && n < limit;
  if (!isInteger(a) || !isInteger(b)) return fail(name, "Non-integer argument(s) passed for modulo");
  return b === 0 ? fail(name, zeroDivisor) : BigInt(a) % BigInt(b);
}

function sum(items: readonly JsonValue[]): JsonValue {
  const [first, ...rest] = items;
  if (first === undefined) return fail("sum", "at least one element in the array is required");
  return rest.reduce((total, item) => add(operand(total, "sum"), operand(item, "sum"), "sum"), first);
}

function round(value: number, digits: number): number {
  if (!Number.isInteger(digits) || digits >= 2 ** 63) return fail("round", "Non-integer argument(s) passed for round off");
  if (digits < 0) return fail("round", "argument is out of bounds");
  const shift = 10 ** digits;
  if (!Number.isFinite(value * shift)) return fail("round", "the result is no number");
  // Go rounds halves away from zero.
  return (Math.sign(value) * Math.round(Math.abs(value) * shift)) / shift;
}

function binary(name: string, apply: (a: Operand, b: Operand, name: string) => JsonValue) {
  return define(["any", "any"], ([a, b]) => apply(operand(a, name), operand(b, name), name));
}

/** Arithmetic on numbers, quantities (`1Gi`) and durations (`1h30m`). */
export const arithmeticFunctions: Functions = {
  add: binary("add", add),
  sum: define(["array"], ([items]) => sum(items)),
  subtract: binary("subtract", subtract),
  multiply: binary("multiply", multiply),
  divide: binary("divide", divide),
  modulo: binary("modulo", modulo),
  round: define(["number", "number"], ([value, digits]) => round(value, digits)),
};
