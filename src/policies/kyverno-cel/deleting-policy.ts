import { isArray, isObject, type JsonObject, member } from "../../core/json.ts";
import { failedWith, passed } from "../kyverno/outcome.ts";
import type { PolicyFormat } from "../policy.ts";
import { kyvernoEnv } from "./environment.ts";
import { celExceptions } from "./exceptions.ts";
import { compileGate } from "./gate.ts";
import { celPolicy, gatedRule, problemOf, readPolicy, requireMatchConstraints } from "./policy-document.ts";
import { deletingPolicyShape } from "./spec-shapes.ts";

/** Objects are deleted on a schedule, whatever was done to them before. */
function withoutOperations(spec: JsonObject): JsonObject {
  const constraints = spec["matchConstraints"];
  const rules = member(constraints, "resourceRules");
  if (!isObject(constraints) || !isArray(rules)) return spec;
  const resourceRules = rules.map((rule) => (isObject(rule) ? { ...rule, operations: ["*"] } : rule));
  return { ...spec, matchConstraints: { ...constraints, resourceRules } };
}

/**
 * Kyverno's DeletingPolicy and NamespacedDeletingPolicy, as a `delete` rule: it passes for objects that the policy would
 * delete now, and fails for those that match but do not meet the conditions.
 */
export const deletingPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "policies.kyverno.io", kind: "DeletingPolicy" },
    { group: "policies.kyverno.io", kind: "NamespacedDeletingPolicy" },
  ],
  compile(document, env) {
    const policy = readPolicy(document, deletingPolicyShape);
    requireMatchConstraints(policy);
    const { id, spec, report } = policy;
    const base = kyvernoEnv(id.namespace, env.resources);
    const gate = compileGate(
      {
        spec: withoutOperations(spec),
        path: ["spec"],
        namespace: id.namespace,
        env: base,
        exceptions: celExceptions(env, id, base, report),
        conditions: "conditions",
      },
      env,
      report,
    );
    const rule = gatedRule({
      name: "delete",
      kind: "delete",
      gate,
      enforcement: "audit",
      problem: problemOf(report),
      evaluate: () => [passed("resource matched")],
    });
    const spoken: typeof rule = {
      ...rule,
      // What does not meet the conditions, or is excepted, stays.
      evaluate: (context) =>
        rule
          .evaluate(context)
          .map((result) =>
            result.status === "skip" || result.exceptions !== undefined ? failedWith("resource did not match") : result,
          ),
    };
    return celPolicy(policy, [spoken], { onError: "allow", admission: false });
  },
};
