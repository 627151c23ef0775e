import type { MapKey } from "../values/map-key.ts";
import type { Value } from "../values/value.ts";
import type { BuiltinContext } from "./builtin.ts";

/** What `builtin` made of `key` before in this evaluation, else what it makes of it now. */
export function memoryOf(context: BuiltinContext, builtin: string, key: MapKey, make: () => Value): Value {
  const known = context.memory.get(builtin) ?? new Map<MapKey, Value>();
  context.memory.set(builtin, known);
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
