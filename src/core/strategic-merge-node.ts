import { isArray, isObject, type JsonObject, type JsonValue } from "./json.ts";

/**
 * A document while it is patched. Objects are Maps, and both they and lists are changed in place: kyaml's results depend
 * on which nodes a patch and its target share.
 */
export type MergeNode = string | number | bigint | boolean | null | MergeNode[] | MergeMap;
export type MergeMap = Map<string, MergeNode>;
/** A value as it was read, or one that is being patched. */
export type Tree = JsonValue | MergeNode | undefined;

/** A patch that does not fit the object. */
export class MergeError extends Error {}

export function toMergeNode(value: JsonValue): MergeNode {
  if (isArray(value)) return value.map(toMergeNode);
  return isObject(value) ? toMergeMap(value) : value;
}

export function toMergeMap(object: JsonObject): MergeMap {
  const map: MergeMap = new Map();
  for (const [key, value] of Object.entries(object)) if (value !== undefined) map.set(key, toMergeNode(value));
  return map;
}

/** As toMergeMap, with the members of all objects in the order of their keys. */
export function toSortedMergeMap(object: JsonObject): MergeMap {
  const sorted = (node: MergeNode): MergeNode => {
    if (Array.isArray(node)) return node.map(sorted);
    return node instanceof Map ? sortedMap(node) : node;
  };
  const sortedMap = (map: MergeMap): MergeMap =>
    new Map([...map].map(([key, node]) => [key, sorted(node)] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sortedMap(toMergeMap(object));
}

export function fromMergeNode(node: MergeNode): JsonValue {
  if (Array.isArray(node)) return node.map(fromMergeNode);
  return node instanceof Map ? fromMergeMap(node) : node;
}

export function fromMergeMap(map: MergeMap): JsonObject {
  return Object.fromEntries([...map].map(([key, node]) => [key, fromMergeNode(node)]));
}

export function cloneMergeNode(node: MergeNode): MergeNode {
  if (Array.isArray(node)) return node.map(cloneMergeNode);
  return node instanceof Map ? cloneMergeMap(node) : node;
}

export function cloneMergeMap(map: MergeMap): MergeMap {
  const clone: MergeMap = new Map();
  for (const [key, value] of map) clone.set(key, cloneMergeNode(value));
  return clone;
}

/** The node as text, for messages and as a key. */
export function mergeNodeText(tree: Tree): string {
  return JSON.stringify(tree, plainJson);
}

/** The text by which list items are told apart; empty for objects and lists. */
export function scalarText(node: MergeNode): string {
  return node instanceof Map || Array.isArray(node) ? "" : String(node);
}

/** Nothing, null, or an object or list without members. */
export function isEmptyNode(tree: Tree): boolean {
  if (typeof tree !== "object" || tree === null) return tree === undefined || tree === null;
  return tree instanceof Map ? tree.size === 0 : Object.keys(tree).length === 0;
}

type NodeKind = "MappingNode" | "SequenceNode" | "ScalarNode";

/** What a node is; undefined for null and for nothing, which fit everywhere. */
export function kindOf(tree: Tree): NodeKind | undefined {
  if (tree === undefined || tree === null) return undefined;
  if (Array.isArray(tree)) return "SequenceNode";
  return typeof tree === "object" ? "MappingNode" : "ScalarNode";
}

/** @throws MergeError when the node is of another kind */
export function requireKind(tree: Tree, expected: NodeKind): void {
  const found = kindOf(tree);
  if (found === undefined || found === expected) return;
  const text = found === "ScalarNode" ? String(tree) : mergeNodeText(tree);
  throw new MergeError(`wrong node kind: expected ${expected} but got ${found}: node contents:\n${text}\n`);
}

function plainJson(_: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  return typeof value === "bigint" ? value.toString() : value;
}
