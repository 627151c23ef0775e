import { policyName } from "../../engine/index.ts";
import type { Enforcement } from "../../policies/policy.ts";
import type { PolicyRevision } from "../live/live-policies.ts";

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
}

const strength: readonly Enforcement[] = ["audit", "warn", "enforce"];

/** The policies of a revision, broken ones that never worked included. */
export function policyRows(cluster: string, { policies, broken }: PolicyRevision): readonly PolicyRow[] {
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
      }),
    );
  return [...rows, ...never].sort((a, b) => (a.name < b.name ? -1 : 1));
}
