import type { Diagnostic } from "../core/diagnostic.ts";
import type { JsonValue } from "../core/json.ts";
import { toJson } from "../languages/rego/index.ts";
import { diagnosticOf } from "../languages/rego/load.ts";
import { type Evaluation, formatEvaluationError, type RegoProgram } from "../languages/rego/program.ts";

export type QueryAnswer =
  /** One value for each solution of an expression. */
  | { readonly kind: "values"; readonly values: readonly JsonValue[] }
  /** The variables of each solution. */
  | { readonly kind: "bindings"; readonly solutions: readonly { readonly [name: string]: JsonValue }[] }
  | { readonly kind: "refused"; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: "failed"; readonly message: string };

const answer = "castellan_answer";

/** Asks a query. An expression without variables of its own answers with its values. */
export function askRego(program: RegoProgram, source: string, given: Evaluation): QueryAnswer {
  const asked = program.query(source);
  if (!asked.ok) {
    const file = { file: "<query>", source };
    return { kind: "refused", diagnostics: asked.issues.map((issue) => diagnosticOf({ ...issue, file: file.file }, [file])) };
  }
  const whole = program.query(`${answer} := ${source}`);
  const query = whole.ok ? whole.value : asked.value;
  const evaluated = query.evaluate(given);
  if (!evaluated.ok) return { kind: "failed", message: formatEvaluationError(evaluated.error) };
  const solutions = evaluated.value.map((bindings) =>
    Object.fromEntries([...bindings].map(([name, value]) => [name, toJson(value)])),
  );
  const own = solutions.map(({ [answer]: value, ...rest }) => ({ value, rest }));
  if (!whole.ok || own.some(({ rest }) => Object.keys(rest).length > 0)) {
    return { kind: "bindings", solutions: own.map(({ rest }) => rest) };
  }
  return { kind: "values", values: own.map(({ value }) => value ?? null) };
}
