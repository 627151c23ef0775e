import { isArray, isObject, type JsonPath, type JsonValue } from "../../core/json.ts";
import { gvkOf, type KubernetesObject } from "../../core/kubernetes.ts";
import type { KubernetesSchemas, Schema } from "../../core/schema.ts";

/** `spec.containers[0].image` */
function dotted(path: JsonPath): string {
  return path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("");
}

function kindOf(value: JsonValue): string {
  if (isArray(value)) return "array";
  if (isObject(value)) return "object";
  return typeof value === "boolean" ? "bool" : typeof value === "string" ? "string" : "number";
}

/** Numbers stand for some strings, too: quantities. */
const fitting: { readonly [type: string]: readonly string[] } = {
  object: ["object"],
  array: ["array"],
  integer: ["number"],
  number: ["number"],
  boolean: ["bool"],
  string: ["string", "number"],
};

/** Why Go could not decode an object of a built-in kind into its struct. */
class Decoding {
  readonly unknown: string[] = [];
  wrong: string | undefined;
  readonly #schemas: KubernetesSchemas;

  constructor(schemas: KubernetesSchemas) {
    this.#schemas = schemas;
  }

  read(value: JsonValue, schema: Schema | undefined, path: JsonPath): void {
    if (schema === undefined || value === null || schema["x-kubernetes-int-or-string"] === true) return;
    const { type } = schema;
    if (type !== undefined && fitting[type]?.includes(kindOf(value)) === false) {
      this.wrong ??= `json: cannot unmarshal ${kindOf(value)} into Go struct field ${dotted(path)}`;
    } else if (isArray(value)) {
      for (const [i, item] of value.entries()) this.read(item, this.#schemas.child(schema, i), [...path, i]);
    } else if (isObject(value)) this.#members(value, schema, path);
  }

  #members(value: { readonly [name: string]: JsonValue | undefined }, schema: Schema, path: JsonPath): void {
    const { properties, additionalProperties } = schema;
    for (const [name, inner] of Object.entries(value)) {
      const known = properties === undefined || additionalProperties !== undefined || Object.hasOwn(properties, name);
      if (!known) this.unknown.push(`unknown field "${dotted([...path, name])}"`);
      else if (inner !== undefined) this.read(inner, this.#schemas.child(schema, name), [...path, name]);
    }
  }
}

/** Why the API server cannot decode what a patch made of an object of a built-in kind; undefined where it can. */
export function decodingProblem(object: KubernetesObject, schemas: KubernetesSchemas | undefined): string | undefined {
  const gvk = gvkOf(object);
  if (schemas === undefined || !schemas.builtInGroups().has(gvk.group)) return undefined;
  const decoding = new Decoding(schemas);
  decoding.read(object, schemas.schemaFor(gvk), []);
  if (decoding.wrong !== undefined) return decoding.wrong;
  return decoding.unknown.length === 0 ? undefined : `strict decoding error: ${decoding.unknown.join(", ")}`;
}
