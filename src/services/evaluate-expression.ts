import type { Action } from "../core/action.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Facts } from "../core/facts.ts";
import type { Host } from "../core/host.ts";
import type { JsonValue } from "../core/json.ts";
import { gvkOf, isKubernetesObject, nameOf, namespaceOf } from "../core/kubernetes.ts";
import { check } from "../languages/cel/checker.ts";
import { estimateCost } from "../languages/cel/cost/estimate.ts";
import { variable } from "../languages/cel/env.ts";
import { formatIssue, formatIssues } from "../languages/cel/issue.ts";
import { parse } from "../languages/cel/parser.ts";
import { compile } from "../languages/cel/program.ts";
import { dynType, formatType } from "../languages/cel/types.ts";
import { displayValue } from "../languages/cel/values/format.ts";
import { toJson } from "../languages/cel/values/json.ts";
import { CelError, Failure, Unknown } from "../languages/cel/values/value.ts";
import { Budget } from "../policies/budget.ts";
import { admissionInputs, lazily } from "../policies/cel/inputs.ts";
import { mutationEnv } from "../policies/cel/mutation.ts";
import { kyvernoEnv } from "../policies/kyverno-cel/environment.ts";

/** An expression and what it is to see. */
export interface ExpressionRequest {
  readonly source: string;
  readonly object: JsonValue | undefined;
  readonly oldObject: JsonValue | undefined;
  readonly params: JsonValue | undefined;
  readonly resources: ApiResources;
  readonly facts: Facts;
  readonly host: Host;
}

export type ExpressionAnswer =
  | {
      readonly kind: "value";
      readonly value: JsonValue;
      readonly type: string;
      /** In the API server's units: what it did cost, and what it may cost for some input. */
      readonly cost: number;
      readonly estimate: readonly [min: bigint, max: bigint];
    }
  /** With the place underlined. */
  | { readonly kind: "compile-error"; readonly message: string }
  | { readonly kind: "evaluation-error"; readonly message: string };

/** An operation as the objects show it: both are an update. */
function actionOf({ object, oldObject, host }: ExpressionRequest): Action {
  const subject = [object, oldObject].find((o) => o !== undefined && isKubernetesObject(o));
  const known = subject !== undefined && isKubernetesObject(subject) ? subject : { apiVersion: "", kind: "" };
  const isObject = object !== undefined && isKubernetesObject(object);
  const old = oldObject !== undefined && isKubernetesObject(oldObject) ? oldObject : undefined;
  return {
    channel: "scan",
    actor: undefined,
    operation: object === undefined && old !== undefined ? "DELETE" : old === undefined ? "CREATE" : "UPDATE",
    dryRun: false,
    target: {
      type: "kubernetes",
      ...gvkOf(known),
      resource: "",
      subresource: "",
      namespace: namespaceOf(known),
      name: nameOf(known),
    },
    ...(isObject ? { object } : { payload: object }),
    oldObject: old,
    at: host.now(),
  };
}

/** Evaluates one expression with all that expressions of policies may use. */
export function evaluateExpression(request: ExpressionRequest): ExpressionAnswer {
  const { source, params, resources, facts, host } = request;
  const env = mutationEnv(kyvernoEnv("", resources)).extend({ variables: [variable("params", dynType)] });
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return { kind: "compile-error", message: formatIssues(source, parsed.issues) };
  const typed = check(parsed.value, env);
  if (!typed.ok) return { kind: "compile-error", message: formatIssues(source, typed.issues) };
  const program = compile(typed.value, env);
  if (!program.ok) return { kind: "compile-error", message: formatIssues(source, program.issues) };
  const action = actionOf(request);
  const { object, oldObject } = action;
  const context = { action, object, oldObject, facts, host, budget: new Budget(0), resources };
  const exceptions = { allowedImages: [], allowedValues: [] };
  const inputs = lazily({ params: () => params ?? null, exceptions: () => exceptions }, admissionInputs(context));
  const { value, cost } = program.value.evaluate(inputs, { facts, host });
  if (value instanceof Failure) {
    const message = value instanceof CelError ? value.message : `it needs outside data: ${needsOf(value)}`;
    const offset = value instanceof CelError ? program.value.offsetOf(value) : -1;
    return { kind: "evaluation-error", message: formatIssue(source, { code: "CEL_PROGRAM", message, offset, length: 1 }) };
  }
  const json = toJson(value);
  const { min, max } = estimateCost(typed.value, env, undefined, false);
  return {
    kind: "value",
    value: json instanceof CelError ? displayValue(value) : json,
    type: formatType(program.value.resultType),
    cost,
    estimate: [min, max],
  };
}

function needsOf(value: Failure): string {
  return value instanceof Unknown ? value.needs.map((need) => need.kind).join(", ") : "";
}
