import { NeedsFacts } from "../../core/facts.ts";
import { check } from "../../languages/cel/checker.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { Outside } from "../../languages/cel/declarations.ts";
import type { Env } from "../../languages/cel/env.ts";
import { formatIssues } from "../../languages/cel/issue.ts";
import { parse } from "../../languages/cel/parser.ts";
import { compile, type Program } from "../../languages/cel/program.ts";
import { type CelType, formatType, sameType } from "../../languages/cel/types.ts";
import { type CelError, Unknown, type Value } from "../../languages/cel/values/value.ts";

export interface CompiledExpression {
  readonly source: string;
  readonly type: CelType;
  readonly program: Program;
}

export type ExpressionResult =
  | { readonly ok: true; readonly value: CompiledExpression }
  /** Why it does not compile, in the API server's words. */
  | { readonly ok: false; readonly message: string };

/** Parses, checks and compiles; `wanted` are the types that the result may have, any without. */
export function compileExpression(source: string, env: Env, wanted: readonly CelType[] = []): ExpressionResult {
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return { ok: false, message: `compilation failed: ${formatIssues(source, parsed.issues)}` };
  const typed = check(parsed.value, env);
  if (!typed.ok) return { ok: false, message: `compilation failed: ${formatIssues(source, typed.issues)}` };
  const program = compile(typed.value, env);
  if (!program.ok) return { ok: false, message: `program instantiation failed: ${program.issues[0]?.message}` };
  const type = program.value.resultType;
  if (wanted.length > 0 && !wanted.some((one) => sameType(one, type))) {
    const [only, second] = wanted;
    const names = only !== undefined && second === undefined ? formatType(only) : `one of [${wanted.map(formatType).join(" ")}]`;
    return { ok: false, message: `must evaluate to ${names} but got ${formatType(type)}` };
  }
  return { ok: true, value: { source, type, program: program.value } };
}

/** Thrown when the expressions of one policy have cost more together than they may. */
export class OutOfCost extends Error {
  constructor() {
    super("validation failed due to running out of cost budget, no further validation rules will be run");
  }
}

export interface CostLimits {
  /** For all expressions together, variables included. */
  readonly total: number;
  readonly perCall: number;
}

/** What the API server allows. */
export const validationLimits: CostLimits = { total: 10_000_000, perCall: 1_000_000 };
export const matchConditionLimits: CostLimits = { total: 2_500_000, perCall: 1_000_000 };

/** Runs the expressions of one policy on one object and counts what they cost. */
export class CelSession {
  readonly outside: Outside;
  readonly #perCall: number;
  #left: number;

  constructor(outside: Outside, limits: CostLimits) {
    this.outside = outside;
    this.#perCall = limits.perCall;
    this.#left = limits.total;
  }

  /** The value, a {@link CelError}, or an {@link Unknown}. @throws OutOfCost */
  run({ program }: CompiledExpression, variables: Activation): Value {
    const { value, cost } = program.evaluate(variables, this.outside, this.#perCall);
    this.#left -= cost;
    if (this.#left < 0) throw new OutOfCost();
    return value;
  }

  /** As {@link run}, with missing data thrown. @throws NeedsFacts, OutOfCost */
  settle(expression: CompiledExpression, variables: Activation): Exclude<Value, Unknown> | CelError {
    const value = this.run(expression, variables);
    if (value instanceof Unknown) throw new NeedsFacts(value.needs);
    return value;
  }
}
