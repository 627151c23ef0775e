import type { Expr, Rule, Term } from "../ast.ts";
import { builtins } from "../builtins/index.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import { visitBodyTerms, visitExprs, visitTerms } from "../syntax/visit.ts";
import type { Compilation, Unit } from "./compilation.ts";
import { printTerm } from "./print-term.ts";
import { branches } from "./transform.ts";

function visitRule(rule: Rule, visit: (term: Term) => boolean): void {
  visitBodyTerms(rule.body, visit);
  for (const term of [rule.head.key, rule.head.value, ...rule.head.args]) {
    if (term !== undefined) visitTerms(term, visit);
  }
}

/** Refuses values of functions that have none, as in `x := print(1)`. */
export function checkVoidCalls(unit: Unit, compilation: Compilation): void {
  const nameOf = (name: string): string => compilation.originals.get(name) ?? name;
  const visit = (term: Term): boolean => {
    if (term.kind !== "call") return true;
    const builtin = builtins.get(functionName(term.operator) ?? "");
    if (builtin !== undefined && builtin.type.result === undefined) {
      compilation.refuse(unit.file, term.at, `${printTerm(term, nameOf)} used as value`, "rego_type_error");
    }
    return true;
  };
  for (const rule of unit.rules) for (const branch of branches(rule)) visitRule(branch, visit);
}

/** Refuses builtins that v1 left behind. */
export function checkDeprecated(unit: Unit, compilation: Compilation): void {
  if (!compilation.strict && !unit.isV1) return;
  const check = (expr: Expr): void => {
    const name = expr.kind === "call-expr" ? (functionName(expr.operator) ?? "") : "";
    if (builtins.get(name)?.deprecated !== true) return;
    const message = `deprecated built-in function calls in expression: ${name}`;
    compilation.refuse(unit.file, expr.at, message, "rego_type_error");
  };
  for (const rule of unit.rules) for (const branch of branches(rule)) visitExprs(branch.body, check);
}
