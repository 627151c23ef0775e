import { anyType, arrayOf, tuple } from "../types/type.ts";
import { RegoObject, type Value } from "../values/value.ts";
import type { Builtin, BuiltinContext } from "./builtin.ts";
import { any, isArray, isSet, unary } from "./operand.ts";

/** The value and everything inside it, each with its path, from the outside in. */
function* walk(path: readonly Value[], value: Value, context: BuiltinContext): Generator<Value> {
  context.spend(1);
  yield [path, value];
  if (isArray(value)) {
    for (const [index, item] of value.entries()) yield* walk([...path, index], item, context);
  } else if (value instanceof RegoObject) {
    for (const { key, value: member } of value.sorted()) yield* walk([...path, key], member, context);
  } else if (isSet(value)) {
    for (const item of value.sorted()) yield* walk([...path, item], item, context);
  }
}

export const walkBuiltin: Builtin = {
  ...unary("walk", any, tuple(arrayOf(anyType), anyType), () => undefined),
  relation: ([value = null], context) => walk([], value, context),
};
