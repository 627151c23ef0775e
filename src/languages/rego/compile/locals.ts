import type { Body, Expr, Place, Rule, Term, VarTerm, With } from "../ast.ts";
import { builtins } from "../builtins/index.ts";
import { trueBody } from "../syntax/rule-parser.ts";
import { valueName } from "../syntax/term-parser.ts";
import { visitExprs, visitTerms } from "../syntax/visit.ts";
import type { Compilation } from "./compilation.ts";
import { boundByEquality } from "./equality.ts";
import { LocalScopes, type Occurrence } from "./local-scopes.ts";
import { declaredInBody, isAssignment, isRoot } from "./resolve.ts";
import { branches, type Mapping, mapExpr, mapParts, mapWith } from "./transform.ts";
import { isGenerated, isWildcard, patternLooking, varsOfBody, varsOfTerm } from "./variables.ts";

const assignInNegated = "cannot assign vars inside negated expression";
const assignInOperand = {
  and: "cannot assign vars inside implicit and operand",
  or: "cannot assign vars inside implicit or operand",
};

/** Gives the variables that a rule declares unique names, and turns declarations into equalities. */
export function renameLocals(rule: Rule, file: string, compilation: Compilation): Rule {
  const outer = new LocalScopes();
  const renamer = new LocalRenamer(outer, file, compilation);
  const args = rule.head.args.map((arg) => renamer.argument(arg));
  const unusedArgs = compilation.strict ? new Set(rule.head.args.flatMap((arg) => [...varsOfTerm(arg)])) : new Set<string>();
  const renamed: Rule[] = [];
  for (const branch of branches(rule)) {
    const scopes = outer.copy();
    const own = branch === rule ? { ...branch, head: { ...branch.head, args } } : withArguments(branch, outer);
    renamed.push(new LocalRenamer(scopes, file, compilation).rule(own));
    for (const name of unusedArgs) {
      const used = scopes.count(name) > 1 || (branch.head.value !== undefined && varsOfTerm(branch.head.value).has(name));
      if (used) unusedArgs.delete(name);
    }
  }
  for (const name of unusedArgs) {
    if (isWildcard(name)) continue;
    compilation.object(file, rule.head.at, `unused argument ${name}. (hint: use _ (wildcard variable) instead)`);
  }
  return renamed.reduceRight<Rule | undefined>((otherwise, branch) => ({ ...branch, otherwise }), undefined) ?? rule;
}

/** As {@link renameLocals}, for a query. */
export function renameQueryLocals(body: Body, compilation: Compilation): { body: Body; scopes: LocalScopes } {
  const scopes = new LocalScopes();
  return { body: new LocalRenamer(scopes, "", compilation).body(body, new Set()), scopes };
}

/** Else branches share the arguments of their rule. */
function withArguments(branch: Rule, scopes: LocalScopes): Rule {
  const mapping: Mapping = {
    term: (term) => {
      if (term.kind !== "var") return mapParts(term, mapping);
      return { ...term, name: scopes.unique(term.name) ?? term.name };
    },
    body: (body) => body,
  };
  return { ...branch, head: { ...branch.head, args: branch.head.args.map(mapping.term) } };
}

class LocalRenamer implements Mapping {
  readonly #scopes: LocalScopes;
  readonly #file: string;
  readonly #compilation: Compilation;
  #refused = false;

  constructor(scopes: LocalScopes, file: string, compilation: Compilation) {
    this.#scopes = scopes;
    this.#file = file;
    this.#compilation = compilation;
  }

  #refuse(at: Place, message: string): void {
    this.#refused = true;
    this.#compilation.refuse(this.#file, at, message);
  }

  #insert(term: VarTerm, occurrence: Occurrence): VarTerm {
    const unique = this.#compilation.fresh(term.at);
    this.#scopes.insert(term.name, unique.name, occurrence);
    this.#compilation.originals.set(unique.name, term.name);
    return unique;
  }

  /** The argument of a function: its variables are the first of the rule. */
  argument(term: Term): Term {
    switch (term.kind) {
      case "var": {
        const known = this.#scopes.unique(term.name);
        if (known === undefined) return this.#insert(term, "argument");
        this.#scopes.markSeen(term.name);
        return { ...term, name: known };
      }
      case "array":
        return { ...term, items: term.items.map((item) => this.argument(item)) };
      case "object":
        return { ...term, members: term.members.map(([key, value]) => [key, this.argument(value)] as const) };
      case "ref":
        return { ...term, head: this.argument(term.head), path: term.path.map((step) => this.argument(step)) };
      case "call":
        this.#refuse(term.at, "rule arguments cannot contain calls");
        return term;
      default:
        return term;
    }
  }

  rule(rule: Rule): Rule {
    const head = this.#renameClosures(rule);
    const used = new Set<string>();
    for (const term of [...head.ref.slice(1), head.key, head.value]) {
      if (term !== undefined) for (const name of varsOfTerm(term)) used.add(name);
    }
    this.#renameBuiltinNames(rule);
    const body = this.body(rule.body, used);
    const names = this.#scopes.top();
    const mapping: Mapping = {
      term: (term) => {
        if (term.kind !== "var") return mapParts(term, mapping);
        const unique = names.get(term.name);
        return unique === undefined ? term : { ...term, name: unique };
      },
      body: (inner) => inner.map((expr) => mapExpr(expr, mapping)),
    };
    const [name, ...path] = head.ref;
    const renamed = {
      ...head,
      ref: [name, ...path.map(mapping.term)] as const,
      args: head.args.map(mapping.term),
      key: head.key === undefined ? undefined : mapping.term(head.key),
      value: head.value === undefined ? undefined : mapping.term(head.value),
    };
    return { ...rule, head: renamed, body };
  }

  /** What comprehensions in a head declare is theirs alone. */
  #renameClosures(rule: Rule): Rule["head"] {
    const { head } = rule;
    const mapping: Mapping = {
      term: (term) => {
        switch (term.kind) {
          case "array-comprehension":
          case "set-comprehension":
          case "object-comprehension":
          case "template":
            return new LocalRenamer(new LocalScopes(), this.#file, this.#compilation).term(term);
          default:
            return mapParts(term, mapping);
        }
      },
      body: (body) => body,
    };
    return {
      ...head,
      key: head.key === undefined ? undefined : mapping.term(head.key),
      value: head.value === undefined ? undefined : mapping.term(head.value),
    };
  }

  /** Variables that are named like builtins get names of their own, lest they be taken for them. */
  #renameBuiltinNames(rule: Rule): void {
    const declared = declaredInBody(rule.body);
    const inModifiers = new Set<string>();
    visitExprs(rule.body, (expr) => {
      for (const modifier of expr.with) {
        visitTerms(modifier.target, (term) => collectName(term, inModifiers));
        visitTerms(modifier.value, (term) => collectName(term, inModifiers));
      }
    });
    for (const name of varsOfBody(rule.body, { skipFunctions: true, skipClosures: true })) {
      if (!builtins.has(name) || declared.has(name) || inModifiers.has(name)) continue;
      if (this.#scopes.unique(name) === undefined) this.#insert({ kind: "var", name, at: rule.at }, "seen");
    }
  }

  /** @param used variables that what surrounds the body uses */
  readonly body = (body: Body, used: ReadonlySet<string> = new Set()): Body => {
    const before = this.#refused;
    const renamed = body.flatMap((expr) => this.#statement(expr));
    const whole = renamed.length > 0 ? renamed : trueBody(body[0]?.at ?? { offset: 0, end: 0, line: 1, column: 1 });
    if (!this.#refused || before) {
      if (this.#compilation.strict) this.#refuseUnused(body, "assigned", this.#unusedAssigned(used));
      this.#refuseUnused(body, "declared", this.#unusedDeclared(whole, used));
    }
    return whole;
  };

  #unusedAssigned(used: ReadonlySet<string>): readonly string[] {
    const isUsed = (name: string, unique: string): boolean => used.has(name) || used.has(unique);
    return this.#scopes
      .ofTop("assigned")
      .filter(([name, unique]) => !name.startsWith("$") && this.#scopes.count(name) <= 1 && !isUsed(name, unique))
      .map(([name]) => name);
  }

  #unusedDeclared(body: Body, used: ReadonlySet<string>): readonly string[] {
    const declared = this.#scopes.ofTop("declared");
    if (declared.length === 0) return [];
    const found = varsOfBody(body);
    const usedNames = new Set([...used].map((name) => this.#scopes.unique(name) ?? name));
    return declared.filter(([, unique]) => !found.has(unique) && !usedNames.has(unique)).map(([name]) => name);
  }

  #refuseUnused(body: Body, how: "assigned" | "declared", names: readonly string[]): void {
    for (const name of names) {
      if (isGenerated(name)) continue;
      const expr = body.find((candidate) => declaredInBody([candidate]).has(name)) ?? body[0];
      if (expr !== undefined) this.#compilation.object(this.#file, expr.at, `${how} var ${name} unused`);
    }
  }

  #statement(expr: Expr): readonly Expr[] {
    if (isAssignment(expr)) return [this.#assignment(expr)];
    switch (expr.kind) {
      case "some":
        for (const name of expr.names) this.#declare(name, "declared", expr.at);
        return [];
      case "some-in":
        return this.#someIn(expr);
      case "every":
        return [this.#every(expr)];
      case "not":
        return [this.#not(expr)];
      case "and":
      case "or":
        return [this.#logical(expr)];
      default:
        return [this.expr(expr)];
    }
  }

  #declare(term: VarTerm, occurrence: Occurrence, at: Place): VarTerm {
    const known = this.#scopes.occurrence(term.name);
    if (known === undefined) return this.#insert(term, occurrence);
    const messages: { readonly [how in Occurrence]: string } = {
      seen: `var ${term.name} referenced above`,
      assigned: `var ${term.name} assigned above`,
      declared: `var ${term.name} declared above`,
      argument: `arg ${term.name} redeclared`,
    };
    this.#refuse(at, messages[known]);
    return term;
  }

  #assignment(expr: Expr): Expr {
    const [left, right] = expr.kind === "call-expr" ? expr.args : [];
    if (expr.kind !== "call-expr" || left === undefined || right === undefined) return expr;
    if (expr.negated) {
      this.#refuse(expr.at, assignInNegated);
      return expr;
    }
    const value = this.term(right);
    const modifiers = expr.with.map((modifier) => ({ ...modifier, value: this.term(modifier.value) }));
    const target = this.#target(left);
    const operator: VarTerm = { kind: "var", name: "eq", at: expr.operator.at };
    return { ...expr, operator, args: [target, value], with: modifiers, assignment: true };
  }

  #target(term: Term): Term {
    switch (term.kind) {
      case "var":
        return this.#declare(term, "assigned", term.at);
      case "array":
        return { ...term, items: term.items.map((item) => this.#target(item)) };
      case "object":
        return { ...term, members: term.members.map(([key, value]) => [key, this.#target(value)] as const) };
      case "ref":
        if (term.path.length === 0 && term.head.kind === "var" && isRoot(term.head.name)) {
          return this.#declare(term.head, "assigned", term.at);
        }
        break;
      default:
    }
    this.#refuse(term.at, `cannot assign to ${valueName(term)}`);
    return term;
  }

  /** `some k, v in xs` is `v = xs[k]` of which the new variables are declared. */
  #someIn(expr: Expr & { kind: "some-in" }): readonly Expr[] {
    const { value, domain, at } = expr;
    const key = expr.key ?? this.#compilation.fresh(at);
    const bound = new Set([...varsOfTerm(key, patternLooking), ...varsOfTerm(value, patternLooking)]);
    const inDomain = varsOfTerm(domain, { skipClosures: true });
    const twice = [...bound].filter((name) => inDomain.has(name) && !name.startsWith("$")).sort();
    for (const name of twice) this.#refuse(at, `var ${name} assigned before`);
    if (twice.length > 0) return [];
    const reference: Term =
      domain.kind === "ref"
        ? { ...domain, path: [...domain.path, key] }
        : { kind: "ref", head: domain, path: [key], at: domain.at };
    const outputs = boundByEquality(value, reference, varsOfTerm(domain));
    for (const name of [...outputs].sort()) this.#declare({ kind: "var", name, at }, "declared", at);
    const operator: VarTerm = { kind: "var", name: "eq", at };
    const { with: modifiers, negated } = expr;
    return [this.expr({ kind: "call-expr", operator, args: [value, reference], with: modifiers, negated, at })];
  }

  #every(expr: Expr & { kind: "every" }): Expr {
    const domain = this.term(expr.domain);
    return this.#scopes.within(() => {
      const declare = (name: VarTerm): VarTerm => (name.name.startsWith("$") ? name : this.#declare(name, "declared", expr.at));
      const key = expr.key === undefined ? this.#compilation.fresh(expr.at) : declare(expr.key);
      const value = declare(expr.value);
      const body = this.body(expr.body);
      return { ...expr, key, value, domain, body, with: this.#modifiers(expr.with) };
    });
  }

  #not(expr: Expr & { kind: "not" }): Expr {
    if (!expr.explicit) return this.expr({ ...expr, body: this.#implicitOperand(expr.body, assignInNegated) });
    return this.#scopes.within(() => this.expr({ ...expr, body: this.body(expr.body) }));
  }

  #logical(expr: Expr & { kind: "and" | "or" }): Expr {
    const operand = (body: Body, explicit: boolean): Body =>
      explicit ? this.#scopes.within(() => this.body(body)) : this.#implicitOperand(body, assignInOperand[expr.kind]);
    const left = operand(expr.left, expr.explicitLeft);
    const right = operand(expr.right, expr.explicitRight);
    return this.expr({ ...expr, left, right });
  }

  /** Operands without braces share the scope around them, and declare nothing. */
  #implicitOperand(body: Body, message: string): Body {
    return body.map((expr) => {
      if (isAssignment(expr)) this.#refuse(expr.at, message);
      else if (expr.kind === "not") return this.#not(expr);
      else if (expr.kind === "and" || expr.kind === "or") return this.#logical(expr);
      return expr;
    });
  }

  /** Renames the variables of an expression that declares none. */
  readonly expr = (expr: Expr): Expr => {
    const plain: Mapping = { term: this.term, body: (body) => body.map(this.expr) };
    return { ...mapExpr({ ...expr, with: [] }, plain), with: this.#modifiers(expr.with) };
  };

  #modifiers(modifiers: readonly With[]): readonly With[] {
    return modifiers.map((modifier) => {
      const mapped = mapWith(modifier, this);
      // The target `input` is the document even where a variable hides it.
      const { target } = modifier;
      if (target.kind !== "ref" || target.head.kind !== "var" || target.head.name !== "input") return mapped;
      const path = target.path.map(this.term);
      return { ...mapped, target: { ...target, path } };
    });
  }

  readonly part = (expr: Expr): Expr => this.expr(expr);

  readonly term = (term: Term): Term => {
    switch (term.kind) {
      case "var":
        return this.#variable(term);
      case "ref":
        if (term.path.length === 0 && term.head.kind === "var" && isRoot(term.head.name)) {
          const occurrence = this.#scopes.anyOccurrence(term.head.name);
          if (occurrence === undefined || occurrence === "seen") return term;
          return { ...term.head, name: this.#scopes.unique(term.head.name) ?? term.head.name };
        }
        return mapParts(term, this);
      case "call":
        this.#checkFunction(term);
        return mapParts(term, this);
      case "array-comprehension":
      case "set-comprehension":
        return this.#scopes.within(() => {
          const body = this.body(term.body, varsOfTerm(term.term));
          return { ...term, body, term: this.term(term.term) };
        });
      case "object-comprehension":
        return this.#scopes.within(() => {
          const body = this.body(term.body, new Set([...varsOfTerm(term.key), ...varsOfTerm(term.value)]));
          return { ...term, body, key: this.term(term.key), value: this.term(term.value) };
        });
      default:
        return mapParts(term, this);
    }
  };

  #variable(term: VarTerm): VarTerm {
    const unique = this.#scopes.unique(term.name);
    if (unique === undefined) {
      this.#scopes.insert(term.name, term.name, "seen");
      return term;
    }
    this.#scopes.markSeen(term.name);
    return unique === term.name ? term : { ...term, name: unique };
  }

  #checkFunction(term: Term & { kind: "call" }): void {
    const head = term.operator.kind === "var" ? term.operator : term.operator.head;
    if (head.kind !== "var") return;
    const unique = this.#scopes.unique(head.name);
    if (unique === undefined || unique === head.name) return;
    this.#refuse(term.at, `called function ${head.name} shadowed`);
  }
}

function collectName(term: Term, names: Set<string>): boolean {
  if (term.kind === "var") names.add(term.name);
  return true;
}
