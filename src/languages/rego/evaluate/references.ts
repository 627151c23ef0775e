import type { RefTerm, Term } from "../ast.ts";
import type { Value } from "../values/value.ts";
import { baseAt, type DataNode, documentAt, isReplaced, type RuleSet } from "./data-tree.ts";
import { baseLookup, forEachMember, isList, lookup } from "./lookup.ts";
import type { Get, Machine, Sink, Slots, Step } from "./machine.ts";
import type { Scope } from "./scope.ts";
import { compileMatch, compileTerm, isBoundTerm, type Match, valuesOf } from "./terms.ts";

/** One step of a reference: a key that is known, or a pattern for all keys. */
type PathStep =
  | { readonly kind: "key"; readonly constant: Value | undefined; readonly get: Get }
  | { readonly kind: "each"; readonly match: Match };

/** A compiled reference. */
export type Reference =
  | { readonly kind: "single"; readonly get: Get }
  /** Calls `sink` with each value there is. */
  | { readonly kind: "many"; each(sink: Sink): Step };

/** Compiles a reference; variables in it that are not bound are, from then on. */
export function compileReference(ref: RefTerm, scope: Scope, root: DataNode): Reference {
  const steps = ref.path.map((step) => compileStep(step, scope));
  const isSingle = steps.every((step) => step.kind === "key");
  const { head } = ref;
  if (head.kind === "scalar") return fromStart(() => undefined, steps, isSingle);
  if (head.kind !== "var") throw new Error(`reference head ${head.kind}`);
  if (head.name === "data") return compileDataReference(steps, isSingle, root);
  const slot = head.name === "input" ? -1 : scope.slot(head.name);
  const start: Get = slot < 0 ? (m) => m.input : (_m, s) => s[slot];
  return fromStart(start, steps, isSingle);
}

function compileStep(term: Term, scope: Scope): PathStep {
  if (!isBoundTerm(term, scope)) return { kind: "each", match: compileMatch(term, scope) };
  const constant = term.kind === "scalar" ? term.value : undefined;
  return { kind: "key", constant, get: compileTerm(term, scope) };
}

type Lookup = typeof lookup;

function fromStart(start: Get, steps: readonly PathStep[], isSingle: boolean, find: Lookup = lookup): Reference {
  if (isSingle) return { kind: "single", get: compileLookups(start, steps, find) };
  return {
    kind: "many",
    each: (sink) => {
      const walk = compileWalk(steps, sink, find);
      return (m, s) => {
        const value = start(m, s);
        return value === undefined ? false : walk(m, s, value);
      };
    },
  };
}

function compileLookups(start: Get, steps: readonly PathStep[], find: Lookup): Get {
  return steps.reduce<Get>((before, step) => {
    if (step.kind !== "key") return before;
    const { constant, get } = step;
    if (constant !== undefined) {
      return (m, s) => {
        const value = before(m, s);
        return value === undefined ? undefined : find(value, constant);
      };
    }
    return (m, s) => {
      const value = before(m, s);
      const key = value === undefined ? undefined : get(m, s);
      return value === undefined || key === undefined ? undefined : find(value, key);
    };
  }, start);
}

/** Walks from a value along the steps. */
function compileWalk(steps: readonly PathStep[], sink: Sink, find: Lookup = lookup): Sink {
  return steps.reduceRight<Sink>(
    (next, step) => (step.kind === "key" ? keyWalk(step.get, next, find) : eachWalk(step.match, next)),
    sink,
  );
}

function keyWalk(get: Get, next: Sink, find: Lookup): Sink {
  return (m, s, value) => {
    const key = get(m, s);
    const found = key === undefined ? undefined : find(value, key);
    return found === undefined ? false : next(m, s, found);
  };
}

function eachWalk(match: Match, next: Sink): Sink {
  return (m, s, value) => {
    if (isList(value)) {
      for (let i = 0; i < value.length; i++) {
        m.spend(1);
        const item = value[i];
        if (item !== undefined && match(m, s, i) && next(m, s, item)) return true;
      }
      return false;
    }
    return forEachMember(value, (key, member) => {
      m.spend(1);
      return match(m, s, key) && next(m, s, member);
    });
  };
}

function compileDataReference(steps: readonly PathStep[], isSingle: boolean, root: DataNode): Reference {
  let node: DataNode | undefined = root;
  const path: Value[] = [];
  for (const [i, step] of steps.entries()) {
    if (step.kind !== "key" || step.constant === undefined) return compileTreeWalk(node, path, steps.slice(i), isSingle);
    path.push(step.constant);
    node = node?.child(step.constant);
    const { rules } = node ?? {};
    if (rules !== undefined) {
      const rest = steps.slice(i + 1);
      return fromStart(compileRules(rules, [...path], rest), rest, isSingle);
    }
  }
  const whole = node;
  return { kind: "single", get: whole === undefined ? (m) => baseAt(m, path) : (m) => documentAt(m, whole) };
}

/** What rules make: all of it, or the part at the keys that follow. */
function compileRules(rules: RuleSet, path: readonly Value[], rest: readonly PathStep[]): Get {
  const firstOpen = rest.findIndex((step) => step.kind !== "key");
  const known = firstOpen < 0 ? rest : rest.slice(0, firstOpen);
  const keys = known.slice(0, rules.depth).flatMap((step) => (step.kind === "key" ? [step.get] : []));
  const isOther = (m: Machine): boolean => m.targets !== undefined && isReplaced(m, path);
  if (keys.length === 0) return (m) => (isOther(m) ? baseAt(m, path) : rules.value(m));
  return (m, s) => {
    if (isOther(m)) return baseAt(m, path);
    const values = valuesOf(keys, m, s);
    return values === undefined ? undefined : rules.valueAt(m, values);
  };
}

/** The rest of a reference into packages whose names are not constant. */
function compileTreeWalk(
  node: DataNode | undefined,
  path: readonly Value[],
  steps: readonly PathStep[],
  isSingle: boolean,
): Reference {
  if (node === undefined) return fromStart((m) => baseAt(m, path), steps, isSingle, baseLookup);
  const each = (sink: Sink): Step => {
    const walk = compileNodeWalk(steps, sink);
    return (m, s) => walk(m, s, node, path);
  };
  if (!isSingle) return { kind: "many", each };
  const slot: { value: Value | undefined } = { value: undefined };
  const find = each((_m, _s, value) => {
    slot.value = value;
    return true;
  });
  return {
    kind: "single",
    get: (m, s) => {
      slot.value = undefined;
      return find(m, s) ? slot.value : undefined;
    },
  };
}

type NodeWalk = (m: Machine, s: Slots, node: DataNode | undefined, path: readonly Value[]) => boolean;

function compileNodeWalk(steps: readonly PathStep[], sink: Sink): NodeWalk {
  const [step, ...rest] = steps;
  if (step === undefined) {
    return (m, s, node, path) => {
      const value = node === undefined ? baseAt(m, path) : documentAt(m, node);
      return value === undefined ? false : sink(m, s, value);
    };
  }
  const deeper = compileNodeWalk(rest, sink);
  const along = compileWalk(rest, sink);
  const enter = (m: Machine, s: Slots, node: DataNode | undefined, path: readonly Value[], key: Value): boolean => {
    const below = [...path, key];
    const child = isReplaced(m, below) ? undefined : node?.child(key);
    if (child?.rules === undefined) return deeper(m, s, child, below);
    const value = child.rules.value(m);
    return value === undefined ? false : along(m, s, value);
  };
  if (step.kind === "key") {
    const { get } = step;
    return (m, s, node, path) => {
      const key = get(m, s);
      return key === undefined ? false : enter(m, s, node, path, key);
    };
  }
  const { match } = step;
  return (m, s, node, path) => {
    m.spend(1);
    const base = baseAt(m, path);
    const visit = (key: Value): boolean => match(m, s, key) && enter(m, s, node, path, key);
    if (base !== undefined && forEachMember(base, visit)) return true;
    for (const child of node?.children() ?? []) {
      if (base !== undefined && lookup(base, child.key) !== undefined) continue;
      if (visit(child.key)) return true;
    }
    return false;
  };
}
