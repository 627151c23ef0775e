import { isArray, isObject, type JsonPath, type JsonValue } from "../../../core/json.ts";
import { parseQuantity } from "../../../core/quantity.ts";
import type { Schema } from "../../../core/schema.ts";
import { illegalBase64At } from "./base64.ts";
import { isFlowPlaceholder, isTemplate } from "./placeholder.ts";
import type { FieldProblem } from "./problem.ts";

/** What the API server's decoder or validation refuses about a value that is neither object nor list. */
export function scalarProblem(value: JsonValue, schema: Schema, path: JsonPath): FieldProblem | undefined {
  if (typeof value === "string" ? isTemplate(value) : isFlowPlaceholder(value)) return undefined;
  if (schema["x-kubernetes-int-or-string"] === true) {
    const fits = typeof value === "string" || isInteger(value);
    return fits ? undefined : wrongType("integer or string", value, path);
  }
  if (schema.format === "quantity") return quantityProblem(value, path);
  return typeProblem(value, schema, path) ?? formatProblem(value, schema, path) ?? enumProblem(value, schema, path);
}

function typeProblem(value: JsonValue, schema: Schema, path: JsonPath): FieldProblem | undefined {
  switch (schema.type) {
    case "string":
      // Go reads an empty list as no bytes.
      if (schema.format === "byte" && isArray(value) && value.length === 0) return undefined;
      return typeof value === "string" ? undefined : wrongType("string", value, path);
    case "boolean":
      return typeof value === "boolean" ? undefined : wrongType("boolean", value, path);
    case "integer":
      return isInteger(value) ? undefined : wrongType("integer", value, path);
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? undefined : wrongType("number", value, path);
    default:
      return undefined;
  }
}

function formatProblem(value: JsonValue, schema: Schema, path: JsonPath): FieldProblem | undefined {
  switch (schema.format) {
    case "byte": {
      const offset = typeof value === "string" ? illegalBase64At(value) : undefined;
      const reason = `illegal base64 data at input byte ${offset}`;
      return offset === undefined ? undefined : { kind: "format", path: [...path], format: "byte", value, reason };
    }
    case "int32":
      return rangeProblem(value, path, "int32", 31n);
    case "int64":
      return rangeProblem(value, path, "int64", 63n);
    default:
      return undefined;
  }
}

function rangeProblem(value: JsonValue, path: JsonPath, format: "int32" | "int64", bits: bigint): FieldProblem | undefined {
  if (!isInteger(value) || (typeof value === "number" && Math.abs(value) < 2 ** 31)) return undefined;
  const exact = BigInt(value);
  const limit = 1n << bits;
  if (exact < limit && exact >= -limit) return undefined;
  return { kind: "format", path: [...path], format, value, reason: `the number does not fit into ${format}` };
}

function quantityProblem(value: JsonValue, path: JsonPath): FieldProblem | undefined {
  if (typeof value === "number" || typeof value === "bigint") return undefined;
  if (typeof value !== "string") return wrongType("quantity", value, path);
  if (parseQuantity(value.trim()) !== undefined) return undefined;
  return { kind: "format", path: [...path], format: "quantity", value, reason: "it is no quantity" };
}

/** An empty string is an absent field, for which the server fills in a default; in a list it is a value. */
function enumProblem(value: JsonValue, schema: Schema, path: JsonPath): FieldProblem | undefined {
  if (schema.enum === undefined || schema.enum.includes(value)) return undefined;
  if (value === "" && typeof path.at(-1) === "string") return undefined;
  return { kind: "enum", path: [...path], allowed: schema.enum, value };
}

function isInteger(value: JsonValue): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
}

function wrongType(expected: string, value: JsonValue, path: JsonPath): FieldProblem {
  return { kind: "type", path: [...path], expected, value };
}

/** `the string "8080"`, `a list`: a value as a message names it. */
export function describeValue(value: JsonValue): string {
  if (value === null) return "null";
  if (isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  if (typeof value === "string") return `the string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)}`;
  if (typeof value === "boolean") return `the boolean ${value}`;
  return `the number ${value}`;
}
