import type { JsonPath, JsonValue } from "../../../core/json.ts";
import type { Schema } from "../../../core/schema.ts";

/** Where an object and its schema disagree. */
export type FieldProblem =
  | {
      readonly kind: "unknown";
      readonly path: JsonPath;
      readonly key: string;
      readonly parent: Schema;
      readonly value: JsonValue;
    }
  | { readonly kind: "type"; readonly path: JsonPath; readonly expected: string; readonly value: JsonValue }
  | { readonly kind: "enum"; readonly path: JsonPath; readonly allowed: readonly JsonValue[]; readonly value: JsonValue }
  | {
      readonly kind: "format";
      readonly path: JsonPath;
      readonly format: "byte" | "quantity" | "int32" | "int64";
      readonly value: JsonValue;
      readonly reason: string;
    }
  /** `path` is the object that lacks the field. */
  | { readonly kind: "missing"; readonly path: JsonPath; readonly key: string; readonly parent: Schema };

export interface UnknownField {
  readonly kind: "unknown";
  readonly path: JsonPath;
  readonly key: string;
  readonly parent: Schema;
  readonly value: JsonValue;
}
