import { quoteGo } from "../../../core/go-quote.ts";
import type { JsonPath, JsonValue } from "../../../core/json.ts";

/** Why an API server refuses an object, by field. */
export interface SchemaViolation {
  readonly path: JsonPath;
  readonly type:
    | "Invalid value"
    | "Required value"
    | "Unsupported value"
    | "Duplicate value"
    | "Too long"
    | "Too many"
    | "Forbidden"
    | "Internal error";
  /** The error names the whole object, and the field in its text only. */
  readonly ofWhole?: true;
  /** A value of another type than it should be: no rule is asked about such an object. */
  readonly wrongType?: true;
  /** Undefined where the error shows no value. */
  readonly value?: JsonValue | undefined;
  readonly detail: string;
}

/** `spec.list[0].name`, and `spec.map[key]` for the keys of maps. */
export function fieldPath(path: JsonPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

const shown = (value: JsonValue): string => {
  if (typeof value === "string") return quoteGo(value);
  return JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item));
};

/** The error as the API server prints it. */
export function describeViolation({ path, type, value, detail, ofWhole }: SchemaViolation): string {
  const about = value === undefined ? "" : `: ${shown(value)}`;
  return `${(ofWhole === true ? "" : fieldPath(path)) || "<nil>"}: ${type}${about}${detail === "" ? "" : `: ${detail}`}`;
}
