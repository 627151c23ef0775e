import type { Body, Expr, Term } from "../ast.ts";
import type { Compilation } from "./compilation.ts";
import { generatedEquality } from "./expand.ts";
import { isEquality } from "./safety.ts";

/**
 * Gives what has to be looked up or collected a variable, before the expression that uses it. References and
 * comprehensions then stand only at the top of terms of equalities, and as whole expressions.
 */
export class DynamicRewriter {
  readonly #compilation: Compilation;

  constructor(compilation: Compilation) {
    this.#compilation = compilation;
  }

  readonly body = (body: Body): Body => {
    const result: Expr[] = [];
    for (const expr of body) result.push(this.#rewrite(expr, result));
    return result;
  };

  #rewrite(expr: Expr, result: Expr[]): Expr {
    switch (expr.kind) {
      case "term-expr":
        return { ...expr, term: this.#top(expr, expr.term, result) };
      case "call-expr": {
        const rewrite = (arg: Term): Term => (isEquality(expr) ? this.#top(expr, arg, result) : this.#inner(expr, arg, result));
        return { ...expr, args: expr.args.map(rewrite) };
      }
      case "every":
        return { ...expr, domain: this.#inner(expr, expr.domain, result), body: this.body(expr.body) };
      case "not":
        return { ...expr, body: this.body(expr.body) };
      case "and":
      case "or":
        return { ...expr, left: this.body(expr.left), right: this.body(expr.right) };
      default:
        return expr;
    }
  }

  /** A term that may stay what it is; only its parts may not. */
  #top(expr: Expr, term: Term, result: Expr[]): Term {
    switch (term.kind) {
      case "ref":
        return { ...term, path: term.path.map((step) => this.#inner(expr, step, result)) };
      case "array-comprehension":
      case "set-comprehension":
      case "object-comprehension":
        return { ...term, body: this.body(term.body) };
      default:
        return this.#inner(expr, term, result);
    }
  }

  #inner(expr: Expr, term: Term, result: Expr[]): Term {
    switch (term.kind) {
      case "ref":
      case "array-comprehension":
      case "set-comprehension":
      case "object-comprehension": {
        const local = this.#compilation.fresh(term.at);
        result.push(generatedEquality(local, this.#top(expr, term, result), expr.with));
        return local;
      }
      case "array":
      case "set":
        return { ...term, items: term.items.map((item) => this.#inner(expr, item, result)) };
      case "object": {
        const members = term.members.map(
          ([key, value]) => [this.#inner(expr, key, result), this.#inner(expr, value, result)] as const,
        );
        return { ...term, members };
      }
      default:
        return term;
    }
  }
}
