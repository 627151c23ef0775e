import { CelError, Double, type Int, Uint } from "./value.ts";

export const maxInt = (1n << 63n) - 1n;
export const minInt = -(1n << 63n);
export const maxUint = (1n << 64n) - 1n;
const two63 = 2 ** 63;
const two64 = 2 ** 64;

/** A number of any of the three types. */
export type Numeric = Int | Double | Uint;

/** A double in its one representation. */
export function makeDouble(value: number): number | Double {
  return Number.isSafeInteger(value) ? new Double(value) : value;
}

/** An int in its one representation; an error outside 64 bits. */
export function makeInt(value: bigint): Int | CelError {
  if (value > maxInt || value < minInt) return new CelError("integer overflow");
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

export function makeUint(value: bigint): Uint | CelError {
  return value < 0n || value > maxUint ? new CelError("unsigned integer overflow") : new Uint(value);
}

/** Whether a bare `number` or `bigint` is an int; 64-bit integers that JSON spelled too large are doubles. */
export function isInt(value: unknown): value is Int {
  return typeof value === "number"
    ? Number.isSafeInteger(value)
    : typeof value === "bigint" && value <= maxInt && value >= minInt;
}

export function isDouble(value: unknown): value is number | Double {
  return typeof value === "number" ? !Number.isSafeInteger(value) : value instanceof Double;
}

export function doubleValue(value: number | Double): number {
  return typeof value === "number" ? value : value.value;
}

export function addInts(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return makeInt(BigInt(a) + BigInt(b));
}

export function subtractInts(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return makeInt(BigInt(a) - BigInt(b));
}

export function multiplyInts(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    // `+ 0` turns -0, which no int has, into 0.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return makeInt(BigInt(a) * BigInt(b));
}

export function divideInts(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    if (b === 0) return new CelError("division by zero");
    return (a - (a % b)) / b + 0;
  }
  if (BigInt(b) === 0n) return new CelError("division by zero");
  return makeInt(BigInt(a) / BigInt(b));
}

export function moduloInts(a: Int, b: Int): Int | CelError {
  if (typeof a === "number" && typeof b === "number") {
    if (b === 0) return new CelError("modulus by zero");
    return (a % b) + 0;
  }
  if (BigInt(b) === 0n) return new CelError("modulus by zero");
  if (BigInt(a) === minInt && BigInt(b) === -1n) return new CelError("integer overflow");
  return makeInt(BigInt(a) % BigInt(b));
}

export function negateInt(a: Int): Int | CelError {
  return typeof a === "number" ? 0 - a : makeInt(-a);
}

/** A double as an int, cut towards zero. */
export function doubleToInt(value: number): Int | CelError {
  if (!(value > -two63 && value < two63)) return new CelError("integer overflow");
  return makeInt(BigInt(Math.trunc(value)));
}

export function doubleToUint(value: number): Uint | CelError {
  if (!(value >= 0 && value < two64)) return new CelError("unsigned integer overflow");
  return new Uint(BigInt(Math.trunc(value)));
}

export function uintToInt(value: Uint): Int | CelError {
  return makeInt(value.value);
}

/** -1, 0 or 1; undefined where NaN takes part. */
export function compareNumbers(a: Numeric, b: Numeric): -1 | 0 | 1 | undefined {
  if (typeof a === "number" && typeof b === "number") return order(a, b);
  const x = plain(a);
  const y = plain(b);
  if (typeof x === "bigint" && typeof y === "bigint") return order(x, y);
  if (typeof x === "number" && typeof y === "number") return order(x, y);
  return typeof x === "number" ? mixed(x, y as bigint) : negated(mixed(y as number, x as bigint));
}

function plain(value: Numeric): number | bigint {
  return typeof value === "object" ? value.value : value;
}

function order<T extends number | bigint>(a: T, b: T): -1 | 0 | 1 | undefined {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : undefined;
}

/** Doubles are compared with 64-bit integers as cel-go does: the integer is rounded to a double. */
function mixed(a: number, b: bigint): -1 | 0 | 1 | undefined {
  return order(a, Number(b));
}

function negated(value: -1 | 0 | 1 | undefined): -1 | 0 | 1 | undefined {
  return value === undefined ? undefined : value === 0 ? 0 : value === 1 ? -1 : 1;
}
