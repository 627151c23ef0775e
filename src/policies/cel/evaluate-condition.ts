import type { Activation } from "../../languages/cel/compile/frame.ts";
import { CelError, type CelValue, Failure } from "../../languages/cel/values/value.ts";
import type { CelSession, CompiledExpression } from "./expression.ts";

/** What an expression came to: a value, or why there is none, in the API server's words. */
export type Evaluated =
  | { readonly kind: "value"; readonly value: CelValue }
  | { readonly kind: "error"; readonly message: string };

/** Evaluates as the API server's admission does. @throws NeedsFacts, OutOfCost */
export function evaluateCondition(expression: CompiledExpression, session: CelSession, variables: Activation): Evaluated {
  const value = session.settle(expression, variables);
  if (!(value instanceof Failure)) return { kind: "value", value };
  const reason = value instanceof CelError ? value.message : "outside data is missing";
  return { kind: "error", message: `expression '${expression.source}' resulted in error: ${reason}` };
}

/** Whether all conditions hold; errors count only where none is false. */
export type Matched =
  | { readonly kind: "yes" }
  | { readonly kind: "no"; readonly index: number }
  | { readonly kind: "error"; readonly message: string };

/** Several errors in one, as Kubernetes prints them. */
function aggregate(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  const [only, second] = distinct;
  return only !== undefined && second === undefined ? only : `[${distinct.join(", ")}]`;
}

/** @throws NeedsFacts, OutOfCost */
export function matchConditions(conditions: readonly CompiledExpression[], session: CelSession, variables: Activation): Matched {
  const errors: string[] = [];
  for (const [index, condition] of conditions.entries()) {
    const result = evaluateCondition(condition, session, variables);
    if (result.kind === "error") errors.push(result.message);
    else if (result.value === false) return { kind: "no", index };
  }
  return errors.length > 0 ? { kind: "error", message: aggregate(errors) } : { kind: "yes" };
}
