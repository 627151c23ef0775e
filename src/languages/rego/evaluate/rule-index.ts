import type { Expr, Rule } from "../ast.ts";
import { isEquality } from "../compile/safety.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";
import { isList, lookup } from "./lookup.ts";
import type { Machine } from "./machine.ts";

/** `input.a.b == "constant"`, which a rule cannot do without. */
interface Requirement {
  readonly path: readonly Value[];
  readonly value: Value;
}

/** Fewer rules are tried one by one. */
const fewestRules = 3;

/**
 * Which of `compiled` (one for each rule) need to be tried for the input at hand: where many rules ask for one member of
 * the input to be a constant, only those that ask for the one it is.
 */
export function indexRules<T>(rules: readonly Rule[], compiled: readonly T[]): (m: Machine) => readonly T[] {
  const requirements = rules.map(requirementsOf);
  const path = rules.length < fewestRules ? undefined : mostAskedFor(requirements);
  if (path === undefined) return () => compiled;
  const name = nameOf(path);
  const wanted = requirements.map((own) => own.find((requirement) => nameOf(requirement.path) === name));
  const keys = new Set(wanted.flatMap((requirement) => (requirement === undefined ? [] : [mapKey(requirement.value)])));
  const chosen = (key: MapKey | undefined): readonly T[] =>
    compiled.filter((_, i) => {
      const requirement = wanted[i];
      return requirement === undefined || (key !== undefined && mapKey(requirement.value) === key);
    });
  const byKey = new Map([...keys].map((key) => [key, chosen(key)]));
  const others = chosen(undefined);
  return (m) => {
    let value = m.input;
    for (const key of path) value = value === undefined ? undefined : lookup(value, key);
    // Collections equal no constant, and their keys are long.
    if (value === undefined || value instanceof RegoObject || value instanceof RegoSet || isList(value)) return others;
    return byKey.get(mapKey(value)) ?? others;
  };
}

function nameOf(path: readonly Value[]): string {
  return JSON.stringify(path);
}

function mostAskedFor(requirements: readonly (readonly Requirement[])[]): readonly Value[] | undefined {
  const counts = new Map<string, { count: number; readonly path: readonly Value[] }>();
  for (const own of requirements) {
    for (const { path } of own) {
      const known = counts.get(nameOf(path));
      if (known === undefined) counts.set(nameOf(path), { count: 1, path });
      else known.count++;
    }
  }
  const [best] = [...counts.values()].sort((a, b) => b.count - a.count);
  return best !== undefined && best.count >= fewestRules ? best.path : undefined;
}

function requirementsOf(rule: Rule): readonly Requirement[] {
  // Where the rule fails, what follows its else still counts.
  return rule.otherwise === undefined ? rule.body.flatMap(requirementOf) : [];
}

function requirementOf(expr: Expr): readonly Requirement[] {
  if (!isEquality(expr) || expr.negated || expr.with.length > 0) return [];
  const [left, right] = expr.args;
  const [reference, constant] = left?.kind === "ref" ? [left, right] : [right, left];
  if (reference?.kind !== "ref" || constant?.kind !== "scalar") return [];
  if (reference.head.kind !== "var" || reference.head.name !== "input") return [];
  const path: Value[] = [];
  for (const step of reference.path) {
    if (step.kind !== "scalar" || typeof step.value !== "string") return [];
    path.push(step.value);
  }
  return [{ path, value: constant.value }];
}
