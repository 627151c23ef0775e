import type { Body, Expr, RefTerm, VarTerm } from "../ast.ts";
import { builtins } from "../builtins/index.ts";
import { functionName } from "../syntax/builtin-calls.ts";
import { visitExprs } from "../syntax/visit.ts";
import { argumentLines } from "../types/argument-lines.ts";
import { unknownType } from "../types/type.ts";
import { TypeEnv } from "../types/type-env.ts";
import type { Compilation } from "./compilation.ts";
import { printTerm } from "./print-term.ts";
import { nodeAt, type RuleNode } from "./rule-tree.ts";
import { isEquality } from "./safety.ts";

/** How many arguments the function of that name has: a builtin, or a rule of the tree. */
export function arityIn(tree: RuleNode, operator: VarTerm | RefTerm): number | undefined {
  const name = functionName(operator);
  const builtin = name === undefined ? undefined : builtins.get(name);
  if (builtin !== undefined) return builtin.type.args.length;
  if (operator.kind === "var") return undefined;
  return nodeAt(tree, operator)?.rules[0]?.rule.head.args.length;
}

/** Refuses calls of functions that there are not, or with a wrong number of arguments. */
export function checkCalls(body: Body, tree: RuleNode, file: string, compilation: Compilation): void {
  const nameOf = (name: string): string => compilation.originals.get(name) ?? name;
  const types = new TypeEnv(() => unknownType);
  const refuse = (expr: Expr, message: string): void => compilation.refuse(file, expr.at, message, "rego_type_error");
  visitExprs(body, (expr) => {
    if (expr.kind !== "call-expr") return;
    const name = printTerm(expr.operator, nameOf);
    const arity = arityIn(tree, expr.operator);
    if (arity === undefined) {
      refuse(expr, `undefined function ${name}`);
      return;
    }
    const given = expr.args.length;
    const fits = expr.generated === true ? isEquality(expr) || given === arity + 1 : given === arity || given === arity + 1;
    if (fits) return;
    const count = expr.generated === true ? given - 1 : given;
    const builtin = builtins.get(functionName(expr.operator) ?? "");
    if (builtin !== undefined) {
      const have = expr.args.map((arg) => types.typeOf(arg));
      refuse(expr, `${name}: arity mismatch${argumentLines(expr.operator, have, builtin.type, false)}`);
    } else refuse(expr, `function ${name} has arity ${arity}, got ${count} argument${count === 1 ? "" : "s"}`);
  });
}
