import type { JsonObject } from "./json.ts";
import type { Patched } from "./json-patch.ts";
import { type MergeType, mergeTypeOf } from "./strategic-merge-keys.ts";
import {
  appendItems,
  distinctValues,
  findItem,
  type ItemKey,
  isDirective,
  setItem,
  takeDirective,
  takeListDirective,
  unifyValues,
  usedKeys,
} from "./strategic-merge-list.ts";
import { fromMergeMap, kindOf, MergeError, type MergeNode, requireKind, scalarText, toMergeMap } from "./strategic-merge-node.ts";

/**
 * Applies a strategic merge patch as kustomize's kyaml does: lists merge by the keys of the object's kind (new items first),
 * all other lists are replaced; null removes; `$patch: delete|replace|merge`. `$retainKeys` and `$setElementOrder` mean
 * nothing to it and stay in the object as written.
 */
export function applyStrategicMerge(object: JsonObject, patch: JsonObject): Patched {
  return applyMergeNode(object, toMergeMap(patch));
}

/** As applyStrategicMerge, with a patch that may be used up. */
export function applyMergeNode(object: JsonObject, patch: MergeNode): Patched {
  try {
    const merged = merge(toMergeMap(object), patch, undefined);
    return merged instanceof Map
      ? { ok: true, value: fromMergeMap(merged) }
      : { ok: false, message: "filter cannot create or delete objects" };
  } catch (error) {
    if (error instanceof MergeError) return { ok: false, message: error.message };
    throw error;
  }
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

/** The merged lists of an object that stands where no type is known: the root, or an object inside a custom resource. */
function typeByKind(node: MergeNode | undefined): MergeType | undefined {
  if (!(node instanceof Map)) return undefined;
  const apiVersion = node.get("apiVersion");
  const kind = node.get("kind");
  return typeof apiVersion === "string" && typeof kind === "string" ? mergeTypeOf({ apiVersion, kind }) : undefined;
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
    const field = type !== undefined && Object.hasOwn(type, key) ? type[key] : undefined;
    const theirs = patchMap?.get(key);
    const merged =
      field?.keys !== undefined && (kindOf(before) ?? kindOf(theirs)) === "SequenceNode"
        ? mergeList(before, theirs, field.keys, field.type)
        : merge(before, theirs, field?.type);
    if (merged === undefined) result.delete(key);
    else result.set(key, inStyleOf(before, merged));
  }
  return result;
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
  const values = distinctValues([patchList, target], keys);
  return mergeItems(target, patchList, keys.length > 1 ? unifyValues(values) : values, keys.length === 0 ? [""] : keys, items);
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
