import type { CompiledMatchResources } from "../cel/match-resources.ts";
import { compileMatchResources } from "../cel/match-resources.ts";
import { typeWarnings } from "../cel/type-warnings.ts";
import { compileValidator, type Validated } from "../cel/validator.ts";
import { errorResult, failedWith, passed, skipped } from "../kyverno/outcome.ts";
import { celPolicy, problemOf, readPolicy } from "../kyverno-cel/policy-document.ts";
import type { PolicyFormat, RuleResult } from "../policy.ts";
import { bindingsOf } from "./binding.ts";
import { boundRule, hasParams } from "./bound-rule.ts";
import { validatingShape } from "./spec-shapes.ts";

function resultOf(validated: Validated, failsOpen: boolean): RuleResult {
  if (validated.kind === "unmatched") return skipped("match conditions aren't met");
  const { decisions, annotations } = validated;
  const evidence = annotations.size === 0 ? {} : { evidence: { auditAnnotations: Object.fromEntries(annotations) } };
  // A denial is certain, whatever else could not be evaluated; the API server tells of what stops the request first.
  const denied = decisions.find((d) => d.kind === "deny");
  if (denied?.kind === "deny") {
    const first = failsOpen ? denied : decisions.find((d) => d.kind !== "admit");
    return { ...failedWith(first?.kind === "error" ? first.message : denied.message), ...evidence };
  }
  const broken = decisions.find((d) => d.kind === "error");
  return { ...(broken?.kind === "error" ? errorResult(broken.message) : passed("all validations hold")), ...evidence };
}

/** Kubernetes' ValidatingAdmissionPolicy, with the bindings among the documents. */
export const validatingAdmissionPolicyFormat: PolicyFormat = {
  kinds: [{ group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicy" }],
  compile(document, env) {
    const policy = readPolicy(document, validatingShape);
    const { id, spec, report } = policy;
    const options = { equivalent: true, resources: env.resources };
    const match: CompiledMatchResources = compileMatchResources(
      spec["matchConstraints"],
      ["spec", "matchConstraints"],
      report,
      options,
    );
    const validator = compileValidator(
      {
        validations: spec["validations"],
        validationsPath: ["spec", "validations"],
        variables: spec["variables"],
        variablesPath: ["spec", "variables"],
        matchConditions: spec["matchConditions"],
        matchConditionsPath: ["spec", "matchConditions"],
        auditAnnotations: spec["auditAnnotations"],
        auditAnnotationsPath: ["spec", "auditAnnotations"],
        params: hasParams(spec),
      },
      report,
    );
    const problem = problemOf(report);
    if (problem === undefined) {
      for (const { path, message } of typeWarnings(spec, env.resources)) report.warning("CEL_TYPE", path, message);
    }
    const rules = bindingsOf(env, id.kind, id.name, report).map((binding) =>
      boundRule({
        kind: "validate",
        binding,
        match,
        paramKind: spec["paramKind"],
        problem,
        evaluate: (context, inputs) => {
          const { facts, host } = context;
          return resultOf(validator.validate(inputs, { facts, host }), spec["failurePolicy"] === "Ignore");
        },
      }),
    );
    return celPolicy(policy, rules);
  },
};
