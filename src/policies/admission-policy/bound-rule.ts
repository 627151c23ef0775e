import { isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { isKubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import { admissionInputs, lazily, requestOf, withAuthorizer, withParams } from "../cel/inputs.ts";
import type { CompiledMatchResources, MatchedResource } from "../cel/match-resources.ts";
import { inOwnVersion, inVersion } from "../cel/matched-version.ts";
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
  readonly inServer?: CompiledRule["inServer"];
  /**
   * Evaluates for one parameter object; `inputs` hold everything but `variables`. Undefined: nothing is to be done.
   * @param invocation names the parameter object
   */
  evaluate(context: RuleContext, inputs: Activation, invocation: string): RuleResult | undefined;
}

function paramsFor({ paramKind, binding }: BoundRule, context: RuleContext): readonly (JsonObject | null)[] {
  const object = context.object ?? context.oldObject;
  const namespace = object === undefined || object.kind === "Namespace" ? "" : namespaceOf(object);
  return collectParams(paramKind, binding.paramRef, context.action.target.namespace || namespace, context);
}

/** What the rule matched of the object that was sent; undefined where it is not about it. */
function matchedBy({ match, binding }: BoundRule, context: RuleContext): MatchedResource | undefined {
  const sent = context.sent === undefined ? context : { ...context, object: context.sent };
  const matched = match.matched(sent);
  return matched === undefined || binding.match?.matches(sent) === false ? undefined : matched;
}

const invocationOf = (param: JsonObject | null): string =>
  param !== null && isKubernetesObject(param) ? `${namespaceOf(param)}/${nameOf(param)}` : "";

function inputsFor(context: RuleContext, seen: RuleContext, as: MatchedResource, param: JsonObject | null): Activation {
  const base = withAuthorizer(context, admissionInputs(seen));
  const { group, version } = context.action.target;
  const own = group === as.group && version === as.version;
  return own ? withParams(param, base) : lazily({ params: () => param, request: () => requestOf(context, as) }, base);
}

function evaluateBound(rule: BoundRule, context: RuleContext): readonly RuleResult[] {
  let matched: MatchedResource | undefined;
  try {
    matched = matchedBy(rule, context);
    if (matched === undefined) return [];
  } catch (error) {
    return [errorResult(`failed to match: ${reasonOf(error)}`)];
  }
  const problem = rule.problem ?? rule.binding.problem;
  if (problem !== undefined) return [errorResult(problem)];
  let params: readonly (JsonObject | null)[];
  let seen: RuleContext;
  try {
    params = paramsFor(rule, context);
    seen = inVersion(context, matched);
  } catch (error) {
    return [errorResult(`failed to configure binding: ${reasonOf(error)}`)];
  }
  const results: RuleResult[] = [];
  for (const param of params) {
    const result = rule.evaluate(seen, inputsFor(context, seen, matched, param), invocationOf(param));
    if (result === undefined) continue;
    const { object } = result;
    results.push(object === undefined ? result : { ...result, object: inOwnVersion(object, context.object) });
    // Each parameter changes what the one before it made.
    if (object !== undefined) seen = { ...seen, object };
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
    ...(rule.inServer === undefined ? {} : { inServer: rule.inServer }),
    enforcement: () => enforcement,
    evaluate: (context) => evaluateBound(rule, context),
  };
}

/** Whether expressions have `params`. */
export const hasParams = (spec: JsonObject): boolean => isObject(spec["paramKind"]);
