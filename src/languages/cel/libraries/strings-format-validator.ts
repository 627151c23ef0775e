import type { Expr } from "../ast.ts";
import type { TypedExpression } from "../checker.ts";
import type { CelIssue } from "../issue.ts";
import { dynType } from "../types.ts";
import { issueAt, type Validator } from "../validators.ts";
import { clauseError, type FormatDialect, parseFormat, type Verb } from "./strings-format.ts";

const text = ["list", "map", "int", "uint", "double", "bool", "string", "timestamp", "bytes", "duration", "type", "null"];

const kinds: { readonly [dialect in FormatDialect]: { readonly [verb in Verb]: readonly string[] } } = {
  english: {
    s: text,
    d: ["int", "uint"],
    f: ["double", "string"],
    e: ["double", "string"],
    b: ["bool", "int", "uint"],
    x: ["int", "uint", "string", "bytes"],
    X: ["int", "uint", "string", "bytes"],
    o: ["int", "uint"],
  },
  plain: {
    s: text,
    d: ["int", "uint", "double"],
    f: ["int", "uint", "double"],
    e: ["int", "uint", "double"],
    b: ["bool", "int", "uint"],
    x: ["int", "uint", "string", "bytes"],
    X: ["int", "uint", "string", "bytes"],
    o: ["int", "uint"],
  },
};

/** Refuses `'...'.format([...])` where clauses and arguments do not go together. */
export function formatCalls(dialect: FormatDialect): Validator {
  return (typed, parts) => {
    const issues: CelIssue[] = [];
    for (const expr of parts) {
      if (expr.kind !== "call" || expr.function !== "format" || expr.target?.kind !== "literal") continue;
      const [args] = expr.args;
      const { value } = expr.target;
      if (typeof value !== "string" || args?.kind !== "list" || expr.args.length !== 1) continue;
      issues.push(...checkCall(typed, dialect, expr.id, value, args.elements));
    }
    return issues;
  };
}

function checkCall(
  typed: TypedExpression,
  dialect: FormatDialect,
  id: number,
  format: string,
  args: readonly Expr[],
): readonly CelIssue[] {
  const { parts, problem } = parseFormat(format, args.length);
  const clauses = parts.filter((part) => typeof part !== "string");
  for (const [i, { verb }] of clauses.entries()) {
    const arg = args[i];
    const bad = arg === undefined ? undefined : misfit(typed, arg, kinds[dialect][verb], verb === "s");
    if (bad === undefined) continue;
    return [issueAt(typed, bad.id, clauseError(dialect, verb, typeName(typed, bad)))];
  }
  if (problem !== undefined) return [issueAt(typed, id, problem)];
  if (args.length <= clauses.length) return [];
  const message = `too many arguments supplied to string.format (expected ${clauses.length}, got ${args.length})`;
  return [issueAt(typed, id, message)];
}

function typeName(typed: TypedExpression, expr: Expr): string {
  return (typed.types[expr.id] ?? dynType).name;
}

/** The argument, or the part of a list or map literal in it, that has the wrong type. */
function misfit(typed: TypedExpression, expr: Expr, allowed: readonly string[], deep: boolean): Expr | undefined {
  const { kind } = typed.types[expr.id] ?? dynType;
  if (kind !== "dyn" && !allowed.includes(kind)) return expr;
  if (!deep || (expr.kind !== "list" && expr.kind !== "map")) return undefined;
  const parts = expr.kind === "list" ? expr.elements : expr.entries.flatMap((entry) => [entry.key, entry.value]);
  return parts.map((part) => misfit(typed, part, allowed, true)).find((part) => part !== undefined);
}
