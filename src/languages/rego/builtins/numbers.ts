import { arrayOf, numberType } from "../types/type.ts";
import { bigintNumber } from "../values/number.ts";
import type { Value } from "../values/value.ts";
import type { Builtin, BuiltinContext, BuiltinResult } from "./builtin.ts";
import { memoryOf } from "./memory.ts";
import { bigInteger, binary, failure, integer, string, ternary } from "./operand.ts";

const numbers = arrayOf(numberType);

function range(from: bigint, to: bigint, step: bigint, context: BuiltinContext): readonly Value[] {
  const items: Value[] = [];
  const up = from <= to;
  for (let n = from; up ? n <= to : n >= to; n += up ? step : -step) {
    context.spend(1);
    items.push(bigintNumber(n));
  }
  return items;
}

/** The same number for the same name and bound throughout one evaluation. */
function randomBelow(name: string, bound: number, context: BuiltinContext): BuiltinResult {
  const size = Math.abs(bound);
  if (size === 0) return 0;
  return memoryOf(context, "rand.intn", `${name}-${size}`, () => Math.floor(context.host.random() * size));
}

export const numberBuiltins: readonly Builtin[] = [
  binary("numbers.range", [bigInteger, bigInteger], numbers, (a, b, context) => range(a, b, 1n, context)),
  ternary("numbers.range_step", [bigInteger, bigInteger, bigInteger], numbers, (a, b, step, context) =>
    step <= 0n ? failure("numbers.range_step: step must be a positive integer") : range(a, b, step, context),
  ),
  binary("rand.intn", [string, integer], numberType, randomBelow, { nondeterministic: true }),
];
