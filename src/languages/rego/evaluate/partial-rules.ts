import type { PlacedRule } from "../compile/rule-tree.ts";
import { RegoSet, type Value } from "../values/value.ts";
import { addTo } from "./bodies.ts";
import { EvaluationFailure, type Get, type Machine } from "./machine.ts";
import { ObjectDraft } from "./object-draft.ts";
import { type RuleCompiler, siteOf } from "./rule-compiler.ts";
import { indexRules } from "./rule-index.ts";
import { Scope } from "./scope.ts";
import { compileMatch, compileTerm, matchAll, valuesOf } from "./terms.ts";

/** Rules that add to a set or an object. */
export function compilePartial(
  path: readonly Value[],
  rules: readonly PlacedRule[],
  compiler: RuleCompiler,
): (m: Machine, args: readonly Value[]) => Value {
  const isSet = rules.every((placed) => placed.path.length === path.length);
  if (isSet) {
    const steps = indexRules(
      rules.map(({ rule }) => rule),
      rules.map((placed) => compileSetRule(placed, compiler)),
    );
    return (m) => {
      const outer = m.set;
      m.set = undefined;
      for (const step of steps(m)) step(m);
      const set = m.set ?? RegoSet.empty;
      m.set = outer;
      return set;
    };
  }
  const whole = compileScoped(path, rules, compiler, 0);
  return (m) => whole(m, []);
}

/** How many keys of the rules' object can be known before their bodies are evaluated. */
export function keyDepth(path: readonly Value[], rules: readonly PlacedRule[]): number {
  const isObject = rules.some((placed) => placed.path.length > path.length);
  if (!isObject) return 0;
  const simple = rules.every((placed) =>
    placed.path.slice(path.length).every((step) => step.kind === "scalar" || step.kind === "var"),
  );
  return simple ? Math.max(...rules.map((placed) => placed.path.length)) - path.length : 0;
}

/** As {@link compilePartial} of an object, for `count` keys that are known. */
export function compileScoped(
  path: readonly Value[],
  rules: readonly PlacedRule[],
  compiler: RuleCompiler,
  count: number,
): (m: Machine, keys: readonly Value[]) => Value {
  const steps = indexRules(
    rules.map(({ rule }) => rule),
    rules.map((placed) => compileObjectRule(path, placed, compiler, count)),
  );
  return (m, keys) => {
    const outer = m.draft;
    const draft = new ObjectDraft();
    m.draft = draft;
    for (const step of steps(m)) step(m, keys);
    m.draft = outer;
    return draft.finish();
  };
}

function compileSetRule(placed: PlacedRule, compiler: RuleCompiler): (m: Machine) => void {
  const { rule } = placed;
  const scope = new Scope();
  const step = compiler.bodies(placed).body(rule.body, scope, (bound) => {
    const get: Get = rule.head.key === undefined ? () => undefined : compileTerm(rule.head.key, bound);
    return (m, s) => {
      const value = get(m, s);
      if (value !== undefined) addTo(m, value);
      return false;
    };
  });
  return (m) => {
    step(m, new Array<Value | undefined>(scope.size));
  };
}

function compileObjectRule(
  path: readonly Value[],
  placed: PlacedRule,
  compiler: RuleCompiler,
  count: number,
): (m: Machine, known: readonly Value[]) => void {
  const { rule } = placed;
  const scope = new Scope();
  const site = siteOf(placed, rule);
  const steps = placed.path.slice(path.length);
  const matches = steps.slice(0, count).map((step) => compileMatch(step, scope));
  const step = compiler.bodies(placed).body(rule.body, scope, (bound) => {
    const keys = steps.map((term) => compileTerm(term, bound));
    const { key, value } = rule.head;
    const item = value ?? key;
    const get: Get = item === undefined ? () => undefined : compileTerm(item, bound);
    return (m, s) => {
      const at = valuesOf(keys, m, s);
      const found = get(m, s);
      if (at === undefined || found === undefined || m.draft === undefined) return false;
      const fits = value === undefined ? m.draft.add(at, found) : m.draft.put(at, found);
      if (!fits) throw new EvaluationFailure("eval_conflict_error", "object keys must be unique", site);
      return false;
    };
  });
  return (m, known) => {
    const s = new Array<Value | undefined>(scope.size);
    if (matchAll(matches, m, s, known)) step(m, s);
  };
}
