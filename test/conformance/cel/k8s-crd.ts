import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { kubernetesEnvironments } from "../../../src/languages/cel/libraries/kubernetes/environment.ts";
import { escapeName, unescapeName } from "../../../src/languages/cel/schema/escape.ts";
import type { CelSchema } from "../../../src/languages/cel/schema/schema.ts";
import { formatViolation, validateRules } from "../../../src/languages/cel/schema/validate.ts";
import { compileSchema } from "../../../src/languages/cel/schema/validator.ts";
import { failure, type Outcome, passed } from "../corpus.ts";

export const environments = kubernetesEnvironments(37);

/** Rows of the corpora hold schemas as JSON. */
function asSchema(value: JsonValue | undefined): CelSchema {
  return value as CelSchema;
}

/** A rule on a whole object: it holds, is skipped, costs what the row says, or fails with an error. */
export function runCrdRow(row: JsonObject): Outcome {
  const schema: CelSchema = { ...asSchema(row["schema"]), "x-kubernetes-validations": [{ rule: String(row["rule"]) }] };
  const expectedError = row["errorContains"];
  const isRoot = row["isRoot"] === true || expectedError !== undefined;
  const node = compileSchema(schema, isRoot, { environments });
  if (node === undefined) return failure("compiles to nothing");
  const budget = 10_000_000;
  const { violations, remainingBudget } = validateRules(node, row["self"] ?? null, row["oldSelf"], { path: "root", budget });
  const messages = violations.map(formatViolation);
  if (expectedError !== undefined) {
    if (messages.length === 0) return failure(`passes, expected ${String(expectedError)}`);
    return messages.every((message) => message.includes(String(expectedError))) ? passed : failure(messages.join("; "));
  }
  if (messages.length > 0) return failure(messages.join("; "));
  const cost = budget - remainingBudget;
  if (row["expectSkipped"] === true && cost > 0) return failure(`is not skipped, it costs ${cost}`);
  const { expectedCost } = row;
  return expectedCost === undefined || expectedCost === cost
    ? passed
    : failure(`costs ${cost}, expected ${String(expectedCost)}`);
}

/** A field name and its escaped form, both ways. */
export function runEscapingRow(row: JsonObject): Outcome {
  const name = String(row["unescaped"]);
  const escaped = row["escaped"];
  const actual = escapeName(name);
  if (row["reservedOrInvalid"] === true) return actual === undefined ? passed : failure(`escapes to ${actual}`);
  if (actual !== escaped) return failure(`escapes to ${actual}, expected ${String(escaped)}`);
  const back = unescapeName(String(escaped));
  return back === name ? passed : failure(`unescapes to ${back}`);
}
