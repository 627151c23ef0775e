import type { Rule } from "../ast.ts";
import { constantOf } from "../compile/ground.ts";
import { printPath } from "../compile/print-term.ts";
import type { PlacedRule } from "../compile/rule-tree.ts";
import { branches, isTrueBody } from "../compile/transform.ts";
import { equalValues } from "../values/compare.ts";
import { printValue } from "../values/print.ts";
import type { Value } from "../values/value.ts";
import type { RuleSet } from "./data-tree.ts";
import { EvaluationFailure, type Get, type Machine, type Slots, type Step } from "./machine.ts";
import { type RuleCompiler, siteOf } from "./rule-compiler.ts";
import { indexRules } from "./rule-index.ts";
import { Scope } from "./scope.ts";
import { compileMatch, compileTerm, matchAll } from "./terms.ts";

/** The value of one branch of a rule, which all its solutions (and `before`) have to agree on. */
type Evaluate = (m: Machine, args: readonly Value[], before: Value | undefined) => Value | undefined;

/** One branch of a rule. */
interface Branch {
  readonly evaluate: Evaluate;
  /** Calls `visit` with the value of each solution, until it answers true. */
  each(m: Machine, args: readonly Value[], visit: (value: Value) => boolean): void;
  readonly place: string;
}

/** A rule and its else branches. */
type Alternatives = readonly Branch[];

/** Two values where there can be one; which rules made them is found out where it is caught. */
class Conflict extends Error {
  readonly failure: EvaluationFailure;
  readonly owner: object;

  constructor(failure: EvaluationFailure, owner: object) {
    super(failure.message);
    this.failure = failure;
    this.owner = owner;
  }
}

/** A conflict lists this many values. */
const mostValues = 10;
const longestValue = 80;

/** Rules that have one value: complete rules, and functions. */
export function compileOrdered(rules: readonly PlacedRule[], compiler: RuleCompiler, what: "rule" | "function"): RuleSet["call"] {
  const owner = {};
  const own = rules.filter((placed) => !placed.rule.isDefault);
  const compiled = own.map((placed) => compileBranches(placed, compiler, what, owner));
  const ordered = indexRules(
    own.map(({ rule }) => rule),
    compiled,
  );
  const standard = rules.find((placed) => placed.rule.isDefault);
  const fallback = standard === undefined ? [] : compileBranches(standard, compiler, what, owner);
  const same = sharedConstant(rules);
  const evaluate: RuleSet["call"] = (m, args) => {
    let value: Value | undefined;
    for (const alternatives of ordered(m)) {
      const found = firstValue(alternatives, m, args, value);
      if (found === undefined) continue;
      value = found;
      if (same) break;
    }
    return value === undefined ? firstValue(fallback, m, args, undefined) : value;
  };
  return (m, args) => {
    try {
      return evaluate(m, args);
    } catch (failure) {
      if (failure instanceof Conflict && failure.owner === owner) throw explained(failure.failure, ordered(m), m, args);
      throw failure;
    }
  };
}

function firstValue(branches: Alternatives, m: Machine, args: readonly Value[], before: Value | undefined): Value | undefined {
  for (const branch of branches) {
    const value = branch.evaluate(m, args, before);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The conflict with all values that there are; the rules are evaluated again to find them. */
function explained(
  failure: EvaluationFailure,
  rules: readonly Alternatives[],
  m: Machine,
  args: readonly Value[],
): EvaluationFailure {
  const values: { readonly value: Value; readonly place: string }[] = [];
  let more = false;
  for (const alternatives of rules) {
    for (const branch of alternatives) {
      let found = false;
      branch.each(m, args, (value) => {
        found = true;
        const [first] = values;
        if (first !== undefined && equalValues(first.value, value)) return false;
        more = values.length === mostValues;
        if (!more) values.push({ value, place: branch.place });
        // One more value of a rule is enough to point at it.
        return more || first !== undefined;
      });
      if (found) break;
    }
    if (more) break;
  }
  if (values.length < 2) return failure;
  const lines = values.map(({ value, place }) => `\n  ${shortened(printValue(value))} at ${place}`);
  const message = `${failure.message}:${lines.join("")}${more ? "\n  ..." : ""}`;
  return new EvaluationFailure(failure.code, message, failure.site);
}

function shortened(text: string): string {
  const line = Array.from(text.split(/\s+/).join(" "));
  return line.length > longestValue ? `${line.slice(0, longestValue).join("")}...` : line.join("");
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

function compileBranches(placed: PlacedRule, compiler: RuleCompiler, what: "rule" | "function", owner: object): Alternatives {
  return [...branches(placed.rule)].map((rule) => compileBranch(placed, rule, compiler, what, owner));
}

function compileBranch(placed: PlacedRule, rule: Rule, compiler: RuleCompiler, what: "rule" | "function", owner: object): Branch {
  const scope = new Scope();
  const matches = rule.head.args.map((arg) => compileMatch(arg, scope));
  const afterMatch = scope.inner();
  const result = scope.temporary();
  const constant = rule.head.value === undefined ? undefined : constantOf(rule.head.value);
  const suffix = what === "function" ? " for the same inputs" : "";
  const message = `${what} ${printPath("data", placed.path)} produced conflicting values${suffix}`;
  const conflict = (): never => {
    throw new Conflict(new EvaluationFailure("eval_conflict_error", message, siteOf(placed, rule)), owner);
  };
  const step =
    isTrueBody(rule.body) && constant !== undefined
      ? undefined
      : compiler.bodies(placed).body(rule.body, scope, (bound) => collect(rule, bound, result, constant, conflict));
  const evaluate = (m: Machine, s: Slots, before: Value | undefined): Value | undefined => {
    if (step === undefined) s[result] = constant;
    else if (step(m, s) && constant !== undefined) s[result] = constant;
    const value = s[result];
    if (value !== undefined && before !== undefined && !equalValues(before, value)) conflict();
    return value;
  };
  const each: Branch["each"] = (m, args, visit) => {
    const walk = compiler.bodies(placed).body(rule.body, afterMatch, (bound) => {
      const get: Get = rule.head.value === undefined ? () => undefined : compileTerm(rule.head.value, bound);
      return (machine, s) => {
        const value = get(machine, s);
        return value !== undefined && visit(value);
      };
    });
    const s = new Array<Value | undefined>(scope.size);
    if (matchAll(matches, m, s, args)) walk(m, s);
  };
  const { file, at } = siteOf(placed, rule);
  const place = `${file}:${at?.line ?? 0}`;
  if (matches.length === 0) {
    return { place, each, evaluate: (m, _args, before) => evaluate(m, new Array<Value | undefined>(scope.size), before) };
  }
  return {
    place,
    each,
    evaluate: (m, args, before) => {
      const s = new Array<Value | undefined>(scope.size);
      return matchAll(matches, m, s, args) ? evaluate(m, s, before) : undefined;
    },
  };
}

/** Keeps the value of the head; solutions have to agree on it. */
function collect(rule: Rule, bound: Scope, result: number, constant: Value | undefined, conflict: () => never): Step {
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
}
