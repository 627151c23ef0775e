import type { StatusCounts } from "../core/finding.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import type { CompiledPolicy, CompiledRule, RuleResult } from "../policies/policy.ts";

/** What one rule of one policy said about an action. */
export interface PolicyResult {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
  readonly result: RuleResult;
}

/** What a set of policies says about an action. */
export interface Decision {
  readonly effect: "allow" | "deny";
  /** The object after all mutations; undefined when the action carries none. */
  readonly object: KubernetesObject | undefined;
  /** For the client, as `policy <name>.<rule>: <message>`. */
  readonly warnings: readonly string[];
  /** In order of evaluation. Passes only when they were asked for. */
  readonly results: readonly PolicyResult[];
  readonly counts: StatusCounts;
}
