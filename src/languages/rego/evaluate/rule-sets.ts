import type { Rule } from "../ast.ts";
import { constantOf } from "../compile/ground.ts";
import { printPath } from "../compile/print-term.ts";
import type { PlacedRule } from "../compile/rule-tree.ts";
import { branches, isTrueBody } from "../compile/transform.ts";
import { equalValues } from "../values/compare.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { RegoSet, type Value } from "../values/value.ts";
import { addTo, type BodyCompiler } from "./bodies.ts";
import type { RuleSet } from "./data-tree.ts";
import {
  EvaluationFailure,
  type Get,
  type Machine,
  nothing,
  type Remembered,
  type Site,
  type Slots,
  type Step,
} from "./machine.ts";
import { ObjectDraft } from "./object-draft.ts";
import { indexRules } from "./rule-index.ts";
import { Scope } from "./scope.ts";
import { compileMatch, compileTerm, type Match, valuesOf } from "./terms.ts";

/** A branch of a rule: its value, which all its solutions (and `before`) have to agree on. */
type Branch = (m: Machine, args: readonly Value[], before: Value | undefined) => Value | undefined;

/** What compiling rules needs. */
export interface RuleCompiler {
  bodies(placed: PlacedRule): BodyCompiler;
  /** A number for what a set of rules comes to. */
  nextResult(): number;
}

/** Compiles the rules at `path`, when they are asked for first. */
export function ruleSet(path: readonly Value[], rules: readonly PlacedRule[], compiler: RuleCompiler): RuleSet {
  const [first] = rules;
  const arity = first?.rule.head.args.length ?? 0;
  const result = compiler.nextResult();
  if (arity > 0) {
    let call: RuleSet["call"] | undefined;
    return {
      arity,
      depth: 0,
      value: () => undefined,
      valueAt: () => undefined,
      call: (m, args) => {
        call ??= compileOrdered(rules, compiler, "function");
        return call(m, args);
      },
    };
  }
  const isGeneral = rules.some((placed) => placed.path.length > path.length || placed.rule.head.value === undefined);
  let compute: ((m: Machine) => Value | undefined) | undefined;
  const value = (m: Machine): Value | undefined => {
    const known: Remembered = m.results[result];
    if (known !== undefined) return known === nothing ? undefined : known;
    if (compute === undefined) {
      const complete = isGeneral ? compilePartial(path, rules, compiler) : compileOrdered(rules, compiler, "rule");
      compute = (machine) => complete(machine, []);
    }
    m.spend(1);
    const found = compute(m);
    m.results[result] = found === undefined ? nothing : found;
    return found;
  };
  const depth = keyDepth(path, rules);
  const scoped: ((m: Machine, keys: readonly Value[]) => Value)[] = [];
  const valueAt = (m: Machine, keys: readonly Value[]): Value | undefined => {
    const known: Remembered = m.results[result];
    if (known !== undefined) return known === nothing ? undefined : known;
    scoped[keys.length] ??= compileScoped(path, rules, compiler, keys.length);
    m.parts ??= new Map();
    const id = `${result} ${mapKey(keys)}`;
    const part = m.parts.get(id) ?? scoped[keys.length]?.(m, keys);
    if (part !== undefined) m.parts.set(id, part);
    return part;
  };
  return { arity: undefined, depth, value, call: value, valueAt };
}

/** How many keys of the rules' object can be known before their bodies are evaluated. */
function keyDepth(path: readonly Value[], rules: readonly PlacedRule[]): number {
  const isObject = rules.some((placed) => placed.path.length > path.length);
  if (!isObject) return 0;
  const simple = rules.every((placed) =>
    placed.path.slice(path.length).every((step) => step.kind === "scalar" || step.kind === "var"),
  );
  return simple ? Math.max(...rules.map((placed) => placed.path.length)) - path.length : 0;
}

/** As {@link compilePartial} of an object, for `count` keys that are known. */
function compileScoped(
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

function siteOf(placed: PlacedRule, rule: Rule): Site {
  return { file: placed.unit.file, at: rule.at };
}

/** Rules that have one value: complete rules, and functions. */
function compileOrdered(rules: readonly PlacedRule[], compiler: RuleCompiler, what: "rule" | "function"): RuleSet["call"] {
  const own = rules.filter((placed) => !placed.rule.isDefault);
  const ordered = indexRules(
    own.map(({ rule }) => rule),
    own.map((placed) => compileBranches(placed, compiler, what)),
  );
  const [fallback] = rules.filter((placed) => placed.rule.isDefault).map((placed) => compileBranches(placed, compiler, what));
  const same = sharedConstant(rules);
  return (m, args) => {
    let value: Value | undefined;
    for (const branch of ordered(m)) {
      const found = branch(m, args, value);
      if (found === undefined) continue;
      value = found;
      if (same) break;
    }
    return value === undefined ? fallback?.(m, args, undefined) : value;
  };
}

/** Whether all rules, and what else they come to, have the same constant value. */
function sharedConstant(rules: readonly PlacedRule[]): boolean {
  let shared: Value | undefined;
  for (const { rule } of rules) {
    if (rule.isDefault) continue;
    for (const branch of branches(rule)) {
      const value = branch.head.value === undefined ? undefined : constantOf(branch.head.value);
      if (value === undefined || (shared !== undefined && !equalValues(shared, value))) return false;
      shared = value;
    }
  }
  return true;
}

/** A rule and its else branches: the first that has a value. */
function compileBranches(placed: PlacedRule, compiler: RuleCompiler, what: "rule" | "function"): Branch {
  const compiled = [...branches(placed.rule)].map((rule) => compileBranch(placed, rule, compiler, what));
  const [only] = compiled;
  if (compiled.length === 1 && only !== undefined) return only;
  return (m, args, before) => {
    for (const branch of compiled) {
      const value = branch(m, args, before);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

function compileBranch(placed: PlacedRule, rule: Rule, compiler: RuleCompiler, what: "rule" | "function"): Branch {
  const scope = new Scope();
  const matches = rule.head.args.map((arg) => compileMatch(arg, scope));
  const result = scope.temporary();
  const constant = rule.head.value === undefined ? undefined : constantOf(rule.head.value);
  const message =
    what === "function"
      ? `function ${printPath("data", placed.path)} produced conflicting values for the same inputs`
      : `rule ${printPath("data", placed.path)} produced conflicting values`;
  const conflict = (): never => {
    throw new EvaluationFailure("eval_conflict_error", message, siteOf(placed, rule));
  };
  const step =
    isTrueBody(rule.body) && constant !== undefined
      ? undefined
      : compileSteps(placed, rule, compiler, scope, result, constant, conflict);
  const run = (m: Machine, s: Slots, before: Value | undefined): Value | undefined => {
    if (step === undefined) s[result] = constant;
    else if (step(m, s) && constant !== undefined) s[result] = constant;
    const value = s[result];
    if (value !== undefined && before !== undefined && !equalValues(before, value)) conflict();
    return value;
  };
  if (matches.length === 0) return (m, _args, before) => run(m, new Array<Value | undefined>(scope.size), before);
  return (m, args, before) => {
    const s = new Array<Value | undefined>(scope.size);
    return matchAll(matches, m, s, args) ? run(m, s, before) : undefined;
  };
}

function matchAll(matches: readonly Match[], m: Machine, s: Slots, args: readonly Value[]): boolean {
  for (let i = 0; i < matches.length; i++) {
    const arg = args[i];
    const match = matches[i];
    if (arg === undefined || match === undefined || !match(m, s, arg)) return false;
  }
  return true;
}

function compileSteps(
  placed: PlacedRule,
  rule: Rule,
  compiler: RuleCompiler,
  scope: Scope,
  result: number,
  constant: Value | undefined,
  conflict: () => never,
): Step {
  return compiler.bodies(placed).body(rule.body, scope, (bound) => {
    // Where all solutions have the same value, one is enough.
    if (constant !== undefined) return () => true;
    const get: Get = rule.head.value === undefined ? () => undefined : compileTerm(rule.head.value, bound);
    return (m, s) => {
      const value = get(m, s);
      const known = s[result];
      if (known === undefined) s[result] = value;
      else if (value !== undefined && !equalValues(known, value)) conflict();
      return false;
    };
  });
}

/** Rules that add to a set or an object. */
function compilePartial(
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
      const set = new Map<MapKey, Value>();
      m.set = set;
      for (const step of steps(m)) step(m);
      m.set = outer;
      return RegoSet.own(set);
    };
  }
  const whole = compileScoped(path, rules, compiler, 0);
  return (m) => whole(m, []);
}

function compileSetRule(placed: PlacedRule, compiler: RuleCompiler): (m: Machine) => void {
  const { rule } = placed;
  const scope = new Scope();
  const step = compiler.bodies(placed).body(rule.body, scope, (bound) => {
    const get: Get = rule.head.key === undefined ? () => undefined : compileTerm(rule.head.key, bound);
    return (m, s) => {
      const value = get(m, s);
      if (value !== undefined) addTo(m.set, value);
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
