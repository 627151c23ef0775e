import { type BigFloat, floats, formatBigFloat, isWhole, parseBigFloat, truncate } from "./big-float.ts";
import { bigintNumber, integerOf, type NumberValue, numberText, parseNumber } from "./number.ts";

/** Integers of any size are exact; everything else is a binary float with 64 bits of mantissa. */
function binary(
  small: (a: number, b: number) => number,
  exact: (a: bigint, b: bigint) => bigint,
  float: (a: BigFloat, b: BigFloat) => BigFloat,
): (a: NumberValue, b: NumberValue) => NumberValue {
  return (a, b) => {
    if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) {
      const result = small(Number(a), Number(b));
      // Adding 0 turns the -0 of JavaScript's integers into the 0 that is meant.
      if (Number.isSafeInteger(result)) return result + 0;
    }
    const x = integerOf(a);
    const y = x === undefined ? undefined : integerOf(b);
    if (x !== undefined && y !== undefined) return bigintNumber(exact(x, y));
    return fromFloat(float(toFloat(a), toFloat(b)));
  };
}

const toFloat = (value: NumberValue): BigFloat => parseBigFloat(numberText(value));
const fromFloat = (value: BigFloat): NumberValue => parseNumber(formatBigFloat(value));

export const add = binary(
  (a, b) => a + b,
  (a, b) => a + b,
  floats.add,
);
export const subtract = binary(
  (a, b) => a - b,
  (a, b) => a - b,
  floats.subtract,
);
export const multiply = binary(
  (a, b) => a * b,
  (a, b) => a * b,
  floats.multiply,
);

/** Undefined: division by zero. */
export function divide(a: NumberValue, b: NumberValue): NumberValue | undefined {
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b) && b !== 0 && a !== 0) {
    const result = Number(a) / Number(b);
    if (Number.isSafeInteger(result) && Math.abs(Number(a)) < 2 ** 31) return result;
  }
  const divisor = toFloat(b);
  return divisor.mantissa === 0n ? undefined : fromFloat(floats.divide(toFloat(a), divisor));
}

/** The remainder of the division cut towards zero; a message where there is none. */
export function remainder(a: NumberValue, b: NumberValue): NumberValue | string {
  const x = integerOf(a);
  const y = integerOf(b);
  if (x === undefined || y === undefined) return "modulo on floating-point number";
  return y === 0n ? "modulo by zero" : bigintNumber(x % y);
}

const half: BigFloat = { negative: false, mantissa: 1n, exponent: -1 };

/** From a float to a whole number, which is exact however long it is. */
function toWhole(whole: (value: BigFloat) => bigint): (value: NumberValue) => NumberValue {
  return (value) => (Number.isSafeInteger(value) ? value : bigintNumber(whole(toFloat(value))));
}

export const absolute = (value: NumberValue): NumberValue =>
  Number.isSafeInteger(value) ? Math.abs(Number(value)) : fromFloat({ ...toFloat(value), negative: false });

/** Halves go away from zero. */
export const round = toWhole((value) => truncate(value.negative ? floats.subtract(value, half) : floats.add(value, half)));

/** As OPA has it: zero has no sign here, so that -0.5 goes up to 1 and down to 0. */
export const ceil = toWhole((value) => {
  const whole = truncate(value);
  return whole < 0n || isWhole(value) ? whole : whole + 1n;
});

export const floor = toWhole((value) => {
  const whole = truncate(value);
  return whole >= 0n || isWhole(value) ? whole : whole - 1n;
});
