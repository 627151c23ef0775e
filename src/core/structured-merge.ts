import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals } from "./json.ts";
import type { KubernetesObject } from "./kubernetes.ts";
import { gvkOf } from "./kubernetes.ts";
import type { KubernetesSchemas, Schema } from "./schema.ts";
import { typeProblem } from "./structured-merge-types.ts";

export type Merged =
  | { readonly ok: true; readonly value: KubernetesObject }
  /** Why, in the API server's words. */
  | { readonly ok: false; readonly message: string };

class MergeFailure extends Error {}

const isAtomicMap = (schema: Schema | undefined): boolean => schema?.["x-kubernetes-map-type"] === "atomic";

/** Lists are replaced as a whole, unless their schema says what tells their items apart. */
function isAtomicList(schema: Schema | undefined): boolean {
  const type = schema?.["x-kubernetes-list-type"];
  return type !== "set" && type !== "map";
}

/** Shapes of kinds that nobody described: maps merge, lists do not. */
const isDeduced = (schema: Schema | undefined): boolean =>
  schema === undefined || (schema.properties === undefined && schema.additionalProperties === undefined);

/** One merge of an applied configuration into an object, as sigs.k8s.io/structured-merge-diff makes it. */
class Merge {
  readonly #schemas: KubernetesSchemas;

  constructor(schemas: KubernetesSchemas) {
    this.#schemas = schemas;
  }

  #member(schema: Schema | undefined, name: string, path: string): Schema | undefined {
    if (schema === undefined || isDeduced(schema)) return undefined;
    const { properties, additionalProperties } = schema;
    if (properties !== undefined && Object.hasOwn(properties, name)) return this.#schemas.child(schema, name);
    if (typeof additionalProperties === "object") return this.#schemas.resolve(additionalProperties);
    if (additionalProperties === true || schema["x-kubernetes-preserve-unknown-fields"] === true) return undefined;
    throw new MergeFailure(`failed to convert patch object to typed object: ${path}.${name}: field not declared in schema`);
  }

  /** Fields that the schema does not know are refused; places that would be replaced as a whole are collected. */
  inspect(value: JsonValue, schema: Schema | undefined, path: string, atomics: string[]): void {
    if (isObject(value)) {
      if (isAtomicMap(schema)) atomics.push(path);
      for (const [name, item] of Object.entries(value)) {
        if (item !== undefined) this.inspect(item, this.#member(schema, name, path), `${path}.${name}`, atomics);
      }
    } else if (isArray(value)) {
      if (isAtomicList(schema)) atomics.push(path);
      const items = schema === undefined ? undefined : this.#schemas.child(schema, 0);
      for (const [i, item] of value.entries()) this.inspect(item, items, `${path}[${i}]`, atomics);
    }
  }

  merge(live: JsonValue | undefined, patch: JsonValue, schema: Schema | undefined): JsonValue {
    if (isObject(live) && isObject(patch) && !isAtomicMap(schema)) return this.#maps(live, patch, schema);
    if (isArray(live) && isArray(patch) && !isAtomicList(schema)) return this.#lists(live, patch, schema);
    return patch;
  }

  #maps(live: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
    const merged: { [name: string]: JsonValue | undefined } = { ...live };
    for (const [name, value] of Object.entries(patch)) {
      if (value === undefined) continue;
      const known = Object.hasOwn(live, name) ? live[name] : undefined;
      merged[name] = this.merge(known, value, this.#member(schema, name, ""));
    }
    return merged;
  }

  /** Whether two items are the same one: by the list's keys, or as a whole in a set. */
  #alike(schema: Schema | undefined, items: Schema | undefined): (a: JsonValue, b: JsonValue) => boolean {
    if (schema?.["x-kubernetes-list-type"] === "set") return jsonEquals;
    const keys = schema?.["x-kubernetes-list-map-keys"] ?? [];
    const keyOf = (item: JsonValue, key: string) =>
      (isObject(item) && Object.hasOwn(item, key) ? item[key] : undefined) ?? items?.properties?.[key]?.default;
    return (a, b) => keys.every((key) => jsonEquals(keyOf(a, key), keyOf(b, key)));
  }

  /** Items of the patch come in its order; those that only the object has stay before the next shared one. */
  #lists(live: readonly JsonValue[], patch: readonly JsonValue[], schema: Schema | undefined): readonly JsonValue[] {
    const items = schema === undefined ? undefined : this.#schemas.child(schema, 0);
    const alike = this.#alike(schema, items);
    const inPatch = live.map((item) => patch.findIndex((other) => alike(item, other)));
    const inLive = patch.map((item) => live.findIndex((other) => alike(item, other)));
    const merged: JsonValue[] = [];
    let l = 0;
    let nextShared = inLive.findIndex((i) => i >= 0);
    const advance = (from: number) => {
      nextShared = inLive.findIndex((i, at) => at > from && i >= 0);
    };
    for (let r = 0; l < live.length || r < patch.length; ) {
      const counterpart = l < live.length ? inPatch[l] : undefined;
      if (counterpart !== undefined && r < patch.length && counterpart !== r && counterpart >= 0 && counterpart !== nextShared) {
        l++;
        continue;
      }
      if (counterpart === -1) {
        merged.push(live[l] ?? null);
        l++;
        continue;
      }
      const item = patch[r];
      if (item === undefined) {
        l++;
        continue;
      }
      const at = inLive[r] ?? -1;
      merged.push(at < 0 ? item : this.merge(live[at], item, items));
      if (counterpart === r) l++;
      if (r === nextShared) advance(r);
      r++;
    }
    return merged;
  }
}

export interface StructuredMergeOptions {
  /** Lists and maps that are replaced as a whole may be in the patch, as in server-side apply. */
  readonly allowAtomic?: boolean;
}

/** Merges an applied configuration into an object by the schema of its kind. */
export function structuredMerge(
  live: KubernetesObject,
  patch: JsonObject,
  schemas: KubernetesSchemas,
  { allowAtomic = false }: StructuredMergeOptions = {},
): Merged {
  const merge = new Merge(schemas);
  const schema = schemas.schemaFor(gvkOf(live));
  const resolved = schema === undefined ? undefined : schemas.resolve(schema);
  const atomics: string[] = [];
  const builtIn = schemas.builtInGroups().has(gvkOf(live).group);
  const problem = typeProblem(patch, resolved, schemas, builtIn);
  if (problem !== undefined) return { ok: false, message: `failed to convert patch object to typed object: ${problem}` };
  try {
    merge.inspect(patch, resolved, "", atomics);
    if (atomics.length > 0 && !allowAtomic) {
      const places = atomics.join(", ");
      return { ok: false, message: `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${places}` };
    }
    const merged = merge.merge(live, patch, resolved);
    return { ok: true, value: { ...(isObject(merged) ? merged : {}), apiVersion: live.apiVersion, kind: live.kind } };
  } catch (error) {
    if (error instanceof MergeFailure) return { ok: false, message: error.message };
    throw error;
  }
}
