import type { Operation } from "../core/action.ts";
import type { GroupVersionKind } from "../core/kubernetes.ts";
import { containsWildcard, matchWildcard } from "../core/wildcard.ts";
import type { CompiledPolicy, CompiledRule, KindSelector, RuleKind } from "../policies/policy.ts";

/** What the index is asked with: the target of an action. */
export interface TargetKey {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly subresource: string;
  readonly operation: Operation;
  /** Of what a subresource belongs to, where its body is of another kind: rules name the one or the other. */
  readonly owner?: GroupVersionKind;
}

/** A policy's rules of one kind that may apply to a target, in the policy's order. */
export interface Candidate {
  readonly policy: CompiledPolicy;
  readonly rules: readonly CompiledRule[];
  /** Whether the API server applies any of the rules itself. */
  readonly inServer: boolean;
}

export type Candidates = { readonly [kind in RuleKind]: readonly Candidate[] };

function selects(selector: KindSelector, key: TargetKey): boolean {
  return (
    matchWildcard(selector.subresource, key.subresource) &&
    [key, key.owner ?? key].some(
      ({ group, version, kind }) =>
        matchWildcard(selector.kind, kind) && matchWildcard(selector.group, group) && matchWildcard(selector.version, version),
    )
  );
}

const mayApply = (rule: CompiledRule, key: TargetKey): boolean =>
  (rule.operations?.has(key.operation) ?? true) && rule.selectors.some((s) => selects(s, key));

const noCandidates: Candidates = { mutate: [], verify: [], validate: [], generate: [], delete: [] };

/** Policies that never change once they are here; candidates are found by GVK, subresource and operation. */
export class PolicySet {
  readonly policies: readonly CompiledPolicy[];
  readonly #candidates = new Map<string, Candidates>();
  /** Rules by the kinds that they name; those that name a pattern are looked at for every kind. */
  readonly #byKind = new Map<string, CompiledRule[]>();
  readonly #ofPatterns: CompiledRule[] = [];

  constructor(policies: readonly CompiledPolicy[]) {
    this.policies = policies;
    for (const { rules } of policies) for (const rule of rules) this.#index(rule);
  }

  /** Rules that may apply to the target, by kind and in policy order; computed once per distinct target. */
  candidates(key: TargetKey): Candidates {
    if (!this.#names(key.kind) && (key.owner === undefined || !this.#names(key.owner.kind))) return noCandidates;
    const text = `${key.group}/${key.version}/${key.kind}/${key.subresource}/${key.operation}/${key.owner?.kind ?? ""}/${key.owner?.group ?? ""}`;
    let found = this.#candidates.get(text);
    if (found === undefined) {
      found = this.#find(key);
      this.#candidates.set(text, found);
    }
    return found;
  }

  /** Whether any rule of these kinds may apply to the target. */
  concerns(key: TargetKey, kinds: readonly RuleKind[]): boolean {
    const candidates = this.candidates(key);
    return kinds.some((kind) => candidates[kind].length > 0);
  }

  /** Whether any rule may apply to a kind of this name; most are named by no policy. */
  #names(kind: string): boolean {
    return this.#ofPatterns.length > 0 || this.#byKind.has(kind);
  }

  #index(rule: CompiledRule): void {
    for (const kind of new Set(rule.selectors.map((selector) => selector.kind))) {
      const rules = containsWildcard(kind) ? this.#ofPatterns : (this.#byKind.get(kind) ?? []);
      rules.push(rule);
      if (rules !== this.#ofPatterns) this.#byKind.set(kind, rules);
    }
  }

  #find(key: TargetKey): Candidates {
    const named = [key.kind, key.owner?.kind ?? ""].flatMap((kind) => this.#byKind.get(kind) ?? []);
    const applying = new Set([...named, ...this.#ofPatterns].filter((rule) => mayApply(rule, key)));
    if (applying.size === 0) return noCandidates;
    const found: Record<RuleKind, Candidate[]> = { mutate: [], verify: [], validate: [], generate: [], delete: [] };
    for (const policy of this.policies) {
      const ofPolicy = Map.groupBy(
        policy.rules.filter((rule) => applying.has(rule)),
        (rule) => rule.kind,
      );
      for (const [kind, rules] of ofPolicy) {
        found[kind].push({ policy, rules, inServer: rules.some((rule) => rule.inServer !== undefined) });
      }
    }
    return found;
  }
}
