import type { Body, Expr, Rule, Term } from "../ast.ts";
import type { Compilation } from "./compilation.ts";
import { type Mapping, mapEach, mapExpr, mapParts } from "./transform.ts";

/** Template strings become calls that join sets of at most one value each: none where an expression is undefined. */
export class TemplateRewriter implements Mapping {
  readonly #compilation: Compilation;

  constructor(compilation: Compilation) {
    this.#compilation = compilation;
  }

  rule(rule: Rule): Rule {
    const { head } = rule;
    const key = head.key === undefined ? undefined : this.term(head.key);
    const value = head.value === undefined ? undefined : this.term(head.value);
    const args = head.args.map(this.term);
    return { ...rule, head: { ...head, key, value, args }, body: this.body(rule.body) };
  }

  readonly body = (body: Body): Body => mapEach(body, (expr) => mapExpr(expr, this));

  readonly term = (term: Term): Term => {
    if (term.kind !== "template") return mapParts(term, this);
    const { at } = term;
    const items = term.parts.map((part): Term => (part.kind === "scalar" ? part : this.#part(part)));
    return {
      kind: "call",
      operator: {
        kind: "ref",
        head: { kind: "var", name: "internal", at },
        path: [{ kind: "scalar", value: "template_string", at }],
        at,
      },
      args: [{ kind: "array", items: items.length > 0 ? items : [{ kind: "scalar", value: "", at }], at }],
      at,
    };
  };

  #part(expr: Expr): Term {
    const mapped = mapExpr(expr, this);
    const { at } = expr;
    const value: Term =
      mapped.kind === "call-expr"
        ? { kind: "call", operator: mapped.operator, args: mapped.args, at }
        : mapped.kind === "term-expr"
          ? mapped.term
          : { kind: "scalar", value: true, at };
    if (value.kind === "var" && mapped.with.length === 0) return { kind: "set", items: [value], at };
    const local = this.#compilation.fresh(at);
    const capture: Expr = {
      kind: "call-expr",
      operator: { kind: "var", name: "eq", at },
      args: [local, value],
      with: mapped.with,
      negated: false,
      at,
    };
    return { kind: "set-comprehension", term: local, body: [capture], at };
  }
}
