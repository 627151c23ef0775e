import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals } from "./json.ts";
import { gvkOf, type KubernetesObject } from "./kubernetes.ts";
import type { KubernetesSchemas, Schema } from "./schema.ts";

const directive = "$patch";
const retainKeys = "$retainKeys";
const orderOf = "$setElementOrder/";
const removalOf = "$deleteFromPrimitiveList/";

type Merged = { readonly ok: true; readonly value: JsonObject } | { readonly ok: false; readonly message: string };

/**
 * Applies a strategic merge patch as the API server does (apimachinery's strategicpatch): lists merge by the keys of the kind's schema, with
 * `$patch`, `$retainKeys`, `$setElementOrder` and `$deleteFromPrimitiveList`. Not ok for kinds without a schema, and for patches that the
 * server refuses. (Kyverno's patches merge otherwise: `strategic-merge.ts`.)
 */
export function applyServerMerge(object: KubernetesObject, patch: JsonObject, schemas: KubernetesSchemas): Merged {
  const schema = schemas.schemaFor(gvkOf(object));
  if (schema === undefined) return { ok: false, message: `the schema of ${object.kind} is not known` };
  try {
    return { ok: true, value: mergeObject(object, patch, schema, schemas) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, message: error.message };
    throw error;
  }
}

class Refused extends Error {}

function mergeObject(object: JsonObject, patch: JsonObject, schema: Schema | undefined, schemas: KubernetesSchemas): JsonObject {
  if (Object.hasOwn(patch, directive)) {
    if (patch[directive] === "delete") return {};
    if (patch[directive] !== "replace") throw new Refused(`unknown ${directive}: ${JSON.stringify(patch[directive])}`);
    const { [directive]: _, ...rest } = patch;
    return rest;
  }
  const result = new Map(Object.entries(retained(object, patch)));
  const ordered = new Set<string>();
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(orderOf)) continue;
    const field = key.slice(orderOf.length);
    ordered.add(field);
    if (!isArray(order)) throw new Refused(`${key} must be a list`);
    const merged = mergeOrdered(result.get(field), patch, field, order, schemaOf(schema, field, schemas), schemas);
    if (merged !== undefined) result.set(field, merged);
  }
  for (const [key, theirs] of Object.entries(patch)) {
    if (key === retainKeys || key.startsWith(orderOf)) continue;
    if (key.startsWith(removalOf)) {
      const field = key.slice(removalOf.length);
      if (!ordered.has(field)) removeFrom(result, field, theirs);
    } else if (!ordered.has(key)) setField(result, key, theirs, schemaOf(schema, key, schemas), schemas);
  }
  return Object.fromEntries(result);
}

const schemaOf = (schema: Schema | undefined, field: string, schemas: KubernetesSchemas): Schema | undefined =>
  schema === undefined ? undefined : schemas.child(schema, field);

/** What `$retainKeys` leaves of an object. */
function retained(object: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch[retainKeys];
  if (keys === undefined) return object;
  if (!isArray(keys)) throw new Refused(`${retainKeys} must be a list`);
  return Object.fromEntries(Object.entries(object).filter(([key]) => keys.includes(key)));
}

function setField(
  result: Map<string, JsonValue | undefined>,
  key: string,
  theirs: JsonValue | undefined,
  schema: Schema | undefined,
  schemas: KubernetesSchemas,
): void {
  const ours = result.get(key);
  if (theirs === null || theirs === undefined) result.delete(key);
  else if (isObject(theirs) && isObject(ours) && !strategies(schema).has("replace"))
    result.set(key, mergeObject(ours, theirs, schema, schemas));
  else if (isArray(theirs) && isArray(ours) && strategies(schema).has("merge"))
    result.set(key, mergeList(ours, theirs, schema, schemas));
  else result.set(key, withoutDirectives(theirs));
}

const strategies = (schema: Schema | undefined): ReadonlySet<string> =>
  new Set(schema?.["x-kubernetes-patch-strategy"]?.split(","));

function removeFrom(result: Map<string, JsonValue | undefined>, field: string, values: JsonValue | undefined): void {
  const list = result.get(field);
  if (!isArray(values)) throw new Refused(`${removalOf}${field} must be a list`);
  if (isArray(list)) result.set(field, without(list, values));
}

const without = (list: readonly JsonValue[], values: readonly JsonValue[]): readonly JsonValue[] =>
  list.filter((item) => !values.some((value) => jsonEquals(value, item)));

/** Undefined: there is no such list on either side. */
function mergeOrdered(
  ours: JsonValue | undefined,
  patch: JsonObject,
  field: string,
  order: readonly JsonValue[],
  schema: Schema | undefined,
  schemas: KubernetesSchemas,
): readonly JsonValue[] | undefined {
  const theirs = patch[field];
  const gone = patch[removalOf + field];
  if ((theirs !== undefined && !isArray(theirs)) || (gone !== undefined && !isArray(gone)))
    throw new Refused(`${field} must be a list`);
  const before = isArray(ours) ? (gone === undefined ? ours : without(ours, gone)) : undefined;
  const merged =
    theirs === undefined ? before : before === undefined ? cleaned(theirs) : combined(before, theirs, schema, schemas);
  return merged && inOrder(merged, order, isArray(ours) ? ours : [], mergeKeyOf(schema));
}

function mergeList(
  ours: readonly JsonValue[],
  theirs: readonly JsonValue[],
  schema: Schema | undefined,
  schemas: KubernetesSchemas,
): readonly JsonValue[] {
  return inOrder(combined(ours, theirs, schema, schemas), theirs, ours, mergeKeyOf(schema));
}

const mergeKeyOf = (schema: Schema | undefined): string | undefined => schema?.["x-kubernetes-patch-merge-key"];

/** Items of a patch as they are where nothing is merged: without directives, and without those that only remove. */
const cleaned = (items: readonly JsonValue[]): readonly JsonValue[] =>
  items.flatMap((item) => (isObject(item) && Object.hasOwn(item, directive) ? [] : [withoutDirectives(item)]));

function combined(
  ours: readonly JsonValue[],
  theirs: readonly JsonValue[],
  schema: Schema | undefined,
  schemas: KubernetesSchemas,
): readonly JsonValue[] {
  if (theirs.some((item) => isObject(item) && item[directive] === "replace")) return cleaned(theirs);
  const key = mergeKeyOf(schema);
  if (key === undefined || ![...ours, ...theirs].some(isObject)) {
    if ([...ours, ...theirs].some((item) => isObject(item))) throw new Refused("a list of objects has no merge key");
    return [...new Map([...ours, ...theirs].map((item) => [JSON.stringify(item), item])).values()];
  }
  const items = schema === undefined ? undefined : schemas.child(schema, 0);
  let result = [...ours];
  for (const item of theirs) {
    if (!isObject(item) || item[key] === undefined) throw new Refused(`an item of a list has no ${key}`);
    const isIt = (one: JsonValue) => isObject(one) && jsonEquals(one[key], item[key]);
    if (item[directive] === "delete") result = result.filter((one) => !isIt(one));
    else {
      const at = result.findIndex(isIt);
      const before = result[at];
      if (isObject(before)) result[at] = mergeObject(before, item, items, schemas);
      else result.push(withoutDirectives(item));
    }
  }
  return result;
}

/** Items that the patch names in its order, the others in the server's, and both together by the server's where that knows two of them. */
function inOrder(
  merged: readonly JsonValue[],
  order: readonly JsonValue[],
  server: readonly JsonValue[],
  key: string | undefined,
): readonly JsonValue[] {
  const id = (item: JsonValue) => JSON.stringify(key !== undefined && isObject(item) ? item[key] : item);
  const indexOf = (list: readonly JsonValue[]) => {
    const places = new Map<string, number>();
    for (const [i, item] of list.entries()) if (!places.has(id(item))) places.set(id(item), i);
    return places;
  };
  const [named, known] = [indexOf(order), indexOf(server)];
  const place = (places: ReadonlyMap<string, number>, item: JsonValue) => places.get(id(item)) ?? -1;
  const by = (places: ReadonlyMap<string, number>) => (a: JsonValue, b: JsonValue) => place(places, a) - place(places, b);
  const theirs = merged.filter((item) => named.has(id(item))).sort(by(named));
  const others = merged.filter((item) => !named.has(id(item))).sort(by(known));
  const result: JsonValue[] = [];
  for (let i = 0, j = 0; i < others.length || j < theirs.length; ) {
    const [left, right] = [others[i], theirs[j]];
    const isLeft =
      right === undefined ||
      (left !== undefined && place(known, left) >= 0 && place(known, right) >= 0 && place(known, left) < place(known, right));
    if (isLeft && left !== undefined) {
      result.push(left);
      i++;
    } else if (right !== undefined) {
      result.push(right);
      j++;
    }
  }
  return result;
}

/** What is new is taken as it is, but for what speaks to the merge, and for nulls, which would remove. */
function withoutDirectives(value: JsonValue): JsonValue {
  if (isArray(value)) return cleaned(value);
  if (!isObject(value)) return value;
  const isWord = (key: string) => key === directive || key === retainKeys || key.startsWith(orderOf) || key.startsWith(removalOf);
  const kept = Object.entries(value).flatMap(([key, one]) =>
    isWord(key) || one === null || one === undefined ? [] : [[key, withoutDirectives(one)] as const],
  );
  return Object.fromEntries(kept);
}
