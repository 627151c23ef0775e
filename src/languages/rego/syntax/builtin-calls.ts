import type { Expr, RefTerm, VarTerm } from "../ast.ts";
import { builtins } from "../builtins/index.ts";

/** The name of a function as written: `count`, `io.jwt.decode`. Undefined where a step is no string. */
export function functionName(operator: VarTerm | RefTerm): string | undefined {
  if (operator.kind === "var") return operator.name;
  if (operator.head.kind !== "var") return undefined;
  const names = [operator.head.name];
  for (const step of operator.path) {
    if (step.kind !== "scalar" || typeof step.value !== "string") return undefined;
    names.push(step.value);
  }
  return names.join(".");
}

/** Whether the name is that of a builtin function. */
export function isBuiltin(operator: VarTerm | RefTerm): boolean {
  const name = functionName(operator);
  return name !== undefined && builtins.has(name);
}

/** Calls that have no result and always succeed. */
export function isVoidCall(expr: Expr): boolean {
  if (expr.kind !== "call-expr" || expr.negated) return false;
  const builtin = builtins.get(functionName(expr.operator) ?? "");
  return builtin !== undefined && builtin.type.result === undefined;
}
