import { isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { namespaceOf } from "../../core/kubernetes.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import { withAuthorizer } from "../cel/authorizer.ts";
import { admissionInputs, lazily } from "../cel/inputs.ts";
import type { CompiledMatchResources } from "../cel/match-resources.ts";
import { collectParams } from "../cel/params.ts";
import { errorResult, reasonOf } from "../kyverno/outcome.ts";
import { enforcementOf } from "../kyverno-cel/policy-document.ts";
import type { CompiledRule, RuleContext, RuleKind, RuleResult } from "../policy.ts";
import type { Binding } from "./binding.ts";

interface BoundRule {
  readonly kind: RuleKind;
  readonly binding: Binding;
  readonly match: CompiledMatchResources;
  readonly paramKind: JsonValue | undefined;
  /** Why the policy cannot be evaluated. */
  readonly problem: string | undefined;
  /** Evaluates for one parameter object; `inputs` hold everything but `variables`. */
  evaluate(context: RuleContext, inputs: Activation): RuleResult;
}

function paramsFor({ paramKind, binding }: BoundRule, context: RuleContext): readonly (JsonObject | null)[] {
  const object = context.object ?? context.oldObject;
  const namespace = object === undefined || object.kind === "Namespace" ? "" : namespaceOf(object);
  return collectParams(paramKind, binding.paramRef, context.action.target.namespace || namespace, context);
}

function evaluateBound(rule: BoundRule, context: RuleContext): readonly RuleResult[] {
  try {
    if (!rule.match.matches(context)) return [];
    if (rule.binding.match?.matches(context) === false) return [];
  } catch (error) {
    return [errorResult(`failed to match: ${reasonOf(error)}`)];
  }
  const problem = rule.problem ?? rule.binding.problem;
  if (problem !== undefined) return [errorResult(problem)];
  let params: readonly (JsonObject | null)[];
  try {
    params = paramsFor(rule, context);
  } catch (error) {
    return [errorResult(`failed to configure binding: ${reasonOf(error)}`)];
  }
  const results: RuleResult[] = [];
  let current = context;
  for (const param of params) {
    const inputs = lazily({ params: () => param }, withAuthorizer(current, admissionInputs(current)));
    const result = rule.evaluate(current, inputs);
    results.push(result);
    // Each parameter changes what the one before it made.
    if (result.object !== undefined) current = { ...current, object: result.object };
  }
  return results;
}

/** A policy as one of its bindings applies it. */
export function boundRule(rule: BoundRule): CompiledRule {
  const enforcement = enforcementOf(rule.binding.actions, rule.kind === "mutate" ? "enforce" : "audit");
  const { selectors, operations } = rule.match;
  return {
    name: rule.binding.name,
    kind: rule.kind,
    selectors,
    operations,
    enforcement: () => enforcement,
    evaluate: (context) => evaluateBound(rule, context),
  };
}

/** Whether expressions have `params`. */
export const hasParams = (spec: JsonObject): boolean => isObject(spec["paramKind"]);
