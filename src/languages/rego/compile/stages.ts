import type { Body, Expr, Module, Rule, Term } from "../ast.ts";
import { builtins } from "../builtins/index.ts";
import { rewriteMetadataCalls } from "../reflection/metadata.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import { trueBody } from "../syntax/rule-parser.ts";
import { visitBodyTerms, visitTerms } from "../syntax/visit.ts";
import { checkTypes } from "../types/check.ts";
import { Compilation, type Unit } from "./compilation.ts";
import { checkConflicts } from "./conflicts.ts";
import { Dependencies } from "./dependencies.ts";
import { DynamicRewriter } from "./dynamics.ts";
import { generatedEquality, TermExpander } from "./expand.ts";
import { arityIn, checkCalls } from "./functions.ts";
import { renameLocals, renameQueryLocals } from "./locals.ts";
import { checkDeprecated, checkVoidCalls } from "./misuse.ts";
import { ModifierRewriter } from "./modifiers.ts";
import { checkNames } from "./names.ts";
import { checkRecursion } from "./recursion.ts";
import { resolveModule, resolveQuery } from "./resolve.ts";
import { type RuleNode, ruleTree } from "./rule-tree.ts";
import { Reordering } from "./safety.ts";
import { refuseUnsafe, refuseUnsafeHeads } from "./safety-issues.ts";
import { TemplateRewriter } from "./templates.ts";
import { appended, branches, isTrueBody, mapBodies, mapBodiesOfTerm, mapRule } from "./transform.ts";
import { varsOfTerm } from "./variables.ts";

/** Modules after all stages: rules whose bodies can be evaluated from left to right. */
export interface CompiledModules {
  readonly tree: RuleNode;
  readonly compilation: Compilation;
}

/** Compiles modules; what is wrong with them is in the issues of the compilation. */
export function compileModules(modules: readonly Module[], strict: boolean): CompiledModules {
  const compilation = new Compilation(
    strict,
    modules.map((module) => module.source),
  );
  const names = namesOfPackages(modules);
  const units = modules.map((module): Unit => {
    const rules = resolveModule(module, names.get(module.package.path.join("\u0000")) ?? new Set(), compilation);
    const { file, source } = module;
    const isV1 = module.version >= 1;
    return { file, source, package: module.package.path, packageAt: module.package.at, isV1, rules };
  });
  let tree = ruleTree([]);
  const each = (work: (unit: Unit) => void): void => {
    if (!compilation.failed) for (const unit of units) work(unit);
  };
  const where = (text: string, work: (unit: Unit) => void): void => {
    if (!compilation.failed) for (const unit of units) if (mentions(unit, text)) work(unit);
  };
  const stages: readonly (() => void)[] = [
    () => {
      for (const [i, unit] of units.entries()) {
        const module = modules[i];
        if (module !== undefined) checkNames(module, unit, compilation);
      }
    },
    () => each((unit) => renameUnit(unit, compilation)),
    () => where("$", (unit) => stage(unit, (rule) => new TemplateRewriter(compilation).rule(rule))),
    () => each((unit) => checkVoidCalls(unit, compilation)),
    () => where("print(", (unit) => stage(unit, erasePrints)),
    () => each((unit) => stage(unit, (rule) => new TermExpander(compilation).rule(rule))),
    () => (units.some((unit) => mentions(unit, "metadata")) ? rewriteMetadataCalls(modules, units, compilation) : undefined),
    () => each((unit) => stage(unit, (rule) => new TermExpander(compilation).captureHeads(rule))),
    () => {
      tree = ruleTree(units);
    },
    () => where("with", (unit) => rewriteModifiers(unit, tree, compilation)),
    () => checkConflicts(tree, units, compilation),
    () => each((unit) => checkUnitCalls(unit, tree, compilation)),
    () => each((unit) => checkHeads(unit, compilation)),
    () => each((unit) => orderBodies(unit, tree, compilation)),
    () => each((unit) => flatten(unit, compilation)),
    () => {
      tree = ruleTree(units);
    },
    () => {
      const dependencies = new Dependencies(tree);
      checkRecursion(tree, dependencies, compilation);
      if (!compilation.failed) checkTypes(tree, dependencies, compilation);
    },
    () => each((unit) => checkDeprecated(unit, compilation)),
  ];
  for (const run of stages) {
    run();
    if (compilation.failed) break;
  }
  return { tree, compilation };
}

/** Whether a source may have the text in it: what has not needs no stage that is about it. Names may be escaped. */
function mentions({ source }: Unit, text: string): boolean {
  return source.includes(text) || source.includes("\\u");
}

function renameUnit(unit: Unit, compilation: Compilation): void {
  unit.rules = unit.rules.map((rule) => renameLocals(captureHeadPath(rule, compilation), unit.file, compilation));
}

function flatten(unit: Unit, compilation: Compilation): void {
  const dynamics = new DynamicRewriter(compilation);
  stage(unit, (rule) => ({ ...rule, body: dynamics.body(mapBodies(rule.body, unifyEquals)) }));
}

function stage(unit: Unit, map: (rule: Rule) => Rule): void {
  unit.rules = unit.rules.map((rule) => mapRule(rule, map));
}

/** The names of the rules of each package. */
function namesOfPackages(modules: readonly Module[]): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const module of modules) {
    const id = module.package.path.join("\u0000");
    const known = names.get(id) ?? new Set();
    names.set(id, known);
    for (const rule of module.rules) known.add(rule.head.ref[0].name);
  }
  return names;
}

/** In the path of a head only scalars and variables stay. */
function captureHeadPath(rule: Rule, compilation: Compilation): Rule {
  return mapRule(rule, (branch) => {
    const [name, ...path] = branch.head.ref;
    let { body } = branch;
    let { key } = branch.head;
    const simple = path.map((step): Term => {
      if (step.kind === "scalar" || step.kind === "var") return step;
      const local = compilation.fresh(step.at);
      if (key === step) key = local;
      body = appended(body, [generatedEquality(local, step)]);
      return local;
    });
    return { ...branch, head: { ...branch.head, ref: [name, ...simple], key }, body };
  });
}

/** Calls of `print` do nothing here. */
function erasePrints(rule: Rule): Rule {
  const erase = (body: Body): Body => {
    const kept = body.filter((expr) => expr.kind !== "call-expr" || functionName(expr.operator) !== "print");
    return kept.length > 0 ? kept : trueBody(body[0]?.at ?? rule.at);
  };
  const { head } = rule;
  const inHead = (term: Term | undefined): Term | undefined => (term === undefined ? undefined : mapBodiesOfTerm(term, erase));
  if (!callsPrint(rule)) return rule;
  return { ...rule, head: { ...head, key: inHead(head.key), value: inHead(head.value) }, body: mapBodies(rule.body, erase) };
}

function callsPrint(rule: Rule): boolean {
  let found = false;
  const visit = (term: Term): boolean => {
    if (term.kind === "var" && term.name === "print") found = true;
    return !found;
  };
  visitBodyTerms(rule.body, visit);
  if (rule.head.value !== undefined) visitTerms(rule.head.value, visit);
  if (rule.head.key !== undefined) visitTerms(rule.head.key, visit);
  return found;
}

function rewriteModifiers(unit: Unit, tree: RuleNode, compilation: Compilation): void {
  const rewriter = new ModifierRewriter(tree, unit.file, compilation);
  stage(unit, (rule) => {
    const { head } = rule;
    const inHead = (term: Term | undefined): Term | undefined =>
      term === undefined ? undefined : mapBodiesOfTerm(term, rewriter.body);
    const body = mapBodies(rule.body, rewriter.body);
    return { ...rule, head: { ...head, key: inHead(head.key), value: inHead(head.value) }, body };
  });
}

function checkUnitCalls(unit: Unit, tree: RuleNode, compilation: Compilation): void {
  for (const rule of unit.rules) {
    for (const branch of branches(rule)) checkCalls(branch.body, tree, unit.file, compilation);
  }
}

function checkHeads(unit: Unit, compilation: Compilation): void {
  for (const rule of unit.rules) for (const branch of branches(rule)) refuseUnsafeHeads(branch, unit, compilation);
}

function orderBodies(unit: Unit, tree: RuleNode, compilation: Compilation): void {
  const reordering = new Reordering((operator) => arityIn(tree, operator));
  stage(unit, (rule) => {
    const globals = new Set(["input", "data", ...rule.head.args.flatMap((arg) => [...varsOfTerm(arg)])]);
    const { body, unsafe } = reordering.reorder(rule.body, globals);
    refuseUnsafe(unsafe, unit.file, compilation);
    return { ...rule, body };
  });
}

/** In rules, `==` of what may be a variable's only value is `=`. */
function unifyEquals(body: Body): Body {
  return body.map((expr): Expr => {
    if (expr.kind !== "call-expr" || expr.operator.kind !== "var" || expr.operator.name !== "equal") return expr;
    return expr.args.length === 2 ? { ...expr, operator: { ...expr.operator, name: "eq" } } : expr;
  });
}

/** A query after all stages. */
export interface CompiledQuery {
  readonly body: Body;
  /** The variables whose values are asked for: what the query calls them, and what its body does. */
  readonly outputs: readonly (readonly [name: string, unique: string])[];
  readonly compilation: Compilation;
}

/** Compiles a query against compiled modules. */
export function compileQuery(query: Body, source: string, tree: RuleNode): CompiledQuery {
  const compilation = new Compilation(false, [source]);
  const resolved = resolveQuery(query, [], new Set());
  const renamed = renameQueryLocals(resolved, compilation);
  const templates = new TemplateRewriter(compilation);
  const expander = new TermExpander(compilation);
  let body = mapBodies(templates.body(renamed.body), erasePrintsOfQuery);
  const outputs = outputsOf(body, compilation);
  body = expander.captureInBody(expander.body(body));
  body = mapBodies(body, new ModifierRewriter(tree, "", compilation).body);
  checkCalls(body, tree, "", compilation);
  const reordering = new Reordering((operator) => arityIn(tree, operator));
  const ordered = reordering.reorder(body, new Set(["input", "data"]));
  refuseUnsafe(ordered.unsafe, "", compilation);
  body = new DynamicRewriter(compilation).body(ordered.body);
  return { body, outputs, compilation };
}

function erasePrintsOfQuery(body: Body): Body {
  const kept = body.filter((expr) => expr.kind !== "call-expr" || functionName(expr.operator) !== "print");
  return kept.length > 0 || isTrueBody(body) ? kept : body;
}

/** The variables of a query, those of its comprehensions left out. */
function outputsOf(body: Body, compilation: Compilation): readonly (readonly [string, string])[] {
  const found = new Map<string, string>();
  const visit = (term: Term): boolean => {
    if (term.kind.endsWith("comprehension") || term.kind === "template") return false;
    if (term.kind === "call") {
      for (const arg of term.args) visitTerms(arg, visit);
      return false;
    }
    if (term.kind !== "var" || term.name.startsWith("$") || term.name === "input" || term.name === "data") return true;
    found.set(compilation.originals.get(term.name) ?? term.name, term.name);
    return false;
  };
  for (const expr of body) {
    if (expr.negated || expr.kind === "not" || expr.kind === "and" || expr.kind === "or") continue;
    if (expr.kind === "every") visitTerms(expr.domain, visit);
    else if (expr.kind === "term-expr") visitTerms(expr.term, visit);
    else if (expr.kind === "call-expr") for (const arg of expr.args) visitTerms(arg, visit);
  }
  return [...found].filter(
    ([, unique]) => (!builtins.has(unique) && !unique.startsWith("__local")) || isOwn(unique, compilation),
  );
}

/** Whether the query itself declared the variable. */
function isOwn(unique: string, compilation: Compilation): boolean {
  return compilation.originals.has(unique);
}
