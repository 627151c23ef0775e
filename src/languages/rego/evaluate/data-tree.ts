import type { PlacedRule, RuleNode } from "../compile/rule-tree.ts";
import { equalValues } from "../values/compare.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { RegoObject, type Value } from "../values/value.ts";
import { mergeObjects, valueAtPath } from "./lookup.ts";
import type { Machine } from "./machine.ts";

/** The rules of one name, compiled. */
export interface RuleSet {
  /** Undefined: no function. */
  readonly arity: number | undefined;
  /** What the rules make of the input and data at hand; functions have no value. */
  value(m: Machine): Value | undefined;
  call(m: Machine, args: readonly Value[]): Value | undefined;
  /**
   * How many keys of an object the rules may be asked for, 0 where they make none. `valueAt` is then the part of the
   * object at such keys: rules for other keys are not evaluated, nor do they conflict.
   */
  readonly depth: number;
  valueAt(m: Machine, keys: readonly Value[]): Value | undefined;
}

/** A place below `data`. */
export class DataNode {
  readonly key: Value;
  /** From below `data`. */
  readonly path: readonly Value[];
  readonly rules: RuleSet | undefined;
  readonly hidden: boolean;
  readonly #children = new Map<MapKey, DataNode>();

  /** @param compile makes a set of the rules at `path` */
  constructor(
    node: RuleNode,
    path: readonly Value[],
    compile: (path: readonly Value[], rules: readonly PlacedRule[]) => RuleSet,
  ) {
    this.key = node.key;
    this.path = path;
    this.hidden = node.hidden;
    const own = node.rules;
    const isGeneral = own.some(({ path: rulePath }) => rulePath.some((step) => step.kind !== "scalar"));
    // Rules below rules with variable references are part of the same document.
    const all = isGeneral ? [...node.all()].flatMap((inner) => inner.rules) : own;
    this.rules = own.length === 0 ? undefined : compile(path, all);
    for (const child of node.children()) {
      this.#children.set(mapKey(child.key), new DataNode(child, [...path, child.key], compile));
    }
  }

  child(key: Value): DataNode | undefined {
    return this.#children.get(mapKey(key));
  }

  /** In the order of their keys. */
  children(): Iterable<DataNode> {
    return this.#children.values();
  }
}

/** Whether `with` replaces what is at the path, or something above it. */
export function isReplaced(m: Machine, path: readonly Value[]): boolean {
  const { targets } = m;
  if (targets === undefined) return false;
  return targets.some((target) => target.length <= path.length && target.every((key, i) => equalValues(key, path[i] ?? null)));
}

export function baseAt(m: Machine, path: readonly Value[]): Value | undefined {
  return valueAtPath(m.base, path);
}

/** All that is at a node: the base document, and what rules make below it. */
export function documentAt(m: Machine, node: DataNode): Value | undefined {
  if (isReplaced(m, node.path)) return baseAt(m, node.path);
  if (node.rules !== undefined) return node.rules.value(m);
  const base = baseAt(m, node.path);
  const virtual = leavesOf(m, node);
  if (base === undefined) return virtual;
  return base instanceof RegoObject ? mergeObjects(visibleBase(base, node), virtual) : base;
}

/** `data.system` is no part of `data` as a whole. */
function visibleBase(base: RegoObject, node: DataNode): RegoObject {
  if (node.path.length > 0 || !base.has("system")) return base;
  const members = base.sorted().filter(({ key }) => key !== "system");
  return RegoObject.of(members.map(({ key, value }) => [key, value] as const));
}

function leavesOf(m: Machine, node: DataNode): RegoObject {
  const members: (readonly [Value, Value])[] = [];
  for (const child of node.children()) {
    if (child.hidden) continue;
    const value = child.rules === undefined ? leavesOf(m, child) : documentAt(m, child);
    if (value !== undefined) members.push([child.key, value]);
  }
  return RegoObject.of(members);
}
