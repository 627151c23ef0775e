import { isObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Patched } from "./json-patch.ts";
import type { MergeField, MergeType } from "./strategic-merge-keys.ts";
import {
  appendItems,
  distinctValues,
  findItem,
  type ItemKey,
  isDirective,
  patchDirective,
  setItem,
  takeDirective,
  takeListDirective,
  unifyValues,
  usedKeys,
} from "./strategic-merge-list.ts";
import {
  fromMergeNode,
  kindOf,
  MergeError,
  type MergeMap,
  type MergeNode,
  requireKind,
  scalarText,
  toMergeMap,
  toMergeNode,
} from "./strategic-merge-node.ts";
import { fieldOf, isTidyMember, isTidyObject, itemIds, typeByKind } from "./strategic-merge-tidy.ts";

/**
 * Applies a strategic merge patch as kustomize's kyaml does: lists merge by the keys of the object's kind (new items first),
 * all other lists are replaced; null removes; `$patch: delete|replace|merge`. `$retainKeys` and `$setElementOrder` mean
 * nothing to it and stay in the object as written.
 */
export function applyStrategicMerge(object: JsonObject, patch: JsonObject): Patched {
  return applyMergeMap(object, toMergeMap(patch));
}

/** As applyStrategicMerge, with a patch that may be used up. */
export function applyMergeMap(object: JsonObject, patch: MergeMap): Patched {
  const tidy = isTidyObject(object);
  if (tidy && patch.size === 0) return { ok: true, value: object };
  try {
    const value = mergeObject(object, patch, undefined, tidy);
    return value === undefined ? { ok: false, message: "filter cannot create or delete objects" } : { ok: true, value };
  } catch (error) {
    if (error instanceof MergeError) return { ok: false, message: error.message };
    throw error;
  }
}

/**
 * Merges into a copy of an object; what the patch does not touch is shared. `tidy`: the object is known to be so, which says
 * nothing where only the patch has a type. Undefined: the object goes.
 */
function mergeObject(object: JsonObject, patch: MergeMap, known: MergeType | undefined, tidy: boolean): JsonValue | undefined {
  const own = known ?? typeByKind(object);
  const type = own ?? typeByKind(patch);
  if (patch.has(patchDirective)) return fromResult(merge(toMergeMap(object), patch, type));
  const isTidy = tidy && own !== undefined;
  const result = new Map(Object.entries(object));
  for (const key of isTidy ? patch.keys() : new Set([...result.keys(), ...patch.keys()])) {
    const before = result.get(key);
    const theirs = patch.get(key);
    const field = fieldOf(type, key);
    if (theirs === undefined && isTidyMember(key, before, type)) continue;
    const isList = field?.keys !== undefined;
    const merged =
      theirs instanceof Map && isObject(before) && !isList
        ? mergeObject(before, theirs, field?.type, isTidy)
        : fromResult(mergeMember(before === undefined ? undefined : toMergeNode(before), theirs, field));
    if (merged === undefined) result.delete(key);
    else result.set(key, merged);
  }
  return Object.fromEntries(result);
}

function fromResult(node: MergeNode | undefined): JsonValue | undefined {
  return node === undefined ? undefined : fromMergeNode(node);
}

/** Merges `patch` into `dest` in place; undefined: the value goes. Parts without a patch are walked too: their lists lose doubles. */
function merge(dest: MergeNode | undefined, patch: MergeNode | undefined, known: MergeType | undefined): MergeNode | undefined {
  const kind = kindOf(dest) ?? kindOf(patch) ?? "MappingNode";
  requireKind(dest, kind);
  requireKind(patch, kind);
  switch (kind) {
    case "MappingNode":
      return mergeMaps(dest, patch, known ?? typeByKind(dest) ?? typeByKind(patch));
    case "SequenceNode":
    case "ScalarNode":
      return patch === undefined ? dest : (patch ?? undefined);
  }
}

function mergeMaps(
  dest: MergeNode | undefined,
  patch: MergeNode | undefined,
  type: MergeType | undefined,
): MergeNode | undefined {
  const result = mappingTarget(dest, patch);
  if (!(result instanceof Map)) return result;
  const patchMap = patch instanceof Map ? patch : undefined;
  for (const key of new Set([...result.keys(), ...(patchMap?.keys() ?? [])])) {
    const before = result.get(key);
    const theirs = patchMap?.get(key);
    const field = fieldOf(type, key);
    if (theirs === undefined && isTidyMember(key, before, type)) continue;
    const merged = mergeMember(before, theirs, field);
    if (merged === undefined) result.delete(key);
    else result.set(key, merged);
  }
  return result;
}

function mergeMember(
  before: MergeNode | undefined,
  theirs: MergeNode | undefined,
  field: MergeField | undefined,
): MergeNode | undefined {
  const isList = field?.keys !== undefined && (kindOf(before) ?? kindOf(theirs)) === "SequenceNode";
  const merged = isList ? mergeList(before, theirs, field.keys, field.type) : merge(before, theirs, field?.type);
  return merged === undefined ? undefined : inStyleOf(before, merged);
}

/** The node that the result is built in: the target, or the patch where there is no target or it is to be replaced. */
function mappingTarget(dest: MergeNode | undefined, patch: MergeNode | undefined): MergeNode | undefined {
  if (dest === undefined || dest === null) {
    if (patch === undefined) return dest;
    return patch instanceof Map && takeDirective(patch) !== "delete" ? patch : undefined;
  }
  if (patch === undefined) return dest;
  if (!(patch instanceof Map)) return undefined;
  return byDirective(takeDirective(patch), dest, patch);
}

function byDirective<T>(directive: string | undefined, dest: T, patch: T): T | undefined {
  if (directive !== undefined && !isDirective(directive)) throw new MergeError(`unknown patch strategy '${directive}'`);
  if (directive === "delete") return undefined;
  return directive === "replace" ? patch : dest;
}

/** kyaml keeps the quotes of the text that a number or boolean replaces, and so makes it a text. */
function inStyleOf(before: MergeNode | undefined, value: MergeNode): MergeNode {
  return typeof before === "string" && kindOf(value) === "ScalarNode" ? scalarText(value) : value;
}

function mergeList(
  dest: MergeNode | undefined,
  patch: MergeNode | undefined,
  keys: readonly string[],
  items: MergeType | undefined,
): MergeNode | undefined {
  requireKind(dest, "SequenceNode");
  requireKind(patch, "SequenceNode");
  const patchList = Array.isArray(patch) ? patch : undefined;
  if (Array.isArray(dest) && patch === null) return undefined;
  const target =
    Array.isArray(dest) && patchList !== undefined
      ? byDirective(takeListDirective(patchList), dest, patchList)
      : Array.isArray(dest)
        ? dest
        : patchList;
  if (target === undefined) return undefined;
  const paired = mergePairs(target, patchList ?? [], keys, items);
  if (paired !== undefined) return paired;
  if (target.length + (patchList?.length ?? 0) > longestUntidy) {
    throw new MergeError(`a list of more than ${longestUntidy} items, of which some cannot be told apart, is too long to merge`);
  }
  const values = distinctValues([patchList, target], keys);
  return mergeItems(target, patchList, keys.length > 1 ? unifyValues(values) : values, keys.length === 0 ? [""] : keys, items);
}

/** Merging such a list takes time in the square of its length. */
const longestUntidy = 5000;

/**
 * Merges lists whose items can all be told apart; undefined for others. Items of the patch come first; where several merge
 * keys are in use, only those do that are new.
 */
function mergePairs(
  target: readonly MergeNode[],
  patch: readonly MergeNode[],
  keys: readonly string[],
  items: MergeType | undefined,
): MergeNode[] | undefined {
  const [ours, theirs] = [itemIds(target, keys), itemIds(patch, keys)];
  if (ours === undefined || theirs === undefined) return undefined;
  if (target.length > 0 && patch.length > 0 && ours.used.join() !== theirs.used.join()) return undefined;
  const changes = new Map(theirs.ids.map((id, i) => [id, patch[i]]));
  const merged = new Map<string, MergeNode>();
  const place = (id: string, before: MergeNode | undefined) => {
    const item = merge(before, changes.get(id), items);
    // Where there was an item, it was changed in place, unless it goes: a directive to replace it has no effect.
    if (item !== undefined && !(item instanceof Map && item.size === 0)) merged.set(id, before ?? item);
  };
  const known = new Map(ours.ids.map((id, i) => [id, target[i]]));
  const first = Math.max(ours.used.length, theirs.used.length) > 1 ? theirs.ids.filter((id) => !known.has(id)) : theirs.ids;
  for (const id of new Set([...first, ...ours.ids])) place(id, known.get(id));
  return [...merged.values()];
}

/** Merges the items that `valuesList` names; those of the patch come first. */
function mergeItems(
  target: MergeNode[],
  patch: readonly MergeNode[] | undefined,
  valuesList: readonly (readonly string[])[],
  keys: readonly string[],
  items: MergeType | undefined,
): MergeNode[] {
  const merged: MergeNode[] = [];
  let usedLast: readonly string[] = keys;
  for (const values of valuesList) {
    const key = usedKeys(valuesList, { keys, values });
    usedLast = key.keys;
    const own = usedKeys([key.values], key);
    const item = merge(findItem(target, own), findItem(patch, own), items);
    if (item === undefined || item === null || (item instanceof Map && item.size === 0)) setItem(target, undefined, key);
    else {
      completeKeys(item, key);
      setItem(merged, item, key);
    }
  }
  if (valuesList.length === 0) return target;
  appendItems(merged, target, usedLast);
  return merged;
}

function completeKeys(item: MergeNode, { keys, values }: ItemKey): void {
  if (!(item instanceof Map)) return;
  for (const [i, key] of keys.entries()) {
    const value = values[i] ?? "";
    if (!item.has(key) && value !== "") item.set(key, plainScalar(value));
  }
}

/** An unquoted text as YAML reads it: merge keys are names or ports. */
function plainScalar(text: string): MergeNode {
  return /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}
