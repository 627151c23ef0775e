import type { Body, Expr, RefTerm, Term, VarTerm, With } from "../ast.ts";

/** Which variables are asked for. */
export interface Looking {
  /** Not those that references begin with. */
  readonly skipHeads?: boolean;
  /** Not the names of called functions, nor the targets of `with`. */
  readonly skipFunctions?: boolean;
  readonly skipObjectKeys?: boolean;
  readonly skipSets?: boolean;
  /** Not those inside comprehensions, templates, `every`, `not`, `and`, `or`. */
  readonly skipClosures?: boolean;
  /** Adds what the operands of a `not`, `and` or `or` need from outside. */
  readonly operands?: (expr: Expr, add: (name: string) => void) => void;
}

/** Safety asks for the variables that evaluation needs. */
export const safetyLooking: Looking = { skipFunctions: true, skipClosures: true };

/** Bound by matching a pattern. */
export const patternLooking: Looking = { skipHeads: true, skipObjectKeys: true, skipClosures: true };

/** The variables of terms and expressions, with the first term that holds each. */
export class Variables {
  readonly names = new Map<string, VarTerm>();
  readonly #looking: Looking;

  constructor(looking: Looking = {}) {
    this.#looking = looking;
  }

  add(term: VarTerm): void {
    if (!this.names.has(term.name)) this.names.set(term.name, term);
  }

  term(term: Term): this {
    const { skipHeads, skipFunctions, skipObjectKeys, skipSets, skipClosures } = this.#looking;
    switch (term.kind) {
      case "scalar":
        return this;
      case "var":
        this.add(term);
        return this;
      case "ref":
        if (skipHeads !== true) this.term(term.head);
        return this.terms(term.path);
      case "set":
        return skipSets === true ? this : this.terms(term.items);
      case "array":
        return this.terms(term.items);
      case "object":
        for (const [key, value] of term.members) {
          if (skipObjectKeys !== true) this.term(key);
          this.term(value);
        }
        return this;
      case "call":
        this.#operator(term.operator, skipFunctions === true);
        return this.terms(term.args);
      case "array-comprehension":
      case "set-comprehension":
        return skipClosures === true ? this : this.term(term.term).body(term.body);
      case "object-comprehension":
        return skipClosures === true ? this : this.term(term.key).term(term.value).body(term.body);
      case "template":
        if (skipClosures !== true) {
          for (const part of term.parts) if (part.kind !== "scalar") this.expr(part);
        }
        return this;
    }
  }

  terms(terms: readonly Term[]): this {
    for (const term of terms) this.term(term);
    return this;
  }

  body(body: Body): this {
    for (const expr of body) this.expr(expr);
    return this;
  }

  expr(expr: Expr): this {
    const { skipFunctions, skipClosures, operands } = this.#looking;
    switch (expr.kind) {
      case "term-expr":
        this.term(expr.term);
        break;
      case "call-expr":
        this.#operator(expr.operator, skipFunctions === true);
        this.terms(expr.args);
        break;
      case "some":
        this.terms(expr.names);
        break;
      case "some-in":
        if (expr.key !== undefined) this.term(expr.key);
        this.term(expr.value).term(expr.domain);
        break;
      case "every":
        if (skipClosures === true) return this.term(expr.domain);
        if (expr.key !== undefined) this.term(expr.key);
        this.term(expr.value).term(expr.domain).body(expr.body);
        break;
      case "not":
      case "and":
      case "or":
        if (operands !== undefined) operands(expr, (name) => this.add({ kind: "var", name, at: expr.at }));
        else if (skipClosures !== true) {
          if (expr.kind === "not") this.body(expr.body);
          else this.body(expr.left).body(expr.right);
        }
    }
    for (const modifier of expr.with) this.#with(modifier);
    return this;
  }

  #with(modifier: With): void {
    if (this.#looking.skipFunctions !== true) {
      this.term(modifier.target).term(modifier.value);
      return;
    }
    if (modifier.target.kind === "ref") this.terms(modifier.target.path);
    if (modifier.value.kind === "ref") this.terms(modifier.value.path);
    else this.term(modifier.value);
  }

  #operator(operator: VarTerm | RefTerm, skip: boolean): void {
    if (!skip) this.term(operator);
    else if (operator.kind === "ref") this.terms(operator.path);
  }
}

export function varsOfTerm(term: Term, looking?: Looking): Set<string> {
  return new Set(new Variables(looking).term(term).names.keys());
}

export function varsOfExpr(expr: Expr, looking?: Looking): Set<string> {
  return new Set(new Variables(looking).expr(expr).names.keys());
}

export function varsOfBody(body: Body, looking?: Looking): Set<string> {
  return new Set(new Variables(looking).body(body).names.keys());
}

/** A variable that the compiler made. */
export function isGenerated(name: string): boolean {
  return name.startsWith("__local");
}

export function isWildcard(name: string): boolean {
  return name.startsWith("$");
}
