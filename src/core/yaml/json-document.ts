import { isArray, type JsonValue } from "../json.ts";

/** Deeper documents are left to the readers that say where they stop. */
const maximumDepth = 20;

/** The value, and where its text begins. */
export interface JsonDocument {
  readonly value: JsonValue;
  readonly start: number;
}

/**
 * A YAML document that is one JSON object or list and means the same read as either, by the platform's own reader, which
 * is many times faster than any of ours. Undefined for every other document, and where that reader would hide something:
 * keys that stand twice, integers beyond 2^53, minus zero.
 */
export function readJsonDocument(text: string, start: number, end: number): JsonDocument | undefined {
  let from = text.startsWith("---", start) ? start + 3 : start;
  while (isSpace(text.charCodeAt(from))) from++;
  const first = text.charCodeAt(from);
  if (first !== 123 && first !== 91) return undefined;
  const source = text.slice(from, end);
  // YAML wants the colon right behind a key.
  if (/"\s+:/.test(source)) return undefined;
  let value: JsonValue;
  try {
    value = JSON.parse(source);
  } catch {
    return undefined;
  }
  // A text such as ":8080" counts as a key, too: then there seem to be more keys than were read.
  return countKeys(value, 0) === countColons(source) ? { value, start: from } : undefined;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13;
}

function countColons(source: string): number {
  let count = 0;
  for (let at = source.indexOf('":'); at >= 0; at = source.indexOf('":', at + 2)) count++;
  return count;
}

/** How many members the objects of a value have; NaN where it holds what `JSON.parse` may have changed. */
function countKeys(value: JsonValue | undefined, depth: number): number {
  if (typeof value === "number") {
    return (Number.isInteger(value) && !Number.isSafeInteger(value)) || Object.is(value, -0) ? Number.NaN : 0;
  }
  if (typeof value !== "object" || value === null) return 0;
  if (depth >= maximumDepth) return Number.NaN;
  let count = 0;
  if (isArray(value)) {
    for (const item of value) count += countKeys(item, depth + 1);
  } else {
    for (const key of Object.keys(value)) count += 1 + countKeys(value[key], depth + 1);
  }
  return count;
}
