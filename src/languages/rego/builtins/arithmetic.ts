import { numberType } from "../types/type.ts";
import { absolute, add, ceil, divide, floor, multiply, remainder, round } from "../values/arithmetic.ts";
import { bigintNumber } from "../values/number.ts";
import type { Builtin } from "./builtin.ts";
import { bigInteger, binary, failure, number, operandError, unary } from "./operand.ts";

const two = [number, number] as const;
const twoIntegers = [bigInteger, bigInteger] as const;

/** A shift so long that its result would not fit the memory. */
const longestShift = 1n << 20n;

function shift(name: string, run: (value: bigint, by: bigint) => bigint): Builtin {
  return binary(name, twoIntegers, numberType, (value, by) => {
    if (by < 0n) return operandError(2, "must be an unsigned integer number but got a negative integer");
    if (by > longestShift && name === "bits.lsh") return failure(`cannot shift by more than ${longestShift} bits`);
    return bigintNumber(run(value, by));
  });
}

const bits = (name: string, run: (a: bigint, b: bigint) => bigint): Builtin =>
  binary(name, twoIntegers, numberType, (a, b) => bigintNumber(run(a, b)));

export const arithmeticBuiltins: readonly Builtin[] = [
  binary("plus", two, numberType, add, { infix: "+" }),
  binary("mul", two, numberType, multiply, { infix: "*" }),
  binary("div", two, numberType, (a, b) => divide(a, b) ?? failure("divide by zero"), { infix: "/" }),
  binary(
    "rem",
    two,
    numberType,
    (a, b) => {
      const rest = remainder(a, b);
      return typeof rest === "string" ? failure(rest) : rest;
    },
    { infix: "%" },
  ),
  unary("abs", number, numberType, absolute),
  unary("round", number, numberType, round),
  unary("ceil", number, numberType, ceil),
  unary("floor", number, numberType, floor),
  bits("bits.and", (a, b) => a & b),
  bits("bits.or", (a, b) => a | b),
  bits("bits.xor", (a, b) => a ^ b),
  unary("bits.negate", bigInteger, numberType, (a) => bigintNumber(~a)),
  shift("bits.lsh", (value, by) => value << by),
  shift("bits.rsh", (value, by) => value >> by),
];
