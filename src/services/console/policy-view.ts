import type { Finding, StatusCounts } from "../../core/finding.ts";
import { policyName } from "../../engine/index.ts";
import type { CompiledPolicy, Enforcement } from "../../policies/policy.ts";
import type { PolicyRevision } from "../live/live-policies.ts";
import type { PolicyCost } from "../live/policy-costs.ts";

/** A policy as one row of a list. */
export interface PolicyRow {
  readonly cluster: string;
  readonly name: string;
  readonly title: string;
  readonly category: string;
  readonly severity: string;
  readonly origin: string;
  readonly mode: Enforcement;
  readonly rules: readonly string[];
  /** Its newest text does not compile. */
  readonly broken: boolean;
  /** What its rules said at admission since the server started; undefined: nothing. */
  readonly admitted: StatusCounts | undefined;
  /** What is wrong now by its word. */
  readonly findings: FindingCounts;
  /** Undefined where the background scan has not measured it. */
  readonly cost: PolicyCost | undefined;
}

export interface FindingCounts {
  readonly fail: number;
  readonly warn: number;
  readonly error: number;
}

/** What is known of policies beside their text. */
export interface PolicyUse {
  readonly admitted: (policy: string) => StatusCounts | undefined;
  readonly findings: Iterable<Finding>;
  readonly costOf: (policy: CompiledPolicy) => PolicyCost | undefined;
}

const strength: readonly Enforcement[] = ["audit", "warn", "enforce"];

/** The policies of a revision, broken ones that never worked included. */
export function policyRows(cluster: string, { policies, broken }: PolicyRevision, use: PolicyUse): readonly PolicyRow[] {
  const found = countsByPolicy(use.findings);
  const rows = policies.map((policy): PolicyRow => {
    const modes = policy.rules.map((rule) => rule.enforcement("", {}));
    return {
      cluster,
      name: policyName(policy.id),
      title: policy.title,
      category: policy.category,
      severity: policy.severity,
      origin: policy.origin.file,
      mode: strength.findLast((mode) => modes.includes(mode)) ?? "audit",
      rules: policy.rules.map((rule) => rule.name),
      broken: broken.includes(policyName(policy.id)),
      admitted: use.admitted(policyName(policy.id)),
      findings: found.get(policyName(policy.id)) ?? none,
      cost: use.costOf(policy),
    };
  });
  const known = new Set(rows.map((row) => row.name));
  const never = broken
    .filter((name) => !known.has(name))
    .map(
      (name): PolicyRow => ({
        cluster,
        name,
        title: "",
        category: "",
        severity: "",
        origin: "",
        mode: "audit",
        rules: [],
        broken: true,
        admitted: undefined,
        findings: none,
        cost: undefined,
      }),
    );
  return [...rows, ...never].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const none: FindingCounts = { fail: 0, warn: 0, error: 0 };

function countsByPolicy(findings: Iterable<Finding>): ReadonlyMap<string, FindingCounts> {
  const byPolicy = new Map<string, { -readonly [status in keyof FindingCounts]: number }>();
  for (const { check, status } of findings) {
    if (status === "pass" || status === "skip") continue;
    const counts = byPolicy.get(check.policy) ?? { ...none };
    byPolicy.set(check.policy, counts);
    counts[status]++;
  }
  return byPolicy;
}
