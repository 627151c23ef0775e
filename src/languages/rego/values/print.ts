import { quoteGo } from "../../../core/go-quote.ts";
import { numberText, RegoNumber } from "./number.ts";
import { rawByte } from "./text.ts";
import { RegoObject, type Value } from "./value.ts";

/** A text in double quotes, as Go's strconv.Quote. */
export function quote(text: string): string {
  if (text.isWellFormed()) return quoteGo(text);
  const parts = Array.from(text, (char) => {
    const byte = rawByte(char);
    return byte === undefined ? quoteGo(char).slice(1, -1) : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${parts.join("")}"`;
}

/** The value as OPA prints terms: `{"a": [1, true]}`, `{1, 2}`, `set()`. */
export function printValue(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" || value instanceof RegoNumber) return numberText(value);
  if (typeof value === "boolean") return String(value);
  if (isList(value)) return `[${printAll(value)}]`;
  if (value instanceof RegoObject) {
    const members = value.sorted().map((m) => `${printValue(m.key)}: ${printValue(m.value)}`);
    return `{${members.join(", ")}}`;
  }
  return value.size === 0 ? "set()" : `{${printAll(value.sorted())}}`;
}

function printAll(values: readonly Value[]): string {
  let text = "";
  for (const value of values) text += text === "" ? printValue(value) : `, ${printValue(value)}`;
  return text;
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** The kind of a value as error messages name it. */
export function kindOf(value: Value): "null" | "boolean" | "number" | "string" | "array" | "object" | "set" {
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "string" || typeof value === "number") return kindOfScalar(value);
  if (value instanceof RegoNumber) return "number";
  if (isList(value)) return "array";
  return value instanceof RegoObject ? "object" : "set";
}

function kindOfScalar(value: boolean | string | number): "boolean" | "string" | "number" {
  return typeof value === "string" ? "string" : typeof value === "number" ? "number" : "boolean";
}
