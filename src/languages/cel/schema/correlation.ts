import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals } from "../../../core/json.ts";
import { type CelSchema, type Resolve, valueSchema } from "./schema.ts";

/** Finds the element of an `x-kubernetes-list-type: map` list that has the keys of another element. */
export type FindElement = (element: JsonValue) => JsonValue | undefined;

function keyOf(element: JsonValue, keys: readonly string[]): string | undefined {
  if (!isObject(element)) return undefined;
  const values: string[] = [];
  for (const key of keys) {
    const value = element[key];
    if (value === undefined || value === null || typeof value === "object") return undefined;
    values.push(typeof value === "string" ? JSON.stringify(value) : String(value));
  }
  return values.join("\0");
}

/** Elements of lists that are no map lists correspond to nothing. */
export function elementsByKey(schema: CelSchema, items: JsonValue | undefined): FindElement {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const isMapList = schema.type === "array" && schema["x-kubernetes-list-type"] === "map" && keys.length > 0;
  if (!isMapList || !isArray(items)) return () => undefined;
  const byKey = new Map<string, JsonValue>();
  for (const item of items) {
    const key = keyOf(item, keys);
    if (key !== undefined && !byKey.has(key)) byKey.set(key, item);
  }
  return (element) => {
    const key = keyOf(element, keys);
    return key === undefined ? undefined : byKey.get(key);
  };
}

/** A value with what it was before, down the tree: a violation where nothing changed is only a warning. */
export class Correlated {
  readonly #value: JsonValue;
  readonly #before: JsonValue | undefined;
  readonly #schema: CelSchema;
  readonly #resolve: Resolve;
  #equal: boolean | undefined;
  #find: FindElement | undefined;
  readonly #children = new Map<string | number, Correlated>();

  constructor(value: JsonValue, before: JsonValue | undefined, schema: CelSchema, resolve: Resolve) {
    this.#value = value;
    this.#before = before;
    this.#schema = resolve(schema);
    this.#resolve = resolve;
  }

  isUnchanged(): boolean {
    this.#equal ??= this.#compare();
    return this.#equal;
  }

  #compare(): boolean {
    const [value, before] = [this.#value, this.#before ?? null];
    if (value === null || before === null) return value === before;
    if (isArray(value)) return isArray(before) && this.#sameElements(value, before);
    if (isObject(value)) return isObject(before) && this.#sameMembers(value, before);
    return jsonEquals(value, before);
  }

  #sameElements(value: readonly JsonValue[], before: readonly JsonValue[]): boolean {
    if (value.length !== before.length) return false;
    if (this.#schema["x-kubernetes-list-type"] !== "map") return jsonEquals(value, before);
    return value.every((_, i) => this.index(i)?.isUnchanged() === true);
  }

  #sameMembers(value: JsonObject, before: JsonObject): boolean {
    const names = Object.keys(value);
    return names.length === Object.keys(before).length && names.every((name) => this.key(name)?.isUnchanged() === true);
  }

  /** The member `name`; undefined where it is new, or not described. */
  key(name: string): Correlated | undefined {
    return this.#child(name, () => {
      if (!isObject(this.#value) || !isObject(this.#before)) return undefined;
      const schema = this.#schema.properties?.[name] ?? valueSchema(this.#schema);
      const [value, before] = [this.#value[name], this.#before[name]];
      if (value === undefined || before === undefined || schema === undefined) return undefined;
      return new Correlated(value, before, schema, this.#resolve);
    });
  }

  /** The element at `index`; undefined where it is new, or the list's elements have no keys. */
  index(index: number): Correlated | undefined {
    return this.#child(index, () => {
      const { items } = this.#schema;
      const value = isArray(this.#value) ? this.#value[index] : undefined;
      if (value === undefined || items === undefined) return undefined;
      this.#find ??= elementsByKey(this.#schema, this.#before);
      const before = this.#find(value);
      return before === undefined ? undefined : new Correlated(value, before, items, this.#resolve);
    });
  }

  #child(step: string | number, make: () => Correlated | undefined): Correlated | undefined {
    const known = this.#children.get(step);
    if (known !== undefined) return known;
    const made = make();
    if (made !== undefined) this.#children.set(step, made);
    return made;
  }
}
