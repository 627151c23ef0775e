import { cutDigits, type Digits, decimalDigits, roundsUp } from "./decimal-digits.ts";

/**
 * Binary floating point of any precision, as Go's math/big.Float: `mantissa * 2^exponent`, rounded to the nearest, ties
 * to even. OPA calculates with 64 bits of mantissa and prints the fewest decimal digits that tell the result apart.
 */
export interface BigFloat {
  readonly negative: boolean;
  /** Not negative; 0 stands for zero, which has a sign too. */
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** The bits of mantissa that OPA's arithmetic keeps. */
const standardPrecision = 64;

const bitLength = (n: bigint): number => (n === 0n ? 0 : n.toString(2).length);

/** Rounds to `precision` bits. */
function round(value: BigFloat, precision = standardPrecision): BigFloat {
  const excess = bitLength(value.mantissa) - precision;
  if (excess <= 0) return value;
  const shift = BigInt(excess);
  const kept = value.mantissa >> shift;
  const rest = value.mantissa - (kept << shift);
  const half = 1n << (shift - 1n);
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  return { negative: value.negative, mantissa: up ? kept + 1n : kept, exponent: value.exponent + excess };
}

/** Powers of five beyond this one are rounded while they are computed, as Go's are. */
const exactPower = 27;

/** 5^n rounded as Go does on its way to a float of 64 bits: 128 bits, by squaring a factor of 192 bits. */
function powerOfFive(n: number): BigFloat {
  const whole = (mantissa: bigint): BigFloat => ({ negative: false, mantissa, exponent: 0 });
  if (n <= exactPower) return whole(5n ** BigInt(n));
  let power = whole(5n ** BigInt(exactPower));
  let factor = whole(5n);
  for (let rest = n - exactPower; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = round(product(power, factor), 128);
    factor = round(product(factor, factor), 192);
  }
  return power;
}

/** The float nearest to a number in JSON's syntax. */
export function parseBigFloat(text: string): BigFloat {
  const [, sign, whole = "", fraction = "", power = "0"] = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? [];
  const tens = Number(power) - fraction.length;
  const digits: BigFloat = { negative: sign === "-", mantissa: BigInt(whole + fraction || "0"), exponent: tens };
  if (digits.mantissa === 0n) return { ...digits, exponent: 0 };
  if (tens === 0) return round(digits);
  const scale = powerOfFive(Math.abs(tens));
  return tens > 0 ? round(product(digits, scale)) : quotient(digits, scale);
}

function product(a: BigFloat, b: BigFloat): BigFloat {
  return {
    negative: a.negative !== b.negative,
    mantissa: a.mantissa * b.mantissa,
    exponent: a.exponent + b.exponent,
  };
}

function quotient(a: BigFloat, b: BigFloat): BigFloat {
  const negative = a.negative !== b.negative;
  if (a.mantissa === 0n) return { negative, mantissa: 0n, exponent: 0 };
  const shift = Math.max(0, standardPrecision + 2 + bitLength(b.mantissa) - bitLength(a.mantissa));
  const numerator = a.mantissa << BigInt(shift);
  const mantissa = numerator / b.mantissa;
  // The remainder hides below the last bit; a bit of its own keeps it from being taken for a tie.
  const sticky = mantissa * b.mantissa === numerator ? 0n : 1n;
  return round({ negative, mantissa: (mantissa << 1n) | sticky, exponent: a.exponent - b.exponent - shift - 1 });
}

const signed = (f: BigFloat): bigint => (f.negative ? -f.mantissa : f.mantissa);

/** Operands further apart than this do not touch each other: the smaller one only decides how ties break. */
const farApart = 4096;

function sum(a: BigFloat, b: BigFloat): BigFloat {
  if (a.mantissa === 0n && b.mantissa === 0n) return { ...a, negative: a.negative && b.negative };
  if (a.mantissa === 0n) return round(b);
  if (b.mantissa === 0n) return round(a);
  const [high, low] = a.exponent + bitLength(a.mantissa) >= b.exponent + bitLength(b.mantissa) ? [a, b] : [b, a];
  const bottom = Math.max(Math.min(a.exponent, b.exponent), high.exponent - farApart);
  const lowest = low.negative ? -1n : 1n;
  const lowPart = low.exponent >= bottom ? signed(low) << BigInt(low.exponent - bottom) : lowest;
  const total = (signed(high) << BigInt(high.exponent - bottom)) + lowPart;
  return round({ negative: total < 0n, mantissa: total < 0n ? -total : total, exponent: bottom });
}

/** The product kept to `precision` bits of mantissa. */
export function multiplyTo(precision: number, a: BigFloat, b: BigFloat): BigFloat {
  return round(product(a, b), precision);
}

export const floats = {
  add: sum,
  subtract: (a: BigFloat, b: BigFloat): BigFloat => sum(a, { ...b, negative: !b.negative }),
  multiply: (a: BigFloat, b: BigFloat): BigFloat => round(product(a, b)),
  divide: quotient,
};

/** The integer part, cut towards zero. */
export function truncate(value: BigFloat): bigint {
  const size = value.exponent >= 0 ? value.mantissa << BigInt(value.exponent) : value.mantissa >> BigInt(-value.exponent);
  return value.negative ? -size : size;
}

export function isWhole(value: BigFloat): boolean {
  if (value.exponent >= 0) return true;
  const bits = BigInt(-value.exponent);
  return (value.mantissa >> bits) << bits === value.mantissa;
}

/** The fewest digits that round back to `value` at `precision` bits. */
function shortestDigits(value: BigFloat, precision: number): Digits {
  const exact = decimalDigits(value.mantissa, value.exponent);
  // One bit more than the precision, so that the last bit is half of the distance to the neighbours.
  const shift = precision + 1 - bitLength(value.mantissa);
  const mantissa = shift >= 0 ? value.mantissa << BigInt(shift) : value.mantissa >> BigInt(-shift);
  const exponent = value.exponent - shift;
  const lower = decimalDigits(mantissa - 1n, exponent).digits;
  const upper = decimalDigits(mantissa + 1n, exponent).digits;
  const inclusive = (mantissa & 2n) === 0n;
  for (let i = 0; i < exact.digits.length; i++) {
    const digit = Number(exact.digits[i]);
    const above = Number(upper[i] ?? 0);
    const down = Number(lower[i] ?? 0) !== digit || (inclusive && i + 1 === lower.length);
    const up = above !== digit && (inclusive || digit + 1 < above || i + 1 < upper.length);
    if (!down && !up) continue;
    const toUpper = down && up ? roundsUp(exact.digits, i + 1) : up;
    return cutDigits(exact, i + 1, toUpper);
  }
  return exact;
}

/** As OPA writes the result of a calculation in `precision` bits: whole numbers plainly, others as Go's `%g`. */
export function formatBigFloat(value: BigFloat, precision = standardPrecision): string {
  const sign = value.negative ? "-" : "";
  if (value.mantissa === 0n) return `${sign}0`;
  const { digits, point } = shortestDigits(value, precision);
  if (isWhole(value)) return sign + digits.padEnd(point, "0");
  const exponent = point - 1;
  if (exponent < -4 || exponent >= 6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return `${sign}${digits.charAt(0)}${fraction}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return digits.length > point ? `${sign}${digits.slice(0, point)}.${digits.slice(point)}` : sign + digits.padEnd(point, "0");
}
