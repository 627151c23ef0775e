import type { CompiledPolicy, CompiledRule } from "../rule.ts";
import type { AuditContext } from "./context.ts";
import type { NetworkIssue } from "./issue.ts";

/** Comparisons of one audit; what is left of a large cluster is for `net minimise`. */
const mostComparisons = 2_000_000;

/** Policies and rules without which every answer is the same. */
export function redundantIssues({ network, policies }: AuditContext): readonly NetworkIssue[] {
  let comparisons = 0;
  return policies.flatMap((policy): readonly NetworkIssue[] => {
    if (!mayBeRedundant(policy, policies)) return [];
    const tries = 1 + policy.rules.ingress.length + policy.rules.egress.length;
    comparisons += network.selectedBy(policy.info).length * network.workloads.length * tries;
    if (comparisons > mostComparisons) return [];
    if (network.isRedundant(policy.info) === true) {
      const isAlone = network
        .selectedBy(policy.info)
        .every((w) => policy.info.directions.every((d) => network.selecting(w, d).every((p) => p === policy.info)));
      return [
        isAlone
          ? issue(policy, [], "vacuous", "The policy allows everything to everybody, as if there were none.")
          : issue(
              policy,
              [],
              "policy",
              "Without this policy every answer is the same: others decide the same about its workloads.",
            ),
      ];
    }
    const rules: readonly CompiledRule[] = [...policy.rules.ingress, ...policy.rules.egress];
    if (rules.length + policy.rules.ingress.length < 2) return [];
    return rules.flatMap((rule) =>
      network.isRedundant(policy.info, rule) === true
        ? [
            issue(
              policy,
              rule.path,
              "rule",
              "Without this rule every answer is the same: what it decides is decided otherwise, too.",
            ),
          ]
        : [],
    );
  });
}

/** A policy that is alone with its subjects, and says one thing, decides something. */
function mayBeRedundant(policy: CompiledPolicy, policies: readonly CompiledPolicy[]): boolean {
  const rules = policy.rules.ingress.length + policy.rules.egress.length;
  if (rules > 1) return true;
  return policies.some((other) => other !== policy && other.info.directions.some((d) => policy.info.directions.includes(d)));
}

function issue({ info }: CompiledPolicy, path: NetworkIssue["path"], rule: string, message: string): NetworkIssue {
  return { check: "redundant", rule, document: info.document, path, status: "warn", message };
}
