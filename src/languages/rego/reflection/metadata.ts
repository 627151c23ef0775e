import { isArray, isObject, type JsonObject, type JsonValue } from "../../../core/json.ts";
import type { Body, Expr, Module, Place, Rule, Term, VarTerm } from "../ast.ts";
import type { Compilation, Unit } from "../compile/compilation.ts";
import { generatedEquality } from "../compile/expand.ts";
import { appended, branches, mapBodies, mapBodiesOfTerm } from "../compile/transform.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import { visitExprs } from "../syntax/visit.ts";
import { parseNumber } from "../values/number.ts";
import { type Annotations, annotationsOf } from "./annotations.ts";

const chainCall = "rego.metadata.chain";
const ruleCall = "rego.metadata.rule";

/** Whether an expression calls `rego.metadata.chain` or `rego.metadata.rule`. */
function metadataCall(expr: Expr): string | undefined {
  const name = expr.kind === "call-expr" ? functionName(expr.operator) : undefined;
  return name === chainCall || name === ruleCall ? name : undefined;
}

interface OwnAnnotations extends Annotations {
  readonly package: readonly string[];
}

/** Gives calls of `rego.metadata` the annotations of their rules. `rules` of a unit are those of its module, in order. */
export function rewriteMetadataCalls(modules: readonly Module[], units: readonly Unit[], compilation: Compilation): void {
  const calls = units.some((unit) => unit.rules.some((rule) => [...branches(rule)].some((b) => callsOf(b).size > 0)));
  if (!calls) return;
  const all: OwnAnnotations[] = [];
  for (const module of modules) {
    const { annotations, issues } = annotationsOf(module);
    compilation.issues.push(...issues);
    all.push(...annotations.map((own) => ({ ...own, package: module.package.path })));
  }
  for (const [i, unit] of units.entries()) {
    const originals = modules[i]?.rules ?? [];
    unit.rules = unit.rules.map((rule, j) => rewriteRule(rule, originals[j], unit, all, compilation));
  }
}

function callsOf(rule: Rule): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (body: Body): Body => {
    visitExprs(body, (expr) => {
      const name = metadataCall(expr);
      if (name !== undefined) found.add(name);
    });
    return body;
  };
  look(rule.body);
  for (const term of [rule.head.key, rule.head.value]) if (term !== undefined) mapBodiesOfTerm(term, look);
  return found;
}

function rewriteRule(
  rule: Rule,
  original: Rule | undefined,
  unit: Unit,
  all: readonly OwnAnnotations[],
  compilation: Compilation,
): Rule {
  const otherwise = rule.otherwise === undefined ? undefined : rewriteRule(rule.otherwise, original, unit, all, compilation);
  const calls = callsOf(rule);
  if (calls.size === 0 || original === undefined) return { ...rule, otherwise };
  const bound = new Map<string, VarTerm>();
  const before: Expr[] = [];
  for (const name of [chainCall, ruleCall]) {
    if (!calls.has(name)) continue;
    const local = compilation.fresh(rule.at);
    const json = name === chainCall ? chainOf(original, unit, all) : ruleAnnotations(original, all);
    before.push(generatedEquality(local, termOf(json, rule.at)));
    bound.set(name, local);
  }
  const replace = (body: Body): Body => body.map((expr) => replaced(expr, bound));
  const { head } = rule;
  const inHead = (term: Term | undefined): Term | undefined => (term === undefined ? undefined : mapBodiesOfTerm(term, replace));
  const body = appended(before, mapBodies(rule.body, replace));
  return { ...rule, otherwise, head: { ...head, key: inHead(head.key), value: inHead(head.value) }, body };
}

function replaced(expr: Expr, bound: ReadonlyMap<string, VarTerm>): Expr {
  const local = bound.get(metadataCall(expr) ?? "");
  if (local === undefined || expr.kind !== "call-expr") return expr;
  const [output] = expr.args;
  const { at, with: modifiers, negated } = expr;
  if (output === undefined) return { kind: "term-expr", term: local, with: modifiers, negated, generated: true, at };
  const operator: VarTerm = { kind: "var", name: "eq", at };
  return { kind: "call-expr", operator, args: [output, local], with: modifiers, negated, generated: true, at };
}

/** The names of a rule, without variable steps. */
function pathOf(rule: Rule, names: readonly string[]): readonly string[] {
  const [name, ...path] = rule.head.ref;
  const steps: string[] = [...names, name.name];
  for (const step of path) {
    if (step.kind !== "scalar") break;
    steps.push(String(step.value));
  }
  return steps;
}

const samePath = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i]);

function ruleAnnotations(rule: Rule, all: readonly OwnAnnotations[]): JsonObject {
  const own = all.filter((a) => a.scope === "rule" && a.rule === rule);
  return own.sort((a, b) => a.at.offset - b.at.offset)[0]?.content ?? {};
}

/** The annotations that are about a rule, from the nearest to those of the outermost package. */
function chainOf(rule: Rule, unit: Unit, all: readonly OwnAnnotations[]): JsonValue {
  const path = pathOf(rule, unit.package);
  const entry = (own: OwnAnnotations): JsonValue => {
    const target = own.rule === undefined ? own.package : pathOf(own.rule, own.package);
    return { path: target, annotations: own.content };
  };
  const ofRule = all.filter((a) => a.scope === "rule" && a.rule === rule).sort((a, b) => b.at.offset - a.at.offset);
  const ofDocument = all.filter(
    (a) => a.scope === "document" && a.rule !== undefined && samePath(pathOf(a.rule, a.package), path),
  );
  const ofPackage = all.filter((a) => a.scope === "package" && samePath(a.package, unit.package));
  const ofParents = all
    .filter((a) => a.scope === "subpackages" && a.package.every((name, i) => unit.package[i] === name))
    .sort((a, b) => b.package.length - a.package.length);
  const first: JsonValue[] = ofRule.length > 0 ? ofRule.map(entry) : [{ path }];
  return [...first, ...ofDocument.map(entry), ...ofPackage.map(entry), ...ofParents.map(entry)];
}

/** JSON as a term. */
function termOf(json: JsonValue, at: Place): Term {
  if (isArray(json)) return { kind: "array", items: json.map((item) => termOf(item, at)), at };
  if (isObject(json)) {
    const members = Object.entries(json).flatMap(([key, value]): (readonly [Term, Term])[] =>
      value === undefined ? [] : [[{ kind: "scalar", value: key, at }, termOf(value, at)]],
    );
    return { kind: "object", members, at };
  }
  return { kind: "scalar", value: typeof json === "bigint" ? parseNumber(String(json)) : json, at };
}
