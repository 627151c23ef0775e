import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals } from "../../../core/json.ts";
import { type CelType, opaqueType } from "../types.ts";
import { mapFind, mapSize } from "../values/containers.ts";
import { equalValues } from "../values/equality.ts";
import { CelError, CelMap, CelObject, type CelValue, Failure, isMap, noSuchOverload, type Value } from "../values/value.ts";
import { escapeName, unescapeName } from "./escape.ts";
import { type CelSchema, isEmbedded, type Resolve, valueSchema, withTypeAndName } from "./schema.ts";
import { ListElements, MapList, SetList, TypedList } from "./typed-lists.ts";
import { typedScalar } from "./typed-scalars.ts";

/** JSON data as the values that its schema says it holds; what is inside is converted when it is read. */
export function typedValue(value: JsonValue, given: CelSchema, resolve: Resolve): Value {
  const schema = resolve(given);
  if (value === null) {
    return schema.nullable === true ? null : new CelError("invalid data, got null for schema with nullable=false");
  }
  if (schema["x-kubernetes-int-or-string"] === true) return typedScalar(value, schema) ?? null;
  if (schema.type === "object") {
    if (!isObject(value)) return new CelError("invalid data, expected a map for the provided schema with type=object");
    return new TypedMap(value, isEmbedded(schema) ? withTypeAndName(schema) : schema, resolve);
  }
  if (schema.type === "array") return typedList(value, schema, resolve);
  const scalar = typedScalar(value, schema);
  if (scalar !== undefined) return scalar;
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return new Preserved(value);
  const types = "object, array, number, integer, boolean or string";
  const extensions = "x-kubernetes-int-or-string or x-kubernetes-preserve-unknown-fields is true";
  return new CelError(`invalid type, expected ${types}, or no type with ${extensions}, got ${schema.type ?? ""}`);
}

function typedList(value: JsonValue, schema: CelSchema, resolve: Resolve): Value {
  if (!isArray(value)) return new CelError("invalid data, expected an array for the provided schema with type=array");
  const { items } = schema;
  if (items === undefined) return new CelError("invalid array type, expected Items with a non-empty Schema");
  const elements = new ListElements(value.length, (i) => typedValue(value[i] ?? null, items, resolve));
  const listType: string = schema["x-kubernetes-list-type"] ?? "atomic";
  switch (listType) {
    case "map": {
      const keys = schema["x-kubernetes-list-map-keys"] ?? [];
      return new MapList(
        elements,
        keys.map((key) => escapeName(key) ?? key),
      );
    }
    case "set":
      return new SetList(elements);
    case "atomic":
      return new TypedList(elements);
    default:
      return new CelError(`invalid x-kubernetes-list-type, expected 'map', 'set' or 'atomic' but got ${listType}`);
  }
}

/** An object or map of a schema. */
class TypedMap extends CelMap {
  readonly value: JsonObject;
  readonly #schema: CelSchema;
  readonly #resolve: Resolve;

  constructor(value: JsonObject, schema: CelSchema, resolve: Resolve) {
    super();
    this.value = value;
    this.#schema = schema;
    this.#resolve = resolve;
  }

  get #isObject(): boolean {
    return this.#schema.properties !== undefined;
  }

  #schemaOf(name: string): CelSchema | undefined {
    const { properties } = this.#schema;
    if (properties === undefined) return valueSchema(this.#schema);
    return Object.hasOwn(properties, name) ? properties[name] : undefined;
  }

  override get size(): number {
    return mapSize(this.value);
  }

  find(key: CelValue): Value | undefined {
    if (typeof key !== "string") return noSuchOverload();
    const name = this.#isObject ? unescapeName(key) : key;
    if (name === undefined || !Object.hasOwn(this.value, name)) return undefined;
    const member = this.value[name];
    const schema = this.#schemaOf(name);
    // A null is no value of a field, but may be one of a map.
    if (member === undefined || schema === undefined || (member === null && this.#isObject)) return undefined;
    return typedValue(member, schema, this.#resolve);
  }

  keys(): readonly CelValue[] {
    const names = Object.keys(this.value).filter((name) => this.value[name] !== undefined && this.#schemaOf(name) !== undefined);
    return this.#isObject ? names.map((name) => escapeName(name) ?? name) : names;
  }

  override equals(other: CelValue): boolean | CelError {
    if (!isMap(other)) return noSuchOverload();
    if (this.size !== mapSize(other)) return false;
    for (const name of Object.keys(this.value)) {
      const equal = this.#schemaOf(name) === undefined ? this.#equalUnknown(name, other) : this.#equalMember(name, other);
      if (equal !== true) return equal;
    }
    return true;
  }

  #equalMember(name: string, other: CelMap | JsonObject): boolean | CelError {
    const mine = this.find(name);
    const theirs = mapFind(other, name);
    if (mine === undefined || theirs === undefined) return mine === theirs;
    if (mine instanceof CelError) return mine;
    if (theirs instanceof CelError) return theirs;
    return mine instanceof Failure || theirs instanceof Failure ? false : equalValues(mine, theirs);
  }

  /** What no schema describes is compared as it is. */
  #equalUnknown(name: string, other: CelMap | JsonObject): boolean | CelError {
    if (!(other instanceof TypedMap)) return noSuchOverload();
    return !Object.hasOwn(other.value, name) || jsonEquals(this.value[name], other.value[name]);
  }
}

/** Data that a schema lets through without saying what it is: it can only be compared. */
class Preserved extends CelObject {
  readonly #value: JsonValue;

  constructor(value: JsonValue) {
    super();
    this.#value = value;
  }

  get type(): CelType {
    return opaqueType("unknown");
  }

  equals(other: CelValue): boolean {
    return other instanceof Preserved && jsonEquals(this.#value, other.#value);
  }

  override toJson(): JsonValue {
    return this.#value;
  }
}
