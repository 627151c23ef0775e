import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";

/** Rows taken out of Go tests hold calls as `{"$call": name, "args": [...]}` and other names as `{"$go": text}`. */
export function callOf(value: JsonValue | undefined): { readonly name: string; readonly args: readonly JsonValue[] } | undefined {
  if (!isObject(value) || typeof value["$call"] !== "string") return undefined;
  const args = value["args"];
  return { name: value["$call"], args: isArray(args) ? args : [] };
}

export function goName(value: JsonValue | undefined): string | undefined {
  return isObject(value) && typeof value["$go"] === "string" ? value["$go"] : undefined;
}

export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (isArray(value)) return value;
  const elements = isObject(value) ? value["$elts"] : undefined;
  return isArray(elements) ? elements : [];
}

/** The members of a Go struct or map. */
export function fieldsOf(value: JsonValue | undefined): JsonObject {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== "$type"));
}
