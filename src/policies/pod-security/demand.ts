import type { RuleStatus, Severity } from "../../core/finding.ts";
import type { Check, CheckId, CheckRevision, Violation } from "./check.ts";
import { labelPrefix, type NamespacePolicy, policyOfNamespace, privilegedPolicy } from "./namespace-labels.ts";
import type { Pod } from "./pod.ts";
import { activeChecks, checks, revisionAt } from "./registry.ts";
import type { LevelVersion, Version } from "./versions.ts";

/** What a check demands of a pod, and what a failure means. */
export interface Demand {
  readonly standard: LevelVersion;
  readonly status: Extract<RuleStatus, "fail" | "warn" | "skip">;
  readonly severity: Severity;
  find(pod: Pod): readonly Violation[];
}

/** Demands of one check in a namespace with these labels (undefined: unknown), the weightiest first; the first that fails counts. */
export type DemandsOf = (check: Check, labels: { readonly [key: string]: string } | undefined) => readonly Demand[];

/** Breaking these gives the node away. */
const critical: ReadonlySet<CheckId> = new Set(["privileged", "hostNamespaces", "hostPathVolumes", "windowsHostProcess"]);

function severityOf(check: Check, isEnforced: boolean): Severity {
  if (critical.has(check.id)) return "critical";
  return check.level === "baseline" || isEnforced ? "high" : "medium";
}

function activeRevision(check: Check, standard: LevelVersion): CheckRevision | undefined {
  return activeChecks(standard).find((active) => active.check.id === check.id)?.revision;
}

/** The same level everywhere, exactly as the API server would enforce it. */
export function fixedDemands(standard: LevelVersion): DemandsOf {
  return (check) => {
    const revision = activeRevision(check, standard);
    return revision === undefined
      ? []
      : [{ standard, status: "fail", severity: severityOf(check, false), find: (pod) => revision.find(pod) }];
  };
}

/**
 * Both levels where a namespace says nothing; else what its labels say: what it enforces fails, what it audits or warns
 * about warns, and what it allows by that is skipped.
 */
export function namespaceDemands(version: Version): DemandsOf {
  const byDefault = new Map(checks.map((check) => [check.id, defaultDemands(check, version)]));
  return (check, labels) => {
    const usual = byDefault.get(check.id) ?? [];
    if (labels === undefined || !Object.hasOwn(labels, `${labelPrefix}enforce`)) return usual;
    const { policy } = policyOfNamespace(labels, privilegedPolicy);
    const isReplaced = activeChecks(policy.enforce).some(({ revision }) => revision.overrides.includes(check.id));
    const allowed = isReplaced ? [] : usual.map((demand): Demand => ({ ...demand, status: "skip", standard: policy.enforce }));
    return [...labelledDemands(check, policy), ...allowed];
  };
}

function labelledDemands(check: Check, policy: NamespacePolicy): readonly Demand[] {
  return (["enforce", "warn", "audit"] as const).flatMap((mode): readonly Demand[] => {
    const standard = policy[mode];
    const revision = activeRevision(check, standard);
    if (revision === undefined) return [];
    const status = mode === "enforce" ? "fail" : "warn";
    return [{ standard, status, severity: severityOf(check, mode === "enforce"), find: (pod) => revision.find(pod) }];
  });
}

/** A restricted check leaves out what the baseline check that it overrides says already. */
function defaultDemands(check: Check, version: Version): readonly Demand[] {
  const revision = revisionAt(check, version);
  if (revision === undefined) return [];
  const overridden = checks
    .filter(({ id }) => revision.overrides.includes(id))
    .flatMap((other) => revisionAt(other, version) ?? []);
  const find = (pod: Pod): readonly Violation[] => {
    const violations = revision.find(pod);
    if (violations.length === 0 || overridden.length === 0) return violations;
    const said = new Set(overridden.flatMap((other) => other.find(pod)).map(({ path }) => path.join("/")));
    return violations.filter(({ path }) => !said.has(path.join("/")));
  };
  return [{ standard: { level: check.level, version }, status: "fail", severity: severityOf(check, false), find }];
}
