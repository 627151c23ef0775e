import type { Body, Expr, RefTerm, Rule, Term, VarTerm, With } from "../ast.ts";

/** What becomes of the parts of a term or expression. */
export interface Mapping {
  term(term: Term): Term;
  body(body: Body): Body;
  /** Of an expression inside a template string. */
  part?(expr: Expr): Expr;
}

/** The term with its direct parts replaced. */
export function mapParts(term: Term, mapping: Mapping): Term {
  switch (term.kind) {
    case "scalar":
    case "var":
      return term;
    case "ref":
      return { ...term, head: mapping.term(term.head), path: term.path.map(mapping.term) };
    case "array":
    case "set":
      return { ...term, items: term.items.map(mapping.term) };
    case "object":
      return { ...term, members: term.members.map(([key, value]) => [mapping.term(key), mapping.term(value)] as const) };
    case "call":
      return { ...term, operator: mapOperator(term.operator, mapping), args: term.args.map(mapping.term) };
    case "array-comprehension":
    case "set-comprehension":
      return { ...term, body: mapping.body(term.body), term: mapping.term(term.term) };
    case "object-comprehension":
      return {
        ...term,
        body: mapping.body(term.body),
        key: mapping.term(term.key),
        value: mapping.term(term.value),
      };
    case "template": {
      const part = mapping.part ?? ((expr: Expr) => mapExpr(expr, mapping));
      return { ...term, parts: term.parts.map((p) => (p.kind === "scalar" ? p : part(p))) };
    }
  }
}

/** The expression with its direct parts replaced. */
export function mapExpr(expr: Expr, mapping: Mapping): Expr {
  const modifiers = expr.with.map((modifier) => mapWith(modifier, mapping));
  switch (expr.kind) {
    case "term-expr":
      return { ...expr, term: mapping.term(expr.term), with: modifiers };
    case "call-expr":
      return {
        ...expr,
        operator: mapOperator(expr.operator, mapping),
        args: expr.args.map(mapping.term),
        with: modifiers,
      };
    case "some":
      return { ...expr, with: modifiers };
    case "some-in":
      return {
        ...expr,
        key: expr.key === undefined ? undefined : mapping.term(expr.key),
        value: mapping.term(expr.value),
        domain: mapping.term(expr.domain),
        with: modifiers,
      };
    case "every":
      return { ...expr, domain: mapping.term(expr.domain), body: mapping.body(expr.body), with: modifiers };
    case "not":
      return { ...expr, body: mapping.body(expr.body), with: modifiers };
    case "and":
    case "or":
      return { ...expr, left: mapping.body(expr.left), right: mapping.body(expr.right), with: modifiers };
  }
}

export function mapWith(modifier: With, mapping: Mapping): With {
  return { ...modifier, target: asName(mapping.term(modifier.target), modifier.target), value: mapping.term(modifier.value) };
}

function mapOperator(operator: VarTerm | RefTerm, mapping: Mapping): VarTerm | RefTerm {
  return asName(mapping.term(operator), operator);
}

/** Names stay names: whatever else a mapping makes of them is not taken. */
function asName(term: Term, before: VarTerm | RefTerm): VarTerm | RefTerm {
  return term.kind === "var" || term.kind === "ref" ? term : before;
}

/** Maps every expression of a body, and of the bodies within it. */
export function mapBodies(body: Body, map: (body: Body) => Body): Body {
  const mapping: Mapping = {
    term: (term) => mapParts(term, mapping),
    body: (inner) => mapBodies(inner, map),
  };
  return map(body.map((expr) => mapExpr(expr, mapping)));
}

/** Maps the bodies that stand within a term. */
export function mapBodiesOfTerm(term: Term, map: (body: Body) => Body): Term {
  const mapping: Mapping = {
    term: (inner) => mapParts(inner, mapping),
    body: (inner) => mapBodies(inner, map),
  };
  return mapping.term(term);
}

/** Maps a rule and its else branches, in order. */
export function mapRule(rule: Rule, map: (rule: Rule) => Rule): Rule {
  const mapped = map(rule);
  return mapped.otherwise === undefined ? mapped : { ...mapped, otherwise: mapRule(mapped.otherwise, map) };
}

/** A rule and its else branches. */
export function* branches(rule: Rule): Iterable<Rule> {
  for (let branch: Rule | undefined = rule; branch !== undefined; branch = branch.otherwise) yield branch;
}

/** Whether a body is the `true` of rules without one. */
export function isTrueBody(body: Body): boolean {
  const [expr] = body;
  return body.length === 1 && expr?.kind === "term-expr" && expr.term.kind === "scalar" && expr.term.value === true;
}

/** `body` with `more` after it; a body that is only `true` gives way. */
export function appended(body: Body, more: Body): Body {
  if (more.length === 0) return body;
  return isTrueBody(body) ? more : [...body, ...more];
}
