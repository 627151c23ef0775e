import { anyOf, anyType, booleanType, objectOf, stringType, tuple } from "../../types/type.ts";
import { RegoObject, type Value } from "../../values/value.ts";
import type { Builtin, BuiltinError } from "../builtin.ts";
import { any, binary, failure, isError, string, typeError, unary } from "../operand.ts";
import { GraphqlProblem, type Node } from "./node.ts";
import { parseQuery } from "./query-parser.ts";
import { type Schema, schemaOf } from "./schema.ts";
import { parseSchemaDocument } from "./schema-parser.ts";
import { validateQuery } from "./validate.ts";

function attempt<T>(run: () => T, isRule = false): T | BuiltinError {
  try {
    return run();
  } catch (problem) {
    if (problem instanceof GraphqlProblem) return failure(problem.describe(isRule));
    throw problem;
  }
}

/** A document as it is, or read from text. */
function documentOf(value: Value, position: number, parse: (text: string) => Node): Node | BuiltinError {
  if (typeof value === "string") return attempt(() => parse(value));
  return value instanceof RegoObject ? value : typeError(position, value, "string", "object");
}

interface Checked {
  readonly query: Node;
  readonly schema: Node;
}

/** A query that holds against a schema. */
function check(queryValue: Value, schemaValue: Value): Checked | BuiltinError {
  const query = documentOf(queryValue, 0, parseQuery);
  if (isError(query)) return query;
  const document = documentOf(schemaValue, 1, parseSchemaDocument);
  if (isError(document)) return document;
  const schema = convert(document);
  if (isError(schema)) return schema;
  const verdict = attempt(() => validateQuery(schema, query), true);
  return isError(verdict) ? verdict : { query, schema: document };
}

function convert(document: Node): Schema | BuiltinError {
  try {
    return schemaOf(document);
  } catch (problem) {
    if (!(problem instanceof GraphqlProblem)) throw problem;
    const { message, place } = problem;
    const at = place === undefined ? "input" : `input:${place.line}:${place.column}`;
    return failure(`Error in gqlparser SchemaDocument to Schema conversion: ${at}: ${message}`);
  }
}

const members = objectOf(anyType, anyType);
const document = { ...any, type: anyOf(stringType, members) };

export const graphqlBuiltins: readonly Builtin[] = [
  unary("graphql.parse_query", string, members, (text) => attempt(() => parseQuery(text))),
  unary("graphql.parse_schema", string, members, (text) => attempt(() => parseSchemaDocument(text))),
  binary("graphql.parse", [document, document], tuple(members, members), (query, schema) => {
    const checked = check(query, schema);
    return isError(checked) ? checked : [checked.query, checked.schema];
  }),
  binary("graphql.parse_and_verify", [document, document], tuple(booleanType, members, members), (query, schema) => {
    const checked = check(query, schema);
    return isError(checked) ? [false, RegoObject.empty, RegoObject.empty] : [true, checked.query, checked.schema];
  }),
  binary("graphql.is_valid", [document, document], booleanType, (query, schema) => !isError(check(query, schema))),
  unary("graphql.schema_is_valid", document, booleanType, (schema) => {
    const parsed = documentOf(schema, 0, parseSchemaDocument);
    return !isError(parsed) && !isError(convert(parsed));
  }),
];
