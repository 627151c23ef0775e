import type { RefTerm, Rule, Term } from "../ast.ts";
import { compareValues } from "../values/compare.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import type { Value } from "../values/value.ts";
import type { Unit } from "./compilation.ts";
import { branches } from "./transform.ts";

/** A rule in its module; `path` is its reference from `data` on, of which terms other than scalars are variable. */
export interface PlacedRule {
  readonly rule: Rule;
  readonly unit: Unit;
  readonly path: readonly Term[];
}

/** A step below `data`: the rules that begin there, and further steps. */
export class RuleNode {
  readonly key: Value;
  readonly rules: PlacedRule[] = [];
  readonly #children = new Map<MapKey, RuleNode>();
  /** `data.system` is left out where all of `data` is asked for. */
  hidden = false;

  constructor(key: Value) {
    this.key = key;
  }

  get isLeaf(): boolean {
    return this.#children.size === 0;
  }

  child(key: Value): RuleNode | undefined {
    return this.#children.get(mapKey(key));
  }

  enter(key: Value): RuleNode {
    const known = this.child(key);
    if (known !== undefined) return known;
    const node = new RuleNode(key);
    this.#children.set(mapKey(key), node);
    return node;
  }

  /** In the order of their keys. */
  children(): readonly RuleNode[] {
    return [...this.#children.values()].sort((a, b) => compareValues(a.key, b.key));
  }

  /** This node and all below it that are not hidden. */
  *all(): Iterable<RuleNode> {
    yield this;
    for (const child of this.children()) if (!child.hidden) yield* child.all();
  }
}

/** The scalars that a path begins with. */
export function groundPrefix(path: readonly Term[]): readonly Value[] {
  const prefix: Value[] = [];
  for (const step of path) {
    if (step.kind !== "scalar") break;
    prefix.push(step.value);
  }
  return prefix;
}

/** The tree of all rules and packages; its root is `data`. */
export function ruleTree(units: readonly Unit[]): RuleNode {
  const root = new RuleNode("data");
  for (const unit of units) {
    const base = unit.package.reduce((node, name) => node.enter(name), root);
    for (const rule of unit.rules) {
      const [name, ...more] = rule.head.ref;
      const at = name.at;
      const names = [...unit.package, name.name].map((value): Term => ({ kind: "scalar", value, at }));
      const path = [...names, ...more];
      const own = groundPrefix(path).slice(unit.package.length);
      own.reduce((node, key) => node.enter(key), base).rules.push({ rule, unit, path });
    }
  }
  const system = root.child("system");
  if (system !== undefined) system.hidden = true;
  return root;
}

/** The steps of a reference below `data`; undefined for any other reference. */
export function dataPath(term: Term): readonly Term[] | undefined {
  return term.kind === "ref" && term.head.kind === "var" && term.head.name === "data" ? term.path : undefined;
}

/** The node at exactly the path of a reference. */
export function nodeAt(root: RuleNode, term: RefTerm): RuleNode | undefined {
  let node: RuleNode | undefined = root;
  for (const step of dataPath(term) ?? [term]) {
    if (step.kind !== "scalar") return undefined;
    node = node?.child(step.value);
  }
  return node;
}

/** The rules (and else branches) that a reference below `data` may be about. */
export function rulesReached(root: RuleNode, path: readonly Term[]): ReadonlySet<Rule> {
  const found = new Set<Rule>();
  const addAll = (node: RuleNode): void => {
    for (const inner of node.all()) for (const placed of inner.rules) found.add(placed.rule);
  };
  const visit = (node: RuleNode, i: number): void => {
    const step = path[i];
    if (step === undefined) {
      addAll(node);
      return;
    }
    const next = step.kind === "scalar" ? [node.child(step.value)] : node.children().filter((c) => !c.hidden);
    for (const child of next) {
      if (child === undefined) continue;
      for (const placed of child.rules) if (mayMeet(placed.path, path, i + 1)) found.add(placed.rule);
      visit(child, i + 1);
    }
  };
  visit(root, 0);
  return new Set([...found].flatMap((rule) => [...branches(rule)]));
}

/** Whether two paths may name the same from step `from` on: what is no scalar may be anything. */
function mayMeet(a: readonly Term[], b: readonly Term[], from: number): boolean {
  for (let i = from; i < Math.min(a.length, b.length); i++) {
    const x = a[i];
    const y = b[i];
    if (x?.kind === "scalar" && y?.kind === "scalar" && compareValues(x.value, y.value) !== 0) return false;
  }
  return true;
}
