import type { Operation } from "../core/action.ts";
import { matchWildcard } from "../core/wildcard.ts";
import type { CompiledPolicy, CompiledRule, KindSelector } from "../policies/policy.ts";

/** What the index is asked with: the target of an action. */
export interface TargetKey {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly subresource: string;
  readonly operation: Operation;
}

export interface Candidate {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
}

function selects(selector: KindSelector, key: TargetKey): boolean {
  return (
    matchWildcard(selector.kind, key.kind) &&
    matchWildcard(selector.group, key.group) &&
    matchWildcard(selector.version, key.version) &&
    matchWildcard(selector.subresource, key.subresource)
  );
}

/** Policies that never change once they are here; candidates are found by GVK, subresource and operation. */
export class PolicySet {
  readonly policies: readonly CompiledPolicy[];
  readonly #candidates = new Map<string, readonly Candidate[]>();

  constructor(policies: readonly CompiledPolicy[]) {
    this.policies = policies;
  }

  /** Rules that may apply to the target, in policy order; computed once per distinct target. */
  candidates(key: TargetKey): readonly Candidate[] {
    const text = `${key.group}/${key.version}/${key.kind}/${key.subresource}/${key.operation}`;
    let found = this.#candidates.get(text);
    if (found === undefined) {
      found = this.policies.flatMap((policy) =>
        policy.rules
          .filter((rule) => (rule.operations?.has(key.operation) ?? true) && rule.selectors.some((s) => selects(s, key)))
          .map((rule) => ({ policy, rule })),
      );
      this.#candidates.set(text, found);
    }
    return found;
  }
}
