import { namespaceOf } from "../../core/kubernetes.ts";
import { policyName } from "../../engine/index.ts";
import type { CompiledPolicy, CompiledRule, Enforcement } from "../../policies/policy.ts";

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
    return withMode(policy, (namespace) => byNamespace.get(namespace) ?? byNamespace.get(""));
  });
}

/** A policy whose failures mean what `modeOf` says for a namespace; undefined leaves it to the policy. */
export function withMode(policy: CompiledPolicy, modeOf: (namespace: string) => Enforcement | undefined): CompiledPolicy {
  const rules = policy.rules.map(
    (rule): CompiledRule => ({
      ...rule,
      enforcement: (namespace, labels) => modeOf(namespace) ?? rule.enforcement(namespace, labels),
      evaluate: (context) => {
        const results = rule.evaluate(context);
        const object = context.object ?? context.oldObject;
        const mode = modeOf(object === undefined ? context.action.target.namespace : namespaceOf(object));
        // Constraints say with each result what it means; who rolls a policy out decides for all of them.
        return mode === undefined ? results : results.map((result) => ({ ...result, enforcement: mode }));
      },
    }),
  );
  return { ...policy, rules };
}
