import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { compareStrings } from "./compare.ts";
import { floatOf, integerOf, numberText, RegoNumber } from "./number.ts";
import { RegoObject, type Value } from "./value.ts";

/**
 * The value as JSON: sets are arrays in their order, keys that are no strings are their JSON texts. Numbers that
 * JavaScript cannot carry become bigint where they are integers, else the nearest float64 (`formatJson` keeps them).
 */
export function toJson(value: Value): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof RegoNumber) {
    const integer = integerOf(value);
    if (integer === undefined) return floatOf(value);
    return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
  }
  if (isList(value)) return value.map(toJson);
  if (!(value instanceof RegoObject)) return value.sorted().map(toJson);
  const json: { [key: string]: JsonValue } = {};
  for (const { key, value: member } of value.sorted()) setOwn(json, keyText(key), toJson(member));
  return json satisfies JsonObject;
}

/** Assigning to `__proto__` would lose the member. */
function setOwn(object: { [key: string]: JsonValue }, key: string, value: JsonValue): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** The name of a member in JSON. */
export function keyText(key: Value): string {
  return typeof key === "string" ? key : formatJson(key);
}

/** The members of an object by their JSON names, in Go's order; of two that share a name the later one counts. */
export function jsonMembers(object: RegoObject): readonly (readonly [string, Value])[] {
  const members = new Map(object.sorted().map(({ key, value }) => [keyText(key), value]));
  return [...members].sort(([a], [b]) => compareStrings(a, b));
}

/** JSON without spaces, as Go's encoding/json writes it: members sorted, `<`, `>` and `&` escaped. */
export function formatJson(value: Value): string {
  if (typeof value === "string") return quoteJson(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number" || value instanceof RegoNumber) return numberText(value);
  if (isList(value)) return `[${value.map(formatJson).join(",")}]`;
  if (!(value instanceof RegoObject)) return `[${value.sorted().map(formatJson).join(",")}]`;
  return `{${jsonMembers(value)
    .map(([key, member]) => `${quoteJson(key)}:${formatJson(member)}`)
    .join(",")}}`;
}

/** JSON over several lines, as Go's json.MarshalIndent writes it. */
export function formatJsonIndented(value: Value, prefix: string, indent: string, depth = 0): string {
  const line = `\n${prefix}${indent.repeat(depth + 1)}`;
  const last = `\n${prefix}${indent.repeat(depth)}`;
  const inner = (v: Value) => formatJsonIndented(v, prefix, indent, depth + 1);
  if (value === null || typeof value !== "object" || value instanceof RegoNumber) return formatJson(value);
  if (value instanceof RegoObject) {
    const members = jsonMembers(value).map(([key, member]) => `${quoteJson(key)}: ${inner(member)}`);
    return members.length === 0 ? "{}" : `{${line}${members.join(`,${line}`)}${last}}`;
  }
  const items = (isList(value) ? value : value.sorted()).map(inner);
  return items.length === 0 ? "[]" : `[${line}${items.join(`,${line}`)}${last}]`;
}

function quoteJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(/[<>&\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
