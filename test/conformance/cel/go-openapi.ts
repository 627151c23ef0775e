import { isObject, type JsonObject, type JsonValue, member } from "../../../src/core/json.ts";
import type { CelSchema } from "../../../src/languages/cel/schema/schema.ts";
import { fieldsOf, goName, listOf } from "./go-literal.ts";
import { NotData } from "./go-schema.ts";

const text: CelSchema = { type: "string" };
const int64: CelSchema = { type: "integer", format: "int64" };

/** Schemas that the tests of OpenAPI types name. */
const known: { readonly [name: string]: CelSchema } = {
  "spec.StringProperty()": text,
  "spec.Int64Property()": int64,
  stringSchema: text,
  bytesFormat: { type: "string", format: "byte" },
  durationFormat: { type: "string", format: "duration" },
  timeFormat: { type: "string", format: "date-time" },
  int32Schema: { type: "integer", format: "int32" },
  int64Schema: int64,
  boolSchema: { type: "boolean" },
  float32Schema: { type: "number", format: "float" },
  float64Schema: { type: "number", format: "double" },
  stringArraySchema: { type: "array", items: text },
  intArraySchema: { type: "array", items: int64 },
  stringMapSchema: { type: "object", additionalProperties: text },
  intMapSchema: { type: "object", additionalProperties: int64 },
};

function named(source: string): CelSchema {
  const name = source.replace(/^[*&]/, "");
  if (name === "intOrStringSchema") return { "x-kubernetes-int-or-string": true };
  const inner = /^(\w+Schema)\.SchemaProps$/.exec(name)?.[1];
  const found = known[inner ?? name] ?? structs[inner ?? name];
  if (found === undefined) throw new NotData(`${source} is not known`);
  return found;
}

const structProperties = { s: text, i: int64, b: { type: "boolean" }, f: { type: "number", format: "double" } };

/** The schema of the tests' plain struct. */
const structSchema: CelSchema = {
  type: "object",
  properties: {
    apiVersion: text,
    kind: text,
    metadata: { type: "object", properties: { name: text } },
    ...structProperties,
    so: text,
    io: int64,
    bo: { type: "boolean" },
    fo: { type: "number", format: "double" },
  },
};

const structs: { readonly [name: string]: CelSchema } = {
  structSchema,
  nestedSchema: { type: "object", properties: { name: text, info: structSchema } },
  structArraySchema: { type: "array", items: structSchema },
};

function properties(value: JsonValue | undefined): { readonly properties?: { readonly [name: string]: CelSchema } } {
  const members = Object.entries(fieldsOf(value)).map(([name, inner]) => [name, openApiSchema(inner)] as const);
  return members.length === 0 ? {} : { properties: Object.fromEntries(members) };
}

function additional(value: JsonValue | undefined): CelSchema | boolean | undefined {
  if (!isObject(value)) return undefined;
  return value["Schema"] === undefined ? value["Allows"] === true : openApiSchema(value["Schema"]);
}

function extensions(value: JsonValue | undefined): JsonObject {
  const name = goName(value);
  if (name !== undefined) return name === "intOrStringSchema" ? { "x-kubernetes-int-or-string": true } : {};
  const { "x-kubernetes-list-map-keys": keys, ...rest } = fieldsOf(member(value, "Extensions"));
  return keys === undefined ? rest : { ...rest, "x-kubernetes-list-map-keys": listOf(keys) };
}

/** A literal of kube-openapi's `spec.Schema`. */
export function openApiSchema(value: JsonValue | undefined): CelSchema {
  const name = goName(value) ?? (isObject(value) && typeof value["$call"] === "string" ? `${value["$call"]}()` : undefined);
  if (name !== undefined) return named(name);
  const { SchemaProps, VendorExtensible } = fieldsOf(value);
  const source = goName(SchemaProps);
  const props = source === undefined ? fieldsOf(SchemaProps) : {};
  const [type] = listOf(props["Type"]);
  const items = member(props["Items"], "Schema");
  const rest = additional(props["AdditionalProperties"]);
  return {
    ...(source === undefined ? {} : named(source)),
    ...(typeof type === "string" ? { type } : {}),
    ...(typeof props["Format"] === "string" ? { format: props["Format"] } : {}),
    ...properties(props["Properties"]),
    ...(items === undefined ? {} : { items: openApiSchema(items) }),
    ...(rest === undefined ? {} : { additionalProperties: rest }),
    ...extensions(VendorExtensible),
  };
}
