import type { Body, CallExpr, Expr, Rule, Term, TermExpr, VarTerm, With } from "../ast.ts";
import { visitTerms } from "../syntax/visit.ts";
import type { Compilation } from "./compilation.ts";
import { compareTerms } from "./term-order.ts";
import { appended, mapBodies, mapBodiesOfTerm, mapEach } from "./transform.ts";

/** `local = term`, made by the compiler. */
export function generatedEquality(local: VarTerm, term: Term, modifiers: readonly With[] = []): Expr {
  const { at } = term;
  return {
    kind: "call-expr",
    operator: { kind: "var", name: "eq", at },
    args: [local, term],
    with: modifiers,
    negated: false,
    generated: true,
    at,
  };
}

/** Terms that stand for what has to be looked up or collected. */
export function requiresEvaluation(term: Term): boolean {
  let found = false;
  visitTerms(term, (inner) => {
    if (inner.kind === "ref" || inner.kind.endsWith("comprehension")) found = true;
    return !found;
  });
  return found;
}

const withTerm = (expr: TermExpr, term: Term): Expr => (term === expr.term ? expr : { ...expr, term });
const withArguments = (expr: CallExpr, args: readonly Term[]): Expr => (args === expr.args ? expr : { ...expr, args });

/** Takes calls out of terms: each becomes an expression of its own, before the one that uses its result. */
export class TermExpander {
  readonly #compilation: Compilation;

  constructor(compilation: Compilation) {
    this.#compilation = compilation;
  }

  rule(rule: Rule): Rule {
    let { body } = rule;
    const expand = (term: Term): Term => {
      const support: Expr[] = [];
      const output = this.term(term, support);
      body = appended(body, support);
      return output;
    };
    const { head } = rule;
    const args = head.args.map(expand);
    const key = head.key === undefined ? undefined : expand(head.key);
    const value = head.value === undefined ? undefined : expand(head.value);
    return { ...rule, head: { ...head, args, key, value }, body: this.body(body) };
  }

  body(body: Body): Body {
    return body.flatMap((expr) => this.#expand(expr));
  }

  #expand(expr: Expr): readonly Expr[] {
    const support: Expr[] = [];
    if (expr.with.length === 0) {
      support.push(this.#expandBare(expr, support));
      return support;
    }
    const result: Expr[] = [];
    const modifiers = expr.with.map((modifier) => ({ ...modifier, value: this.term(modifier.value, result) }));
    const expanded = this.#expandBare({ ...expr, with: modifiers }, support);
    return [...result, ...support.map((extra) => ({ ...extra, with: modifiers })), expanded];
  }

  #expandBare(expr: Expr, support: Expr[]): Expr {
    switch (expr.kind) {
      case "term-expr":
        return withTerm(expr, this.term(expr.term, support));
      case "call-expr":
        return withArguments(
          expr,
          mapEach(expr.args, (arg) => this.term(arg, support)),
        );
      case "every": {
        const local = this.#compilation.fresh(expr.domain.at);
        support.push(...this.#expand(generatedEquality(local, expr.domain)));
        return { ...expr, domain: local, body: this.body(expr.body) };
      }
      case "not":
        return { ...expr, body: this.body(expr.body) };
      case "and":
      case "or":
        return { ...expr, left: this.body(expr.left), right: this.body(expr.right) };
      default:
        return expr;
    }
  }

  term(term: Term, support: Expr[]): Term {
    switch (term.kind) {
      case "call": {
        const args = term.args.map((arg) => this.term(arg, support));
        const output = this.#compilation.fresh(term.at);
        const { operator, at } = term;
        support.push({
          kind: "call-expr",
          operator,
          args: [...args, output],
          with: [],
          negated: false,
          generated: true,
          at,
        });
        return output;
      }
      case "ref": {
        let head = this.term(term.head, support);
        const path = mapEach(term.path, (step) => this.term(step, support));
        // Nothing can be looked up in a scalar, but that is for evaluation to find.
        if (head.kind !== "var" && head.kind !== "scalar") {
          const local = this.#compilation.fresh(head.at);
          support.push(generatedEquality(local, head));
          head = local;
        }
        return head === term.head && path === term.path ? term : { ...term, head, path };
      }
      case "array": {
        const items = mapEach(term.items, (item) => this.term(item, support));
        return items === term.items ? term : { ...term, items };
      }
      case "set":
        return { ...term, items: term.items.toSorted(compareTerms).map((item) => this.term(item, support)) };
      case "object": {
        const members = term.members
          .toSorted(([a], [b]) => compareTerms(a, b))
          .map(([key, value]) => [this.term(key, support), this.term(value, support)] as const);
        return { ...term, members };
      }
      case "array-comprehension":
      case "set-comprehension": {
        const inner: Expr[] = [];
        const output = this.term(term.term, inner);
        return { ...term, term: output, body: this.body(appended(term.body, inner)) };
      }
      case "object-comprehension": {
        const inner: Expr[] = [];
        const key = this.term(term.key, inner);
        const value = this.term(term.value, inner);
        return { ...term, key, value, body: this.body(appended(term.body, inner)) };
      }
      default:
        return term;
    }
  }

  /** What comprehensions collect, and heads hold, is looked up in their bodies. */
  captureHeads(rule: Rule): Rule {
    let body = this.captureInBody(rule.body);
    const capture = (term: Term): Term => {
      const own = this.#comprehensions(mapBodiesOfTerm(term, (inner) => mapEach(inner, (expr) => this.#inExpr(expr))));
      if (!requiresEvaluation(own)) return own;
      const local = this.#compilation.fresh(term.at);
      body = appended(body, [generatedEquality(local, own)]);
      return local;
    };
    const { head } = rule;
    const key = head.key === undefined ? undefined : capture(head.key);
    const value = head.value === undefined ? undefined : capture(head.value);
    const args = head.args.map(capture);
    return { ...rule, head: { ...head, key, value, args }, body };
  }

  captureInBody(body: Body): Body {
    return mapBodies(body, (inner) => mapEach(inner, (expr) => this.#inExpr(expr)));
  }

  #inExpr(expr: Expr): Expr {
    switch (expr.kind) {
      case "term-expr":
        return this.#withModifiers(withTerm(expr, this.#comprehensions(expr.term)));
      case "call-expr": {
        const args = mapEach(expr.args, (arg) => this.#comprehensions(arg));
        return this.#withModifiers(withArguments(expr, args));
      }
      default:
        return this.#withModifiers(expr);
    }
  }

  #withModifiers(expr: Expr): Expr {
    return expr.with.length === 0 ? expr : { ...expr, with: this.#modifiers(expr.with) };
  }

  #modifiers(modifiers: readonly With[]): readonly With[] {
    return modifiers.map((modifier) => ({ ...modifier, value: this.#comprehensions(modifier.value) }));
  }

  /** The comprehensions of a term whose bodies were seen to already. */
  #comprehensions(term: Term): Term {
    switch (term.kind) {
      case "ref": {
        const path = mapEach(term.path, (step) => this.#comprehensions(step));
        return path === term.path ? term : { ...term, path };
      }
      case "array":
      case "set": {
        const items = mapEach(term.items, (item) => this.#comprehensions(item));
        return items === term.items ? term : { ...term, items };
      }
      case "object": {
        const members = term.members.map(([k, v]) => [this.#comprehensions(k), this.#comprehensions(v)] as const);
        return { ...term, members };
      }
      case "array-comprehension":
      case "set-comprehension": {
        const output = this.#comprehensions(term.term);
        if (!requiresEvaluation(output)) return output === term.term ? term : { ...term, term: output };
        const local = this.#compilation.fresh(output.at);
        return { ...term, term: local, body: appended(term.body, [generatedEquality(local, output)]) };
      }
      case "object-comprehension": {
        let { body } = term;
        const capture = (part: Term): Term => {
          const output = this.#comprehensions(part);
          if (!requiresEvaluation(output)) return output;
          const local = this.#compilation.fresh(output.at);
          body = appended(body, [generatedEquality(local, output)]);
          return local;
        };
        const key = capture(term.key);
        const value = capture(term.value);
        return { ...term, key, value, body };
      }
      default:
        return term;
    }
  }
}
