import { anyOf, anyType, arrayOf, booleanType, nullType, objectOf, record, stringType, tuple } from "../../types/type.ts";
import { formatJson } from "../../values/json.ts";
import { parseJson } from "../../values/json-parser.ts";
import { RegoObject, type Value } from "../../values/value.ts";
import type { Builtin, BuiltinError, BuiltinResult } from "../builtin.ts";
import { any, binary, failure, isArray, isError, unary } from "../operand.ts";
import { compileSchema } from "./compile.ts";
import { SchemaProblem, type SchemaResult } from "./result.ts";

/** A document: JSON text, or an object or array, whose sets are arrays then. */
function documentOf(value: Value): Value | BuiltinError {
  if (typeof value === "string") {
    const parsed = parseJson(value);
    return parsed.ok ? parsed.value : failure("invalid JSON string");
  }
  if (value instanceof RegoObject || isArray(value)) return documentOf(formatJson(value));
  return failure("wrong type, expected string or object");
}

function compile(schema: Value): ((value: Value) => SchemaResult) | BuiltinError {
  try {
    return compileSchema(schema);
  } catch (problem) {
    if (problem instanceof SchemaProblem) return failure(problem.message);
    throw problem;
  }
}

function matchSchema(document: Value, schema: Value): BuiltinResult {
  const value = documentOf(document);
  if (isError(value)) return value;
  const schemaValue = documentOf(schema);
  if (isError(schemaValue)) return schemaValue;
  const check = compile(schemaValue);
  if (isError(check)) return check;
  const result = check(value);
  return [result.isValid, result.toValue()];
}

function verifySchema(schema: Value): BuiltinResult {
  const value = documentOf(schema);
  const check = isError(value) ? value : compile(value);
  return isError(check) ? [false, `jsonschema: ${check.message}`] : [true, null];
}

const document = { ...any, type: anyOf(stringType, objectOf(anyType, anyType)) };
const errorType = record({ error: stringType, type: stringType, field: stringType, desc: stringType });

export const schemaBuiltins: readonly Builtin[] = [
  binary("json.match_schema", [document, document], tuple(booleanType, arrayOf(errorType)), matchSchema, {
    nondeterministic: true,
  }),
  unary("json.verify_schema", document, tuple(booleanType, anyOf(nullType, stringType)), verifySchema, {
    nondeterministic: true,
  }),
];
