import { isArray, isObject, type JsonObject, type JsonValue } from "../../../core/json.ts";
import type { StructuralSchema } from "./structural-schema.ts";

/** A null where none is allowed stands for nothing. */
const isMissing = (value: JsonValue | undefined, schema: StructuralSchema): boolean =>
  value === undefined || (value === null && schema.nullable !== true);

function membersWithDefaults(value: JsonObject, schema: StructuralSchema): JsonObject {
  const members: { [name: string]: JsonValue | undefined } = {};
  const values = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  for (const [name, item] of Object.entries(value)) {
    const inner = schema.properties?.[name] ?? values;
    if (item === undefined) continue;
    if (inner === undefined) members[name] = item;
    else if (!isMissing(item, inner) || inner.default === undefined) {
      // The API server drops a null that has no default, too.
      if (item === null && inner.nullable !== true) continue;
      members[name] = withDefaults(item, inner);
    }
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (members[name] === undefined && inner.default !== undefined) members[name] = withDefaults(inner.default, inner);
  }
  return members;
}

/** The value as the API server stores it: with the defaults of its schema. */
export function withDefaults(value: JsonValue, schema: StructuralSchema): JsonValue {
  if (isObject(value)) return membersWithDefaults(value, schema);
  const { items } = schema;
  if (!isArray(value) || items === undefined) return value;
  return value.map((item) => withDefaults(item === null && isMissing(item, items) ? (items.default ?? item) : item, items));
}
