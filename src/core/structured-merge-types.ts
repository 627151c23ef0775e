import { formatGoValue } from "./go-format.ts";
import { quoteGo } from "./go-quote.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "./json.ts";
import type { KubernetesSchemas, Schema } from "./schema.ts";

/** As Go prints the value that did not fit. */
function shown(value: JsonValue): string {
  return value === null ? "&{NULL_VALUE}" : `&{${formatGoValue(value)}}`;
}

function goType(value: JsonValue): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  return isArray(value) ? "[]interface {}" : "map[string]interface {}";
}

function goSyntax(value: JsonValue): string {
  const plain = value === null ? "0" : typeof value === "object" ? formatGoValue(value) : String(value);
  return `&value.valueUnstructured{Value:${plain}}`;
}

const isNumber = (value: JsonValue): boolean => typeof value === "number" || typeof value === "bigint";

/** What is wrong with a configuration by the types of a schema, in the words of sigs.k8s.io/structured-merge-diff. */
class TypeCheck {
  readonly problems: string[] = [];
  readonly #schemas: KubernetesSchemas;
  readonly #builtIn: boolean;

  constructor(schemas: KubernetesSchemas, builtIn: boolean) {
    this.#schemas = schemas;
    this.#builtIn = builtIn;
  }

  #report(path: string, message: string): void {
    this.problems.push(`${path}: ${message}`);
  }

  check(value: JsonValue, schema: Schema | undefined, path: string): void {
    if (schema === undefined || schema["x-kubernetes-int-or-string"] === true) return;
    switch (schema.type) {
      case "integer":
      case "number":
        if (value !== null && !isNumber(value)) this.#report(path, `expected numeric (int or float), got ${goType(value)}`);
        return;
      case "string":
        if (typeof value !== "string") this.#report(path, `expected string, got ${goSyntax(value)}`);
        return;
      case "boolean":
        if (typeof value !== "boolean") this.#report(path, `expected boolean, got ${shown(value)}`);
        return;
      case "array":
        if (isArray(value)) this.#items(value, schema, path);
        else this.#report(path, `expected list, got ${shown(value)}`);
        return;
      case "object":
        this.#object(value, schema, path);
        return;
      default:
      // Anything goes.
    }
  }

  #object(value: JsonValue, schema: Schema, path: string): void {
    const { properties, additionalProperties } = schema;
    if (properties === undefined && additionalProperties === undefined) return;
    if (!isObject(value)) {
      this.#report(path, `expected map, got ${shown(value)}`);
      return;
    }
    const open = additionalProperties !== undefined || schema["x-kubernetes-preserve-unknown-fields"] === true;
    for (const [name, member] of Object.entries(value)) {
      const at = `${path}.${name}`;
      if (member === undefined) continue;
      if (!open && !(properties !== undefined && Object.hasOwn(properties, name)))
        this.#report(at, "field not declared in schema");
      else this.check(member, this.#schemas.child(schema, name), at);
    }
  }

  #items(list: readonly JsonValue[], schema: Schema, path: string): void {
    const items = this.#schemas.child(schema, 0);
    const listType = schema["x-kubernetes-list-type"];
    const seen = new Set<string>();
    for (const [i, item] of list.entries()) {
      const element = listType === "map" ? this.#keys(item, schema, items) : listType === "set" ? `[=${scalar(item)}]` : `[${i}]`;
      if (element.startsWith("!")) {
        this.#report(path, `element ${i}: ${element.slice(1)}`);
        return;
      }
      if (seen.has(element)) this.#report(path, `duplicate entries for key ${element}`);
      seen.add(element);
      this.check(item, items, path + element);
    }
  }

  /** Fields of built-in kinds have the empty value of their Go type where nothing else is said. */
  #zero(schema: Schema | undefined): JsonValue | undefined {
    if (!this.#builtIn || schema === undefined) return undefined;
    const { type } = this.#schemas.resolve(schema);
    return type === "string" ? "" : type === "integer" ? 0 : undefined;
  }

  /** `[containerPort=80,protocol="TCP"]`; after a `!`, why there are no keys. */
  #keys(item: JsonValue, schema: Schema, items: Schema | undefined): string {
    if (!isObject(item)) return "!associative list with keys may not have non-map elements";
    const parts: string[] = [];
    for (const key of (schema["x-kubernetes-list-map-keys"] ?? []).toSorted()) {
      const value = keyOf(item, key, items) ?? this.#zero(items?.properties?.[key]);
      if (value === undefined) {
        return `!associative list with keys has an element that omits key field ${quoteGo(key)} (and doesn't have default value)`;
      }
      parts.push(`${key}=${scalar(value)}`);
    }
    return `[${parts.join(",")}]`;
  }
}

const scalar = (value: JsonValue): string => (typeof value === "string" ? quoteGo(value) : formatGoValue(value));

function keyOf(item: JsonObject, key: string, items: Schema | undefined): JsonValue | undefined {
  return (Object.hasOwn(item, key) ? item[key] : undefined) ?? items?.properties?.[key]?.default;
}

/** Why a configuration is none of the kind that a schema describes; undefined where it is one. */
export function typeProblem(
  patch: JsonObject,
  schema: Schema | undefined,
  schemas: KubernetesSchemas,
  builtIn: boolean,
): string | undefined {
  const check = new TypeCheck(schemas, builtIn);
  check.check(patch, schema, "");
  const [only, second] = check.problems;
  if (only === undefined || second === undefined) return only;
  return ["errors:", ...check.problems.map((problem) => `  ${problem}`)].join("\n");
}
