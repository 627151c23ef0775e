import type { Expr } from "./ast.ts";

/** The direct parts of an expression, in evaluation order. */
function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "literal":
    case "ident":
      return [];
    case "select":
      return [expr.operand];
    case "call":
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case "list":
      return expr.elements;
    case "map":
      return expr.entries.flatMap((entry) => [entry.key, entry.value]);
    case "struct":
      return expr.fields.map((field) => field.value);
    case "fold":
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
  }
}

/** An expression and every part of it, outer before inner. */
export function partsOf(expr: Expr): readonly Expr[] {
  const parts: Expr[] = [];
  walkExpr(expr, (part) => parts.push(part));
  return parts;
}

/** Visits every part of an expression, outer before inner. */
export function walkExpr(expr: Expr, visit: (expr: Expr, ancestors: readonly Expr[]) => unknown): void {
  const ancestors: Expr[] = [];
  const descend = (current: Expr): void => {
    visit(current, ancestors);
    ancestors.push(current);
    for (const child of childrenOf(current)) descend(child);
    ancestors.pop();
  };
  descend(expr);
}
