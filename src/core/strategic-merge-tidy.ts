import { isObject, type JsonObject, type JsonValue } from "./json.ts";
import { type MergeField, type MergeType, mergeTypeOf } from "./strategic-merge-keys.ts";
import type { Tree } from "./strategic-merge-node.ts";

function memberOf(tree: Tree, key: string): Tree {
  if (tree instanceof Map) return tree.get(key);
  return isPlainObject(tree) && Object.hasOwn(tree, key) ? tree[key] : undefined;
}

function isPlainObject(tree: Tree): tree is { readonly [key: string]: JsonValue | undefined } {
  return !(tree instanceof Map) && isObject(tree as JsonValue);
}

/** The merged lists of an object that stands where no type is known: the root, or an object inside a custom resource. */
export function typeByKind(tree: Tree): MergeType | undefined {
  const kind = memberOf(tree, "kind");
  if (typeof kind !== "string") return undefined;
  const apiVersion = memberOf(tree, "apiVersion");
  return typeof apiVersion === "string" ? mergeTypeOf({ apiVersion, kind }) : undefined;
}

export function fieldOf(type: MergeType | undefined, key: string): MergeField | undefined {
  return type !== undefined && Object.hasOwn(type, key) ? type[key] : undefined;
}

/**
 * Whether a merge without a patch leaves a value as it is: all items of merged lists can be told apart. Nearly all
 * values are so, and need not be walked any further.
 */
function isTidy(tree: Tree, field: MergeField | undefined): boolean {
  if (typeof tree !== "object" || tree === null) return true;
  if (Array.isArray(tree)) return field?.keys === undefined || isTidyList(tree, field.keys, field.type);
  return isTidyMap(tree, field?.type);
}

function isTidyMap(tree: Tree, known: MergeType | undefined): boolean {
  const type = known ?? typeByKind(tree);
  if (type !== undefined) {
    for (const key in type) if (!isTidy(memberOf(tree, key), type[key])) return false;
  } else if (tree instanceof Map) {
    for (const value of tree.values()) if (!isTidy(value, undefined)) return false;
  } else if (isPlainObject(tree)) {
    for (const key in tree) if (!isTidy(tree[key], undefined)) return false;
  }
  return true;
}

/** As isTidy, of the member of an object: a type knows all members that are, or lead to, merged lists. */
export function isTidyMember(key: string, value: Tree, type: MergeType | undefined): boolean {
  const field = fieldOf(type, key);
  return (type !== undefined && field === undefined) || isTidy(value, field);
}

/** Objects never change, and several patches look at the same one. */
const tidyObjects = new WeakMap<JsonObject, boolean>();

/** Whether a merge with an empty patch leaves the whole object as it is. */
export function isTidyObject(object: JsonObject): boolean {
  let tidy = tidyObjects.get(object);
  if (tidy === undefined) {
    tidy = isTidyMap(object, undefined);
    tidyObjects.set(object, tidy);
  }
  return tidy;
}

function isTidyList(list: readonly Tree[], keys: readonly string[], items: MergeType | undefined): boolean {
  const [key = ""] = keys;
  const told = keys.length === 1 ? areToldApart(list, key) : itemIds(list, keys) !== undefined;
  return told && (items === undefined || list.every((item) => isTidyMap(item, items)));
}

/** As itemIds for one key, which nearly all lists have. */
function areToldApart(list: readonly Tree[], key: string): boolean {
  const texts = new Set<string>();
  for (const item of list) texts.add(textOf(memberOf(item, key)));
  return texts.size === list.length && !texts.has("");
}

/** How the items of a list are told apart. */
export interface ItemIds {
  /** The merge keys that the items have. */
  readonly used: readonly string[];
  /** One for each item, no two alike. */
  readonly ids: readonly string[];
}

/** Undefined where two items have the same keys, or an item lacks a key that another one has. */
export function itemIds(list: readonly Tree[], keys: readonly string[]): ItemIds | undefined {
  const used = keys.filter((key) => list.some((item) => textOf(memberOf(item, key)) !== ""));
  if (list.length > 0 && keys.length > 0 && used.length === 0) return undefined;
  const ids = list.map((item) => (keys.length === 0 ? textOf(item) : idOf(item, used)));
  return ids.includes("") || new Set(ids).size < ids.length ? undefined : { used, ids };
}

/** Empty where the item lacks one of the keys. */
function idOf(item: Tree, used: readonly string[]): string {
  const texts = used.map((key) => textOf(memberOf(item, key)));
  return texts.includes("") ? "" : texts.map((text) => `${text.length}:${text}`).join("");
}

/** The text of a scalar; empty for everything else. */
function textOf(tree: Tree): string {
  return tree === undefined || tree === null || typeof tree === "object" ? "" : String(tree);
}
