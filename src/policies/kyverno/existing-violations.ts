import { isObject, type JsonObject, member } from "../../core/json.ts";
import { gvkOf, type KubernetesObject } from "../../core/kubernetes.ts";
import type { RuleContext, RuleResult } from "../policy.ts";
import { parseFailureAction } from "./enforcement.ts";
import { reasonOf, skipped } from "./outcome.ts";

type Evaluate = (context: RuleContext) => readonly RuleResult[];

/** Someone whom no rule names: the old object's author is not the one who changes it. */
const nobody = { user: "kyverno:kyverno-invalid-controller", groups: ["kyverno:invalidgroup"], roles: [], clusterRoles: [] };

/**
 * The old object of an update as if it were created now, whatever operation was given by hand. Nobody creates a
 * subresource: a rule about scaling finds no old violation, or who scaled too far once could go on.
 */
function asCreated(context: RuleContext, oldObject: KubernetesObject): RuleContext {
  const { action, supplied } = context;
  const target = { ...action.target, ...gvkOf(oldObject), subresource: "" };
  return {
    ...context,
    action: { ...action, target, actor: nobody, operation: "CREATE", object: oldObject, oldObject: undefined },
    object: oldObject,
    oldObject: undefined,
    supplied: supplied === undefined ? undefined : (policy, rule) => created(supplied(policy, rule)),
  };
}

function created(supplied: JsonObject | undefined): JsonObject | undefined {
  if (!isObject(supplied?.["request"])) return supplied;
  return { ...supplied, request: { ...supplied["request"], operation: "CREATE" } };
}

/**
 * An enforced rule lets an object that already violated it be updated (`allowExistingViolations`, on by default).
 * Kyverno never finds an old violation for rules with preconditions, so they are as strict here.
 */
export function withExistingViolations(evaluate: Evaluate, rule: JsonObject, policySpec: JsonObject): Evaluate {
  const validate = rule["validate"];
  const action = member(validate, "failureAction") ?? policySpec["validationFailureAction"];
  const preconditions = rule["preconditions"] ?? undefined;
  const allowed = (member(validate, "allowExistingViolations") ?? true) !== false;
  if (!allowed || preconditions !== undefined || parseFailureAction(action) !== "enforce") return evaluate;
  return (context) => {
    const results = evaluate(context);
    const [result] = results;
    if (result?.status !== "fail" || context.object === undefined || context.oldObject === undefined) return results;
    try {
      const [prior] = evaluate(asCreated(context, context.oldObject));
      if (prior?.status !== "fail") return results;
      return [skipped("skipping the rule evaluation as pre-existing violations are allowed")];
    } catch (error) {
      reasonOf(error);
      return [skipped("failed to validate old object")];
    }
  };
}
