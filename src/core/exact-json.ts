import type { JsonValue } from "./json.ts";
import { JsonReader } from "./yaml/json-text.ts";

/** The value of one JSON text; 64-bit integers keep their digits. Throws where it is none. */
export function parseExactJson(text: string): JsonValue {
  // 64-bit integers have 16 digits at least; without any such run where a number may begin the platform's parser loses nothing.
  return /(?:^|[:,[\s])-?[0-9]{16}/.test(text) ? (new JsonReader(text).next()?.value ?? null) : JSON.parse(text);
}

/**
 * The value of one JSON text of which every reader sees the same; undefined for all else. Where an object says a member twice some take
 * the last, and Go's decoder merges them.
 */
export function parseUnambiguousJson(text: string): JsonValue | undefined {
  try {
    const reader = new JsonReader(text);
    const item = reader.next();
    return reader.duplicates.length > 0 || reader.next() !== undefined ? undefined : item?.value;
  } catch {
    return undefined;
  }
}

/** JSON text without spaces in which bigints are integers. */
export function writeExactJson(value: JsonValue): string {
  try {
    return JSON.stringify(value);
  } catch {
    return write(value);
  }
}

function write(value: JsonValue | undefined): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => write(item)).join(",")}]`;
  const members = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [`${JSON.stringify(key)}:${write(item)}`],
  );
  return `{${members.join(",")}}`;
}
