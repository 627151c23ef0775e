import { isArray } from "../../core/json.ts";
import { admissionEnv } from "../cel/environment.ts";
import { matchConditions } from "../cel/evaluate-condition.ts";
import { CelSession, matchConditionLimits, OutOfCost, validationLimits } from "../cel/expression.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { lazily } from "../cel/inputs.ts";
import { compileMatchResources } from "../cel/match-resources.ts";
import { compileMutations, mutateEach, mutationEnv } from "../cel/mutation.ts";
import { errorResult, passed, reasonOf, skipped } from "../kyverno/outcome.ts";
import { celPolicy, problemOf, readPolicy } from "../kyverno-cel/policy-document.ts";
import type { PolicyFormat, RuleResult } from "../policy.ts";
import { bindingsOf } from "./binding.ts";
import { boundRule, hasParams } from "./bound-rule.ts";
import { mutatingShape } from "./spec-shapes.ts";

/** Runs out of cost like anything else that goes wrong. */
function failure(error: unknown): RuleResult {
  return errorResult(error instanceof OutOfCost ? error.message : reasonOf(error));
}

/** Kubernetes' MutatingAdmissionPolicy, with the bindings among the documents. */
export const mutatingAdmissionPolicyFormat: PolicyFormat = {
  kinds: [{ group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicy" }],
  compile(document, env) {
    const policy = readPolicy(document, mutatingShape);
    const { id, spec, report } = policy;
    if (!isArray(spec["mutations"]) || spec["mutations"].length === 0) {
      report.error("KYV_BAD_RULE", ["spec", "mutations"], "a mutating policy needs mutations");
    }
    const match = compileMatchResources(spec["matchConstraints"], ["spec", "matchConstraints"], report, {
      equivalent: true,
      resources: env.resources,
    });
    const compiler = new ExpressionCompiler(report);
    const base = mutationEnv(admissionEnv({ params: hasParams(spec), authorizer: true }));
    const conditions = compiler.conditions(spec["matchConditions"], base, ["spec", "matchConditions"]);
    const variables = compiler.variables(spec["variables"], base, ["spec", "variables"], { asApiServer: true });
    const mutations = compileMutations(spec["mutations"], variables.env, ["spec", "mutations"], report);
    const problem = problemOf(report);
    const rules = bindingsOf(env, id.kind, id.name, report).map((binding) =>
      boundRule({
        kind: "mutate",
        binding,
        match,
        paramKind: spec["paramKind"],
        problem,
        inServer: { reinvoke: spec["reinvocationPolicy"] === "IfNeeded" },
        evaluate: ({ facts, host, object, resources, reinvoked }, inputs, invocation) => {
          if (object === undefined) return skipped("there is no object to change");
          try {
            const matched = matchConditions(conditions, new CelSession({ facts, host }, matchConditionLimits), inputs);
            if (matched.kind === "no") return skipped("match conditions aren't met");
            if (matched.kind === "error") return errorResult(matched.message);
          } catch (error) {
            return failure(error);
          }
          if (reinvoked?.has(invocation) === false) return undefined;
          // Every mutation has a budget of its own.
          const changed = mutateEach(mutations, object, resources, (current) => {
            const session = new CelSession({ facts, host }, validationLimits);
            return { session, variables: variables.bind(session, lazily({ object: () => current }, inputs)) };
          });
          const { errors } = changed;
          const result = errors.length > 0 ? errorResult(errors.join("; ")) : passed("mutation is successfully applied");
          return { ...result, object: changed.object, invocation };
        },
      }),
    );
    return celPolicy(policy, rules);
  },
};
