import { check } from "../../../src/languages/cel/checker.ts";
import type { Activation } from "../../../src/languages/cel/compile/frame.ts";
import { estimateCost } from "../../../src/languages/cel/cost/estimate.ts";
import type { SizeEstimator } from "../../../src/languages/cel/cost/size.ts";
import type { Env } from "../../../src/languages/cel/env.ts";
import { formatIssues } from "../../../src/languages/cel/issue.ts";
import { parse } from "../../../src/languages/cel/parser.ts";
import { compile, type Evaluation } from "../../../src/languages/cel/program.ts";

export type Ran =
  | { readonly ok: true; readonly evaluation: Evaluation; readonly estimate: readonly [number, number] }
  | { readonly ok: false; readonly message: string };

/** Parses, checks, compiles, estimates and evaluates, as the API server's tests do. */
export function runExpression(source: string, env: Env, variables: Activation, sizes?: SizeEstimator): Ran {
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return { ok: false, message: formatIssues(source, parsed.issues) };
  const typed = check(parsed.value, env);
  if (!typed.ok) return { ok: false, message: formatIssues(source, typed.issues) };
  const { min, max } = estimateCost(typed.value, env, sizes, false);
  const program = compile(typed.value, env);
  if (!program.ok) return { ok: false, message: formatIssues(source, program.issues) };
  return { ok: true, evaluation: program.value.evaluate(variables), estimate: [Number(min), Number(max)] };
}
