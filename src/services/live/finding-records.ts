import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Finding } from "../../core/finding.ts";
import type { Instant } from "../../core/host.ts";
import type { PostureChange } from "./posture.ts";

/** The records that a change of the posture leaves: failures that are new, and those that are gone. */
export function findingRecords({ opened, closed }: PostureChange, cluster: string, at: Instant): readonly NewRecord[] {
  const failures = (findings: readonly Finding[]) => findings.filter((finding) => finding.status === "fail");
  return [
    ...failures(opened).map((finding) => recordOf("finding.opened", finding, cluster, at)),
    ...failures(closed).map((finding) => recordOf("finding.closed", finding, cluster, at)),
  ];
}

function recordOf(kind: "finding.opened" | "finding.closed", finding: Finding, cluster: string, at: Instant): NewRecord {
  const { resource, check } = finding;
  return {
    kind,
    at,
    cluster,
    group: resource.group,
    resource: resource.kind,
    namespace: resource.namespace === "" ? undefined : resource.namespace,
    name: resource.name,
    outcome: finding.status,
    data: { id: finding.id, policy: check.policy, rule: check.rule, severity: finding.severity, message: finding.message },
  };
}
