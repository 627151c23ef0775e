import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { autogenAnnotation, computeRules } from "../../policies/kyverno/autogen.ts";
import { autogenSpecs } from "../../policies/kyverno-cel/autogen.ts";
import { convertSpec } from "../../policies/kyverno-cel/mutating-autogen.ts";

/**
 * `status.autogen` as Kyverno writes it: the rules that a policy about pods has for what makes pods. Made for a merge patch: what is no
 * longer there is null. Undefined for kinds without it.
 */
export function autogenStatus(policy: KubernetesObject): JsonObject | undefined {
  const { spec } = policy;
  if (!isObject(spec)) return undefined;
  if (/^(Cluster)?Policy$/.test(policy.kind)) return { rules: filled(generatedRules(spec, policy)) };
  const rewrite = /^(Namespaced)?MutatingPolicy$/.test(policy.kind) ? convertSpec : undefined;
  if (rewrite === undefined && !/^(Namespaced)?(Image)?ValidatingPolicy$/.test(policy.kind)) return undefined;
  const isJson = member(spec["evaluation"], "mode") === "JSON";
  const { specs } = isJson ? { specs: [] } : autogenSpecs(spec, rewrite);
  const configs = Object.fromEntries(specs.map(({ template, spec: made }) => [template, { spec: made }]));
  return { configs: specs.length === 0 ? null : { defaults: null, cronjobs: null, ...configs } };
}

const filled = (rules: readonly JsonValue[]): JsonValue => (rules.length === 0 ? null : rules);

function generatedRules(spec: JsonObject, policy: KubernetesObject): readonly JsonValue[] {
  const rules = isArray(spec["rules"]) ? spec["rules"].filter(isObject) : [];
  const requested = asString(member(policy.metadata?.["annotations"], autogenAnnotation));
  return (
    computeRules(rules, requested)
      .map(({ rule }) => rule)
      .filter((rule) => !rules.includes(rule))
      // As the definition's default has it.
      .map((rule) => ({ skipBackgroundRequests: true, ...rule }))
  );
}
