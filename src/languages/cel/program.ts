import type { TypedExpression } from "./checker.ts";
import { Compiler, ProgramFailure } from "./compile/compiler.ts";
import { type Activation, CostLimitExceeded, type Eval, Frame } from "./compile/frame.ts";
import type { Outside } from "./declarations.ts";
import type { Env } from "./env.ts";
import type { Checked } from "./issue.ts";
import type { CelType } from "./types.ts";
import { CelError, type Value } from "./values/value.ts";

/** What one evaluation came to. */
export interface Evaluation {
  /** A value, a {@link CelError}, or an `Unknown` that names the outside data it wants. */
  readonly value: Value;
  /** In cel-go's units. */
  readonly cost: number;
  /** The evaluation was stopped because it cost more than it was allowed. */
  readonly exceeded: boolean;
}

/** A compiled expression. It holds no state: it may be evaluated any number of times, also within itself. */
export interface Program {
  readonly resultType: CelType;
  /** @param limit cost at which the evaluation is stopped with an error; unlimited without */
  evaluate(variables: Activation, outside?: Outside, limit?: number): Evaluation;
  /** Where in the source (UTF-16 units) an error arose; -1 where that is not known. */
  offsetOf(error: CelError): number;
}

const costLimitMessage = "operation cancelled: actual cost limit exceeded";

/** For expressions that ask for nothing outside their variables. */
const nothingOutside: Outside = {
  facts: { get: () => ({ ok: false, message: "outside data is not available here" }) },
  host: { now: () => 0, random: () => 0 },
};

/** Makes a program of a resolved expression; fails where a constant in it cannot be used. */
export function compile(typed: TypedExpression, env: Env): Checked<Program> {
  try {
    const root = new Compiler(typed, env).compile(typed.root).eval;
    return { ok: true, value: programOf(root, typed.resultType, typed.offsets) };
  } catch (failure) {
    if (failure instanceof ProgramFailure) return { ok: false, issues: [failure.issue] };
    throw failure;
  }
}

function programOf(root: Eval, resultType: CelType, offsets: readonly number[]): Program {
  return {
    resultType,
    evaluate(variables, outside = nothingOutside, limit = Number.POSITIVE_INFINITY) {
      const frame = new Frame(variables, outside, limit);
      try {
        const value = root(frame);
        if (frame.cost <= limit) return { value, cost: frame.cost, exceeded: false };
      } catch (failure) {
        if (!(failure instanceof CostLimitExceeded)) throw failure;
      }
      return { value: new CelError(costLimitMessage), cost: frame.cost, exceeded: true };
    },
    offsetOf: (error) => offsets[error.exprId] ?? -1,
  };
}
