import { formatSpan } from "../core/source.ts";
import { policyName } from "../engine/index.ts";
import type { CompiledPolicy } from "../policies/policy.ts";

/** One policy in a list. */
export interface PolicySummary {
  readonly policy: string;
  readonly title: string;
  readonly severity: string;
  /** What a failure means where nothing is overridden: `enforce`, `audit`, `warn`. */
  readonly onFailure: readonly string[];
  readonly rules: readonly { readonly name: string; readonly kind: string; readonly applies: readonly string[] }[];
  readonly location: string;
}

/** What a compiled policy is, in short: its rules with those that were generated, and the kinds they apply to. */
export function summarisePolicy(policy: CompiledPolicy): PolicySummary {
  const span = policy.origin.locate([]);
  return {
    policy: policyName(policy.id),
    title: policy.title,
    severity: policy.severity,
    onFailure: [...new Set(policy.rules.filter((r) => r.kind === "validate").map((r) => r.enforcement("", {})))],
    rules: policy.rules.map((r) => ({ name: r.name, kind: r.kind, applies: [...new Set(r.selectors.map(selectorText))] })),
    location: span === undefined ? policy.origin.file : formatSpan(span),
  };
}

function selectorText({ kind, subresource }: { readonly kind: string; readonly subresource: string }): string {
  return subresource === "" || (kind === "*" && subresource === "*") ? kind : `${kind}/${subresource}`;
}
