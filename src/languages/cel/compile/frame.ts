import type { Outside } from "../declarations.ts";
import { CelError, Failure, Unknown, type Value } from "../values/value.ts";

/** Values of the variables by name; members may be getters that compute a value when it is first asked for. */
export interface Activation {
  readonly [name: string]: Value | undefined;
}

/** Thrown to end an evaluation at once: unlike an error, no operator absorbs it. */
export class CostLimitExceeded {
  readonly cost: number;

  constructor(cost: number) {
    this.cost = cost;
  }
}

/** The state of one evaluation. */
export class Frame {
  /** In cel-go's units. */
  cost = 0;
  readonly locals: (Value | undefined)[] = [];
  readonly variables: Activation;
  readonly outside: Outside;
  readonly limit: number;

  constructor(variables: Activation, outside: Outside, limit: number) {
    this.variables = variables;
    this.outside = outside;
    this.limit = limit;
  }

  /** Called once for each turn of a loop. @throws CostLimitExceeded */
  checkLimit(): void {
    if (this.cost > this.limit) throw new CostLimitExceeded(this.cost);
  }
}

/** A compiled expression. */
export type Eval = (frame: Frame) => Value;

/** Marks a failure with the expression it began in, if it has none yet. */
export function labelled(value: Value, exprId: number): Value {
  if (value instanceof Failure && value.exprId < 0) value.exprId = exprId;
  return value;
}

export function fail(message: string, exprId: number): CelError {
  const error = new CelError(message);
  error.exprId = exprId;
  return error;
}

/**
 * What two operands of `&&` or `||` come to when neither decides: missing data first, then the first error;
 * an operand that is no boolean is an error too. `neutral` is the operand that decides nothing.
 */
export function mergeFailures(a: Value, b: Value, neutral: boolean, exprId: number): Value {
  if (a === neutral && b === neutral) return neutral;
  if (a instanceof Unknown) return b instanceof Unknown ? new Unknown([...a.needs, ...b.needs]) : a;
  if (b instanceof Unknown) return b;
  const first = a === neutral ? b : a;
  return first instanceof CelError ? first : fail("no such overload", exprId);
}
