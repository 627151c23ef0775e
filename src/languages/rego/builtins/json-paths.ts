import { anyOf, anyType, arrayOf, objectOf, setOf, stringType } from "../types/type.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { kindOf } from "../values/print.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import type { Builtin, BuiltinError } from "./builtin.ts";
import { binary, isArray, isError, isSet, itemsOf, listOrSet, object, operandError } from "./operand.ts";

/** A path of keys: from a JSON pointer (its leading slashes may be missing or many) or an array. */
export function parsePath(path: Value): readonly Value[] | BuiltinError {
  if (isArray(path)) return path;
  if (typeof path !== "string") {
    return operandError(
      2,
      `must be one of {set, array} containing string paths or array of path segments but got ${kindOf(path)}`,
    );
  }
  if (path === "") return [];
  return path
    .replace(/^\/+/, "")
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The paths as a tree; "all": a path ends here, everything below is meant. */
export type PathTree = { readonly children: Map<MapKey, PathTree> } | "all";

function pathTree(paths: readonly (readonly Value[])[]): PathTree {
  const root: { readonly children: Map<MapKey, PathTree> } = { children: new Map() };
  for (const path of paths) {
    let node = root;
    for (const [i, key] of path.entries()) {
      const known = node.children.get(mapKey(key));
      if (known === "all") break;
      if (i === path.length - 1) {
        node.children.set(mapKey(key), "all");
        break;
      }
      const child = known ?? { children: new Map() };
      node.children.set(mapKey(key), child);
      node = child;
    }
  }
  return root;
}

const child = (tree: PathTree, key: Value): PathTree | undefined => (tree === "all" ? undefined : tree.children.get(mapKey(key)));

/** `value` without what the paths name; undefined: nothing is left. Paths name array elements by their index as text. */
function remove(value: Value, tree: PathTree | undefined): Value | undefined {
  if (tree === undefined) return value;
  if (tree === "all") return undefined;
  if (isArray(value)) {
    return value.map((item, i) => remove(item, child(tree, String(i)))).filter((item) => item !== undefined);
  }
  if (isSet(value)) {
    return RegoSet.of(
      value
        .sorted()
        .map((item) => remove(item, child(tree, item)))
        .filter((item) => item !== undefined),
    );
  }
  if (!(value instanceof RegoObject)) return value;
  const members: [Value, Value][] = [];
  for (const { key, value: member } of value.sorted()) {
    const rest = remove(member, child(tree, key));
    if (rest !== undefined) members.push([key, rest]);
  }
  return RegoObject.of(members);
}

/** Only what the paths name. */
function filter(value: Value, tree: PathTree): Value {
  if (tree === "all") return value;
  if (isArray(value)) {
    const kept: Value[] = [];
    for (const [i, item] of value.entries()) {
      const below = child(tree, String(i));
      if (below !== undefined) kept.push(filter(item, below));
    }
    return kept;
  }
  if (isSet(value)) {
    const kept: Value[] = [];
    for (const item of value.sorted()) {
      const below = child(tree, item);
      if (below !== undefined) kept.push(filter(item, below));
    }
    return RegoSet.of(kept);
  }
  if (!(value instanceof RegoObject)) return value;
  const members: [Value, Value][] = [];
  for (const { key, value: member } of value.sorted()) {
    const below = child(tree, key);
    if (below !== undefined) members.push([key, filter(member, below)]);
  }
  return RegoObject.of(members);
}

const pathType = anyOf(stringType, arrayOf(anyType));
const anyObject = objectOf(anyType, anyType);
const pathsOperand = listOrSet(anyOf(arrayOf(pathType), setOf(pathType)));

function byPaths(name: string, run: (value: RegoObject, tree: PathTree) => Value | undefined): Builtin {
  return binary(name, [object, pathsOperand], anyObject, (value, paths) => {
    const found: (readonly Value[])[] = [];
    for (const path of itemsOf(paths)) {
      const parsed = parsePath(path);
      if (isError(parsed)) return parsed;
      found.push(parsed);
    }
    return run(value, pathTree(found));
  });
}

export const jsonPathBuiltins: readonly Builtin[] = [byPaths("json.remove", remove), byPaths("json.filter", filter)];
