import type { Body, Expr, Import, Module, Place, RefTerm, Rule, Term } from "../ast.ts";
import { visitTerms } from "../syntax/visit.ts";
import type { Compilation } from "./compilation.ts";
import { type Mapping, mapEach, mapExpr, mapParts, mapRule } from "./transform.ts";
import { Variables } from "./variables.ts";

/** A name of a module that stands for a document. */
interface Global {
  readonly root: string;
  readonly path: readonly string[];
  used: boolean;
}

/** What an import calls its document. */
export function importName(taken: Import): string {
  if (taken.alias !== undefined) return taken.alias;
  const last = taken.path.path.at(-1);
  if (last?.kind === "scalar") return String(last.value);
  return taken.path.head.kind === "var" ? taken.path.head.name : "";
}

/** Imports that only change the language. */
export function isLanguageImport(taken: Import): boolean {
  return taken.path.head.kind === "var" && (taken.path.head.name === "future" || taken.path.head.name === "rego");
}

/** Replaces the names of rules and imports by the documents that they stand for. */
export function resolveModule(module: Module, ruleNames: ReadonlySet<string>, compilation: Compilation): readonly Rule[] {
  const globals = new Map<string, Global>();
  for (const name of ruleNames) globals.set(name, { root: "data", path: [...module.package.path, name], used: false });
  for (const taken of module.imports) {
    if (isLanguageImport(taken)) continue;
    const path = taken.path.path.map((step) => (step.kind === "scalar" ? String(step.value) : ""));
    const root = taken.path.head.kind === "var" ? taken.path.head.name : "data";
    globals.set(importName(taken), { root, path, used: false });
  }
  const rules = module.rules.map((rule) => mapRule(rule, (branch) => resolveRule(branch, globals, module, compilation)));
  if (compilation.strict) {
    for (const taken of module.imports) {
      const global = globals.get(importName(taken));
      if (isLanguageImport(taken) || global === undefined || global.used) continue;
      compilation.object(module.file, taken.at, `${module.source.slice(taken.at.offset, taken.at.end).trim()} unused`);
    }
  }
  return rules;
}

/** Resolves a query in the package `path` with the given names. */
export function resolveQuery(body: Body, path: readonly string[], ruleNames: ReadonlySet<string>): Body {
  const globals = new Map<string, Global>();
  for (const name of ruleNames) globals.set(name, { root: "data", path: [...path, name], used: false });
  return new Resolver(globals, [declaredInBody(body)]).body(body);
}

function resolveRule(rule: Rule, globals: Map<string, Global>, module: Module, compilation: Compilation): Rule {
  const names = argumentNames(rule, (root) =>
    compilation.refuse(module.file, rule.at, `args must not shadow ${root} (use a different variable name)`),
  );
  const resolver = new Resolver(globals, [names, declaredInBody(rule.body)]);
  const { head } = rule;
  const [name, ...path] = head.ref;
  const resolved = {
    ...head,
    ref: [name, ...path.map((step) => resolver.term(step))] as const,
    key: head.key === undefined ? undefined : resolver.term(head.key),
    value: head.value === undefined ? undefined : resolver.term(head.value),
  };
  return { ...rule, head: resolved, body: resolver.body(rule.body) };
}

/** The variables that a rule's arguments bind. */
function argumentNames(rule: Rule, refuse: (root: string) => void): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (term: Term): boolean => {
    switch (term.kind) {
      case "var":
        names.add(term.name);
        return false;
      case "object":
        for (const [, value] of term.members) visitTerms(value, visit);
        return false;
      case "set":
      case "call":
      case "array-comprehension":
      case "set-comprehension":
      case "object-comprehension":
        return false;
      case "ref":
        if (term.path.length === 0 && term.head.kind === "var" && isRoot(term.head.name)) refuse(term.head.name);
        return true;
      default:
        return true;
    }
  };
  for (const arg of rule.head.args) visitTerms(arg, visit);
  return names;
}

export function isRoot(name: string): boolean {
  return name === "input" || name === "data";
}

/** The names that a body declares: `:=`, `some`. */
export function declaredInBody(body: Body): ReadonlySet<string> {
  const found = new Variables();
  for (const expr of body) declaredInExpr(expr, found);
  return new Set(found.names.keys());
}

function declaredInExpr(expr: Expr, found: Variables): void {
  switch (expr.kind) {
    case "call-expr": {
      const [left] = expr.args;
      if (left !== undefined && isAssignment(expr)) found.term(left);
      return;
    }
    case "some":
      found.terms(expr.names);
      return;
    case "some-in":
      if (expr.key !== undefined) found.term(expr.key);
      found.term(expr.value);
      return;
    case "every":
    case "not":
      for (const inner of expr.body) declaredInExpr(inner, found);
      return;
    case "and":
    case "or":
      for (const inner of [...expr.left, ...expr.right]) declaredInExpr(inner, found);
      return;
    case "term-expr":
  }
}

export function isAssignment(expr: Expr): boolean {
  return expr.kind === "call-expr" && expr.operator.kind === "var" && expr.operator.name === "assign" && expr.args.length === 2;
}

class Resolver implements Mapping {
  readonly #globals: Map<string, Global>;
  readonly #hidden: ReadonlySet<string>[];

  constructor(globals: Map<string, Global>, hidden: readonly ReadonlySet<string>[]) {
    this.#globals = globals;
    this.#hidden = [...hidden];
  }

  readonly term = (term: Term): Term => {
    switch (term.kind) {
      case "var":
        return this.#global(term.name, term.at) ?? term;
      case "ref": {
        const path = mapEach(term.path, this.term);
        const head = term.head.kind === "var" ? this.#global(term.head.name, term.head.at) : undefined;
        if (head !== undefined) return { ...term, head: head.head, path: [...head.path, ...path] };
        const own = term.head.kind === "var" ? term.head : this.term(term.head);
        return own === term.head && path === term.path ? term : { ...term, head: own, path };
      }
      case "array-comprehension":
      case "set-comprehension":
      case "object-comprehension":
        return this.#hiding(declaredInBody(term.body), () => mapParts(term, this));
      default:
        return mapParts(term, this);
    }
  };

  readonly body = (body: Body): Body => mapEach(body, this.expr);

  readonly part = (expr: Expr): Expr => this.expr(expr);

  readonly expr = (expr: Expr): Expr => {
    if (expr.kind !== "every") return mapExpr(expr, this);
    const names = new Variables().term(expr.value);
    if (expr.key !== undefined) names.term(expr.key);
    const mapped = mapExpr({ ...expr, body: [] }, this);
    const body = this.#hiding(new Set(names.names.keys()), () => this.body(expr.body));
    return mapped.kind === "every" ? { ...mapped, body } : mapped;
  };

  #hiding<T>(names: ReadonlySet<string>, work: () => T): T {
    this.#hidden.push(names);
    const result = work();
    this.#hidden.pop();
    return result;
  }

  #global(name: string, at: Place): RefTerm | undefined {
    const global = this.#globals.get(name);
    if (global === undefined || this.#hidden.some((names) => names.has(name))) return undefined;
    global.used = true;
    const path = global.path.map((value): Term => ({ kind: "scalar", value, at }));
    return { kind: "ref", head: { kind: "var", name: global.root, at }, path, at };
  }
}
