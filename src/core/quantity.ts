import { remembered } from "./remembered.ts";

/** How a quantity was written and is written again: `12M`, `12Mi`, `12e6`. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/**
 * An exact Kubernetes quantity, `unscaled * 10^exponent`, as k8s.io/apimachinery/pkg/api/resource keeps it:
 * nothing below a nano-unit (rounded away from zero), binary quantities capped at 2^63 - 1.
 */
export interface Quantity {
  readonly unscaled: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
  /** The text it was read from, where that already is canonical. */
  readonly text?: string;
}

const decimalSuffixes = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const binarySuffixes = new Map([
  ["Ki", 10],
  ["Mi", 20],
  ["Gi", 30],
  ["Ti", 40],
  ["Pi", 50],
  ["Ei", 60],
]);
const suffixOfExponent = new Map(Array.from(decimalSuffixes, ([suffix, exponent]) => [exponent, suffix]));
const suffixOfBinaryExponent = new Map(Array.from(binarySuffixes, ([suffix, exponent]) => [exponent, suffix]));

const maxBinary = (1n << 63n) - 1n;
const smallestExponent = -9;
/** Exponents beyond this are refused: no resource is that large, and aligning them would cost without bound. */
const largestExponent = 4096;
const shape = /^([-+]?)(\d*)(?:\.(\d*))?(?:(n|u|m|k|M|G|T|P|E|)|([KMGTPE]i)|[eE]([-+]?\d+))$/;

/** Quantities recur: clusters are full of `100m` and `128Mi`. */
const knownQuantity = remembered(4096, readQuantity);
const longestKnown = 24;

/** Reads a quantity as apimachinery's ParseQuantity does; undefined where that reports an error. */
export function parseQuantity(text: string): Quantity | undefined {
  if (!mayBeQuantity(text)) return undefined;
  return text.length > longestKnown ? readQuantity(text) : knownQuantity(text);
}

/** Most of what is asked here is some other text: its first and last characters tell. A lone suffix is a zero. */
function mayBeQuantity(text: string): boolean {
  return (text.length < 3 || /^[-+.0-9eE]/.test(text)) && /[-+.0-9numkKMGTPEi]$/.test(text);
}

function readQuantity(text: string): Quantity | undefined {
  const parts = shape.exec(text);
  if (parts === null) return undefined;
  const [, sign = "", integer = "", fraction = "", , binary, exponentText] = parts;
  const digits = integer.replace(/^0+/, "") || "0";
  const hasDigits = integer !== "" || fraction !== "";
  if (binary !== undefined) {
    const bits = binarySuffixes.get(binary) ?? 0;
    // A lone `Ki` is zero, but the suffixes that are too large for the short way want a digit.
    return hasDigits || bits < 50 ? parseBinary(text, sign, digits, fraction, bits) : undefined;
  }
  const format = exponentText === undefined ? "DecimalSI" : "DecimalExponent";
  const power = exponentText === undefined ? (decimalSuffixes.get(parts[4] ?? "") ?? 0) : Number(exponentText);
  if (power > largestExponent || power < -largestExponent) return undefined;
  const shifted = digits + fraction;
  const exponent = power - fraction.length;
  const magnitude = BigInt(shifted);
  const unscaled = sign === "-" ? -magnitude : magnitude;
  if (shifted.length <= 18 && exponent >= smallestExponent) {
    const canonical = exponent % 3 === 0 && !shifted.endsWith("000") && !shifted.startsWith("0");
    return canonical ? { unscaled, exponent, format, text } : { unscaled, exponent, format };
  }
  // Long numbers go the way of inf.Dec, which wants a digit.
  if (!hasDigits) return undefined;
  return magnitude === 0n ? { unscaled, exponent, format } : { ...rescale(unscaled, exponent), format };
}

/** Why {@link parseQuantity} refuses a text, in apimachinery's words. */
export function quantityProblem(text: string): string {
  const parts = /^[+-]?\d*(?:\.\d*)?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  if (text === "" || parts === null) {
    return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  }
  const suffix = parts[1] ?? "";
  const known = decimalSuffixes.has(suffix) || binarySuffixes.has(suffix) || /^[eE][-+]?\d+$/.test(suffix);
  return known ? "unable to parse numeric part of quantity" : "unable to parse quantity's suffix";
}

/** The value where it is kept as a whole number of 64 bits; `1.0` and `1000m` are not. */
export function quantityToInteger({ unscaled, exponent }: Quantity): bigint | undefined {
  if (exponent < 0) return undefined;
  const value = unscaled * 10n ** BigInt(exponent);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function parseBinary(text: string, sign: string, digits: string, fraction: string, bits: number): Quantity | undefined {
  const factor = 1n << BigInt(bits);
  if (fraction === "" && 15 - digits.length - Math.trunc(Math.fround((Math.fround(bits) * 3) / 10)) - 1 >= 0) {
    const value = BigInt(digits);
    const unscaled = (sign === "-" ? -value : value) * factor;
    // Text is kept where nothing can be moved into a larger suffix.
    return (value & 7n) !== 0n
      ? { unscaled, exponent: 0, format: "BinarySI", text }
      : { unscaled, exponent: 0, format: "BinarySI" };
  }
  const scaled = rescale(BigInt(digits + fraction) * factor, -fraction.length);
  const one = 10n ** BigInt(-scaled.exponent);
  const capped = scaled.unscaled > maxBinary * one ? { unscaled: maxBinary, exponent: 0 } : scaled;
  const format = capped.unscaled > 0n && scaled.unscaled < one ? "DecimalSI" : "BinarySI";
  return { unscaled: sign === "-" ? -capped.unscaled : capped.unscaled, exponent: capped.exponent, format };
}

/** To nano-units, away from zero. */
function rescale(unscaled: bigint, exponent: number): { readonly unscaled: bigint; readonly exponent: number } {
  if (exponent >= smallestExponent) {
    return { unscaled: unscaled * 10n ** BigInt(exponent - smallestExponent), exponent: smallestExponent };
  }
  return { unscaled: divideAwayFromZero(unscaled, smallestExponent - exponent), exponent: smallestExponent };
}

function divideAwayFromZero(value: bigint, powerOfTen: number): bigint {
  const divisor = 10n ** BigInt(powerOfTen);
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

function align(a: Quantity, b: Quantity): readonly [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.unscaled * 10n ** BigInt(a.exponent - exponent), b.unscaled * 10n ** BigInt(b.exponent - exponent), exponent];
}

/** -1, 0 or 1. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  const [x, y] = a.exponent === b.exponent ? [a.unscaled, b.unscaled] : align(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

function fitsInt64({ unscaled }: Quantity): boolean {
  return BigInt.asIntN(64, unscaled) === unscaled;
}

/** The sum, written as the first operand is; as the second where the first is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const format = a.unscaled === 0n ? b.format : a.format;
  // Adding zero leaves the scale alone where both fit in 64 bits.
  if (fitsInt64(a) && fitsInt64(b)) {
    if (b.unscaled === 0n) return { unscaled: a.unscaled, exponent: a.exponent, format };
    if (a.unscaled === 0n) return { unscaled: b.unscaled, exponent: b.exponent, format };
  }
  const [x, y, exponent] = align(a, b);
  return { unscaled: x + y, exponent, format };
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  // Negating the smallest 64-bit integer overflows, which is noticed only where the sum overflows too.
  const wrapped = b.unscaled === -maxBinary - 1n ? addQuantities(a, b) : undefined;
  if (wrapped !== undefined && fitsInt64(wrapped)) return wrapped;
  return addQuantities(a, { ...b, unscaled: -b.unscaled });
}

/** The exact product, written as the first operand is. */
export function multiplyQuantities(a: Quantity, b: Quantity): Quantity {
  return { unscaled: a.unscaled * b.unscaled, exponent: a.exponent + b.exponent, format: a.format };
}

/** The quotient cut (towards zero) at the finer scale of the two operands, written as the first; undefined for zero. */
export function divideQuantities(a: Quantity, b: Quantity): Quantity | undefined {
  if (b.unscaled === 0n) return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  const shift = a.exponent - b.exponent - exponent;
  const unscaled =
    shift >= 0 ? (a.unscaled * 10n ** BigInt(shift)) / b.unscaled : a.unscaled / (b.unscaled * 10n ** BigInt(-shift));
  return { unscaled, exponent, format: a.format };
}

export function integerQuantity(value: bigint, format: QuantityFormat): Quantity {
  return { unscaled: value, exponent: 0, format };
}

/** The nearest float64, computed as apimachinery's AsApproximateFloat64. */
export function quantityToNumber(quantity: Quantity): number {
  const base = Number(quantity.unscaled);
  return quantity.exponent === 0 ? base : base * Number(`1e${quantity.exponent}`);
}

/** The canonical text: no fraction, the largest suffix that loses nothing. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  if (quantity.unscaled === 0n) return "0";
  return (quantity.format === "BinarySI" ? formatBinary(quantity) : undefined) ?? formatDecimal(quantity);
}

function formatDecimal(quantity: Quantity): string {
  let { unscaled, exponent } = quantity;
  if (exponent < smallestExponent) ({ unscaled, exponent } = rescale(unscaled, exponent));
  while (unscaled % 10n === 0n) {
    unscaled /= 10n;
    exponent++;
  }
  const scientific = quantity.format === "DecimalExponent";
  // There is no decimal suffix above E.
  const excess = scientific || exponent <= 18 ? ((exponent % 3) + 3) % 3 : exponent - 18;
  unscaled *= 10n ** BigInt(excess);
  exponent -= excess;
  if (scientific) return exponent === 0 ? String(unscaled) : `${unscaled}e${exponent}`;
  return `${unscaled}${suffixOfExponent.get(exponent) ?? ""}`;
}

/** Undefined for what has to be shown as decimal: small values, and fractions. */
function formatBinary(quantity: Quantity): string | undefined {
  const { unscaled, exponent } = quantity;
  const one = exponent < 0 ? 10n ** BigInt(-exponent) : 1n;
  if (unscaled % one !== 0n) return undefined;
  let value = exponent < 0 ? unscaled / one : unscaled * 10n ** BigInt(exponent);
  if (value > -1024n && value < 1024n) return undefined;
  let bits = 0;
  while (value % 1024n === 0n && bits < 60) {
    value /= 1024n;
    bits += 10;
  }
  return `${value}${suffixOfBinaryExponent.get(bits) ?? ""}`;
}
