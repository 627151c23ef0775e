import { isArray, type JsonValue } from "./json.ts";

/**
 * The one text of a JSON value: members sorted by UTF-16 code units, no spaces, strings as JSON writes them (RFC 8785).
 * Integers beyond ±(2^53 - 1) keep all their digits, where RFC 8785 would round them.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} is no JSON number`);
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    if (item !== undefined) members.push(`${JSON.stringify(key.toWellFormed())}:${canonicalJson(item)}`);
  }
  return `{${members.join(",")}}`;
}
