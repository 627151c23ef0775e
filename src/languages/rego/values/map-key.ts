import { RegoNumber } from "./number.ts";
import { RegoObject, type Value } from "./value.ts";

/** What stands for a value in a Map: equal values have the same key, different values different ones. */
export type MapKey = null | boolean | number | string;

const mark = "\u0000";

/** Scalars are their own keys; composites and big numbers are a marked text, and so is a string that begins like one. */
export function mapKey(value: Value): MapKey {
  if (typeof value === "string") return value.charCodeAt(0) === 0 ? `${mark}s${value}` : value;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof RegoNumber) return typeof value.key === "number" ? value.key : mark + value.key;
  return mark + encode(value);
}

/** No encoding is the beginning of another, so sequences of them stay unambiguous. */
function encode(value: Value): string {
  if (value === null) return "0";
  if (typeof value === "boolean") return value ? "t" : "f";
  if (typeof value === "number") return `n${value};`;
  if (typeof value === "string") return `s${value.length}:${value}`;
  if (value instanceof RegoNumber) return `n${value.key};`;
  if (Array.isArray(value)) return `[${value.map(encode).join("")}]`;
  if (value instanceof RegoObject)
    return `{${value
      .sorted()
      .map((m) => encode(m.key) + encode(m.value))
      .join("")}}`;
  return `<${"sorted" in value ? value.sorted().map(encode).join("") : ""}>`;
}
