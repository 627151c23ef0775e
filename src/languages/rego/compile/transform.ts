import type { Body, Expr, RefTerm, Rule, Term, VarTerm, With } from "../ast.ts";

/** What becomes of the parts of a term or expression. */
export interface Mapping {
  term(term: Term): Term;
  body(body: Body): Body;
  /** Of an expression inside a template string. */
  part?(expr: Expr): Expr;
}

/** The items, each replaced; the list itself where none is. Compiling spends more time here than anywhere else. */
export function mapEach<T>(items: readonly T[], map: (item: T) => T): readonly T[] {
  let mapped: T[] | undefined;
  let i = 0;
  for (const item of items) {
    const made = map(item);
    if (made !== item) mapped ??= items.slice(0, i);
    mapped?.push(made);
    i++;
  }
  return mapped ?? items;
}

/** The term with its direct parts replaced; the term itself where none is. */
export function mapParts(term: Term, mapping: Mapping): Term {
  switch (term.kind) {
    case "scalar":
    case "var":
      return term;
    case "ref": {
      const head = mapping.term(term.head);
      const path = mapEach(term.path, mapping.term);
      return head === term.head && path === term.path ? term : { ...term, head, path };
    }
    case "array":
    case "set": {
      const items = mapEach(term.items, mapping.term);
      return items === term.items ? term : { ...term, items };
    }
    case "object": {
      const members = mapEach(term.members, (member): readonly [Term, Term] => {
        const key = mapping.term(member[0]);
        const value = mapping.term(member[1]);
        return key === member[0] && value === member[1] ? member : [key, value];
      });
      return members === term.members ? term : { ...term, members };
    }
    case "call": {
      const operator = mapOperator(term.operator, mapping);
      const args = mapEach(term.args, mapping.term);
      return operator === term.operator && args === term.args ? term : { ...term, operator, args };
    }
    case "array-comprehension":
    case "set-comprehension": {
      const body = mapping.body(term.body);
      const output = mapping.term(term.term);
      return body === term.body && output === term.term ? term : { ...term, body, term: output };
    }
    case "object-comprehension": {
      const body = mapping.body(term.body);
      const key = mapping.term(term.key);
      const value = mapping.term(term.value);
      return body === term.body && key === term.key && value === term.value ? term : { ...term, body, key, value };
    }
    case "template": {
      const part = mapping.part ?? ((expr: Expr) => mapExpr(expr, mapping));
      return { ...term, parts: term.parts.map((p) => (p.kind === "scalar" ? p : part(p))) };
    }
  }
}

/** The expression with its direct parts replaced; the expression itself where none is. */
export function mapExpr(expr: Expr, mapping: Mapping): Expr {
  const modifiers = expr.with.length === 0 ? expr.with : expr.with.map((modifier) => mapWith(modifier, mapping));
  const isSame = modifiers === expr.with;
  switch (expr.kind) {
    case "term-expr": {
      const term = mapping.term(expr.term);
      return isSame && term === expr.term ? expr : { ...expr, term, with: modifiers };
    }
    case "call-expr": {
      const operator = mapOperator(expr.operator, mapping);
      const args = mapEach(expr.args, mapping.term);
      return isSame && operator === expr.operator && args === expr.args ? expr : { ...expr, operator, args, with: modifiers };
    }
    case "some":
      return isSame ? expr : { ...expr, with: modifiers };
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
  return map(mapEach(body, (expr) => mapExpr(expr, mapping)));
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
