import { anyType, arrayOf } from "../types/type.ts";
import type { Value } from "../values/value.ts";
import type { Builtin } from "./builtin.ts";
import { array, binary, integer, isArray, ternary, unary } from "./operand.ts";

const anyArray = arrayOf(anyType);

function slice(items: readonly Value[], start: number, stop: number): readonly Value[] {
  const end = Math.min(Math.max(stop, 0), items.length);
  return items.slice(Math.min(Math.max(start, 0), end), end);
}

export const arrayBuiltins: readonly Builtin[] = [
  binary("array.concat", [array, array], anyArray, (a, b) => [...a, ...b]),
  unary("array.flatten", array, anyArray, (items) => items.flatMap((item) => (isArray(item) ? item : [item]))),
  unary("array.reverse", array, anyArray, (items) => items.toReversed()),
  ternary("array.slice", [array, integer, integer], anyArray, slice),
];
