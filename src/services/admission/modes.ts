import { PolicySet, policyName } from "../../engine/index.ts";
import type { CompiledPolicy, Enforcement } from "../../policies/policy.ts";

/** How far a policy's rollout has come, in every namespace (empty name) or in one. */
export interface PolicyMode {
  readonly policy: string;
  readonly namespace: string;
  readonly mode: Enforcement;
}

/** The policies with the modes that an operator gave them in place of their own. */
export function withModes(policies: readonly CompiledPolicy[], modes: readonly PolicyMode[]): readonly CompiledPolicy[] {
  if (modes.length === 0) return policies;
  return policies.map((policy) => {
    const own = modes.filter((mode) => mode.policy === policyName(policy.id));
    if (own.length === 0) return policy;
    const byNamespace = new Map(own.map(({ namespace, mode }) => [namespace, mode]));
    const rules = policy.rules.map((rule) => ({
      ...rule,
      enforcement: (...[namespace, labels]: Parameters<typeof rule.enforcement>) =>
        byNamespace.get(namespace) ?? byNamespace.get("") ?? rule.enforcement(namespace, labels),
    }));
    return { ...policy, rules };
  });
}

/** Policies by what an error means for the request: the API server is told so by two webhooks. */
export interface AdmissionPolicies {
  readonly deny: PolicySet;
  readonly allow: PolicySet;
}

export function byFailure(policies: readonly CompiledPolicy[]): AdmissionPolicies {
  const admitted = policies.filter((policy) => policy.admission);
  return {
    deny: new PolicySet(admitted.filter((policy) => policy.onError === "deny")),
    allow: new PolicySet(admitted.filter((policy) => policy.onError === "allow")),
  };
}
