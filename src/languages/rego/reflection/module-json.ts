import type { Body, Expr, Module, Rule, Term, With } from "../ast.ts";
import { kindOf } from "../values/print.ts";
import { RegoObject, type Value } from "../values/value.ts";

/** A module as OPA's tools write its syntax tree in JSON. */
export function moduleValue(module: Module): Value {
  const path: Value[] = [typed("var", "data"), ...module.package.path.map((name) => typed("string", name))];
  const imports = module.imports.map((taken) =>
    object({ path: termValue(taken.path), ...(taken.alias === undefined ? {} : { alias: taken.alias }) }),
  );
  return object({
    package: object({ path }),
    ...(imports.length === 0 ? {} : { imports }),
    ...(module.rules.length === 0 ? {} : { rules: module.rules.map(ruleValue) }),
  });
}

function object(members: { readonly [name: string]: Value }): Value {
  return RegoObject.of(Object.entries(members));
}

function typed(type: string, value: Value): Value {
  return object({ type, value });
}

function ruleValue(rule: Rule): Value {
  const { head } = rule;
  const [name] = head.ref;
  return object({
    ...(rule.isDefault ? { default: true } : {}),
    head: object({
      ...(head.ref.length === 1 || head.key !== undefined ? { name: name.name } : {}),
      ...(head.args.length === 0 ? {} : { args: head.args.map(termValue) }),
      ...(head.key === undefined ? {} : { key: termValue(head.key) }),
      ...(head.value === undefined ? {} : { value: termValue(head.value) }),
      ...(head.assign ? { assign: true } : {}),
      ref: head.ref.map(termValue),
    }),
    body: bodyValue(rule.body),
    ...(rule.otherwise === undefined ? {} : { else: ruleValue(rule.otherwise) }),
  });
}

function bodyValue(body: Body): Value {
  return body.map(exprValue);
}

function exprValue(expr: Expr, index: number): Value {
  return object({
    index,
    ...(expr.generated === true ? { generated: true } : {}),
    ...(expr.negated ? { negated: true } : {}),
    terms: termsValue(expr),
    ...(expr.with.length === 0 ? {} : { with: expr.with.map(withValue) }),
  });
}

function withValue(modifier: With): Value {
  return object({ target: termValue(modifier.target), value: termValue(modifier.value) });
}

function memberCall(key: Term | undefined, value: Term, domain: Term): Value {
  const name = key === undefined ? "member_2" : "member_3";
  const operator = typed("ref", [typed("var", "internal"), typed("string", name)]);
  const args = key === undefined ? [value, domain] : [key, value, domain];
  return typed("call", [operator, ...args.map(termValue)]);
}

function termsValue(expr: Expr): Value {
  switch (expr.kind) {
    case "term-expr":
      return termValue(expr.term);
    case "call-expr":
      return [operatorValue(expr.operator), ...expr.args.map(termValue)];
    case "some":
      return object({ symbols: expr.names.map(termValue) });
    case "some-in":
      return object({ symbols: [memberCall(expr.key, expr.value, expr.domain)] });
    case "every":
      return object({
        key: expr.key === undefined ? null : termValue(expr.key),
        value: termValue(expr.value),
        domain: termValue(expr.domain),
        body: bodyValue(expr.body),
      });
    case "not":
      return object({ body: bodyValue(expr.body) });
    case "and":
    case "or":
      return object({ lhs: bodyValue(expr.left), rhs: bodyValue(expr.right) });
  }
}

function operatorValue(operator: Term): Value {
  return operator.kind === "var" ? typed("ref", [termValue(operator)]) : termValue(operator);
}

function termValue(term: Term): Value {
  switch (term.kind) {
    case "scalar":
      return typed(kindOf(term.value), term.value);
    case "var":
      return typed("var", term.name);
    case "ref":
      return typed("ref", [term.head, ...term.path].map(termValue));
    case "array":
    case "set":
      return typed(term.kind, term.items.map(termValue));
    case "object":
      return typed(
        "object",
        term.members.map(([key, value]) => [termValue(key), termValue(value)]),
      );
    case "call":
      return typed("call", [operatorValue(term.operator), ...term.args.map(termValue)]);
    case "array-comprehension":
    case "set-comprehension":
      return typed(term.kind.replace("-", ""), object({ term: termValue(term.term), body: bodyValue(term.body) }));
    case "object-comprehension":
      return typed(
        "objectcomprehension",
        object({ key: termValue(term.key), value: termValue(term.value), body: bodyValue(term.body) }),
      );
    case "template":
      return typed(
        "templatestring",
        object({ parts: term.parts.map((part, i) => (part.kind === "scalar" ? termValue(part) : exprValue(part, i))) }),
      );
  }
}
