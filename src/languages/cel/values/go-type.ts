import { isDouble } from "./numbers.ts";
import { Boxed, Bytes, type CelValue, Duration, isList, isMap, Optional, Timestamp, TypeValue, Uint } from "./value.ts";

/** The Go type of a value, which some of cel-go's messages name. */
export function goTypeOf(value: CelValue): string {
  if (value === null) return "types.Null";
  if (typeof value === "boolean") return "types.Bool";
  if (typeof value === "string") return "types.String";
  if (isDouble(value)) return "types.Double";
  if (typeof value === "number" || typeof value === "bigint") return "types.Int";
  if (value instanceof Uint) return "types.Uint";
  if (value instanceof Bytes) return "types.Bytes";
  if (value instanceof Timestamp) return "types.Timestamp";
  if (value instanceof Duration) return "types.Duration";
  if (value instanceof Optional) return "*types.Optional";
  if (value instanceof TypeValue) return "*types.Type";
  if (isList(value)) return "[]interface {}";
  if (isMap(value)) return "map[string]interface {}";
  return value instanceof Boxed ? value.type.name : "types.Object";
}
