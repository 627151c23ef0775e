import { isArray, type JsonObject, type JsonValue } from "./json.ts";

/**
 * The one text of a JSON value: members sorted by UTF-16 code units, no spaces, strings as JSON writes them (RFC 8785).
 * Integers beyond ±(2^53 - 1) keep all their digits, where RFC 8785 would round them.
 */
export function canonicalJson(value: JsonValue): string {
  const ordered = isInOrder(value) ? value : inOrder(value);
  if (ordered === undefined) return write(value);
  const text = JSON.stringify(ordered);
  // Half a surrogate pair is an escape here, and the replacement character in the canonical text.
  return text.includes("\\ud") ? write(value) : text;
}

/** Whether the platform's writer writes the canonical text as it is: who makes records names their members in order. */
function isInOrder(value: JsonValue | undefined): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "bigint") return false;
  if (typeof value !== "object" || value === null) return true;
  if (isArray(value)) return value.every(isInOrder);
  const keys = Object.keys(value);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? "";
    if ((i > 0 && (keys[i - 1] ?? "") > key) || !isInOrder(value[key])) return false;
  }
  return true;
}

/** The value with sorted members, for the platform's writer; undefined where that would not write the canonical text. */
function inOrder(value: JsonValue): JsonValue | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "bigint") return undefined;
  if (typeof value !== "object" || value === null) return value;
  return isArray(value) ? itemsInOrder(value) : membersInOrder(value);
}

function itemsInOrder(items: readonly JsonValue[]): readonly JsonValue[] | undefined {
  const ordered: JsonValue[] = [];
  for (const item of items) {
    const next = inOrder(item);
    if (next === undefined) return undefined;
    ordered.push(next);
  }
  return ordered;
}

/** Indexes come first in every object, and `__proto__` is no member that can be set. */
function isUnsortable(key: string): boolean {
  const first = key.charCodeAt(0);
  return (first >= 48 && first <= 57) || key === "__proto__";
}

function membersInOrder(object: JsonObject): JsonObject | undefined {
  const ordered: { [key: string]: JsonValue } = {};
  for (const key of sorted(Object.keys(object))) {
    const item = object[key];
    if (item === undefined) continue;
    const next = isUnsortable(key) ? undefined : inOrder(item);
    if (next === undefined) return undefined;
    ordered[key] = next;
  }
  return ordered;
}

/** Most objects are sorted already, and finding that out costs less than sorting. */
function sorted(keys: string[]): readonly string[] {
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] ?? "") > (keys[i] ?? "")) return keys.sort();
  return keys;
}

function write(value: JsonValue): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} is no JSON number`);
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isArray(value)) return `[${value.map(write).join(",")}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    if (item !== undefined) members.push(`${JSON.stringify(key.toWellFormed())}:${write(item)}`);
  }
  return `{${members.join(",")}}`;
}
