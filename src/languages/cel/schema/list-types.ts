import { isArray, isObject, type JsonPath, type JsonValue, jsonEquals } from "../../../core/json.ts";
import type { StructuralSchema } from "./structural-schema.ts";
import type { SchemaViolation } from "./violation.ts";

const keyed = (item: JsonValue, { items, "x-kubernetes-list-map-keys": keys = [] }: StructuralSchema) =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const value = isObject(item) ? (item[key] ?? items?.properties?.[key]?.default) : undefined;
      return value === undefined ? [] : [[key, value] as const];
    }),
  );

/** Items that stand in a list of type set or map more than once; each is told once, at its second place. */
function inList(list: readonly JsonValue[], schema: StructuralSchema, path: JsonPath): readonly SchemaViolation[] {
  const type = schema["x-kubernetes-list-type"];
  if (type !== "set" && type !== "map") return [];
  const keys = list.map((item) => (type === "set" ? item : keyed(item, schema)));
  return keys.flatMap((key, i): SchemaViolation[] => {
    const before = keys.slice(0, i).filter((other) => jsonEquals(other, key)).length;
    return before === 1 ? [{ path: [...path, i], type: "Duplicate value", value: key, detail: "" }] : [];
  });
}

/** Duplicates in the lists of a value that may hold none. */
export function duplicates(value: JsonValue, schema: StructuralSchema, path: JsonPath): readonly SchemaViolation[] {
  if (isArray(value)) {
    const { items } = schema;
    const inside = items === undefined ? [] : value.flatMap((item, i) => duplicates(item, items, [...path, i]));
    return [...inList(value, schema, path), ...inside];
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) => {
    const inner = schema.properties?.[name] ?? schema.additionalProperties;
    return typeof inner === "object" && item !== undefined ? duplicates(item, inner, [...path, name]) : [];
  });
}
