import type { Body, Expr, Term, With } from "../ast.ts";

/** Calls `visit` on a term and all terms in it, bodies included; a branch where it answers false is not entered. */
export function visitTerms(term: Term, visit: (term: Term) => boolean): void {
  if (!visit(term)) return;
  switch (term.kind) {
    case "scalar":
    case "var":
      return;
    case "ref":
      visitTerms(term.head, visit);
      for (const step of term.path) visitTerms(step, visit);
      return;
    case "array":
    case "set":
      for (const item of term.items) visitTerms(item, visit);
      return;
    case "object":
      for (const [key, value] of term.members) {
        visitTerms(key, visit);
        visitTerms(value, visit);
      }
      return;
    case "call":
      visitTerms(term.operator, visit);
      for (const arg of term.args) visitTerms(arg, visit);
      return;
    case "array-comprehension":
    case "set-comprehension":
      visitTerms(term.term, visit);
      visitBodyTerms(term.body, visit);
      return;
    case "object-comprehension":
      visitTerms(term.key, visit);
      visitTerms(term.value, visit);
      visitBodyTerms(term.body, visit);
      return;
    case "template":
      for (const part of term.parts) {
        if (part.kind === "scalar") visitTerms(part, visit);
        else visitExprTerms(part, visit);
      }
  }
}

export function visitBodyTerms(body: Body, visit: (term: Term) => boolean): void {
  for (const expr of body) visitExprTerms(expr, visit);
}

/** All terms of an expression, its modifiers included. */
export function visitExprTerms(expr: Expr, visit: (term: Term) => boolean): void {
  switch (expr.kind) {
    case "term-expr":
      visitTerms(expr.term, visit);
      break;
    case "call-expr":
      visitTerms(expr.operator, visit);
      for (const arg of expr.args) visitTerms(arg, visit);
      break;
    case "some":
      for (const name of expr.names) visitTerms(name, visit);
      break;
    case "some-in":
      if (expr.key !== undefined) visitTerms(expr.key, visit);
      visitTerms(expr.value, visit);
      visitTerms(expr.domain, visit);
      break;
    case "every":
      if (expr.key !== undefined) visitTerms(expr.key, visit);
      visitTerms(expr.value, visit);
      visitTerms(expr.domain, visit);
      visitBodyTerms(expr.body, visit);
      break;
    case "not":
      visitBodyTerms(expr.body, visit);
      break;
    case "and":
    case "or":
      visitBodyTerms(expr.left, visit);
      visitBodyTerms(expr.right, visit);
  }
  for (const modifier of expr.with) visitWith(modifier, visit);
}

function visitWith(modifier: With, visit: (term: Term) => boolean): void {
  visitTerms(modifier.target, visit);
  visitTerms(modifier.value, visit);
}

/** Calls `visit` on every expression of a body and of the bodies within it, outermost first. */
export function visitExprs(body: Body, visit: (expr: Expr) => void): void {
  for (const expr of body) {
    visit(expr);
    const inner = (term: Term): boolean => {
      if (term.kind === "array-comprehension" || term.kind === "set-comprehension") {
        visitTerms(term.term, inner);
        visitExprs(term.body, visit);
        return false;
      }
      if (term.kind === "object-comprehension") {
        visitTerms(term.key, inner);
        visitTerms(term.value, inner);
        visitExprs(term.body, visit);
        return false;
      }
      return true;
    };
    if (expr.kind === "every") {
      visitTerms(expr.domain, inner);
      visitExprs(expr.body, visit);
    } else if (expr.kind === "not") visitExprs(expr.body, visit);
    else if (expr.kind === "and" || expr.kind === "or") {
      visitExprs(expr.left, visit);
      visitExprs(expr.right, visit);
    } else visitExprTerms({ ...expr, with: [] }, inner);
    for (const modifier of expr.with) visitWith(modifier, inner);
  }
}
