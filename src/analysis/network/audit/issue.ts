import type { Finding, Fix, Severity } from "../../../core/finding.ts";
import { identified } from "../../../core/fingerprint.ts";
import type { JsonObject, JsonPath } from "../../../core/json.ts";
import { type KubernetesObject, type ResourceRef, resourceRef } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import type { Workload } from "../model.ts";
import { type AuditCheckId, auditChecks } from "./checks.ts";

/** What a check found, before it becomes a finding. */
export interface NetworkIssue {
  readonly check: AuditCheckId;
  /** Which case of the check. */
  readonly rule: string;
  readonly document: SourceDocument<KubernetesObject>;
  /** Where it is not what the document says. */
  readonly resource?: ResourceRef;
  readonly path: JsonPath;
  readonly status: "fail" | "warn";
  readonly severity?: Severity;
  readonly message: string;
  readonly evidence?: JsonObject;
  readonly fix?: Fix;
}

export function toFinding(issue: NetworkIssue): Finding {
  const { check, rule, document, path, status, message, evidence, fix } = issue;
  const about = auditChecks[check];
  const location = document.locate(path);
  return identified({
    check: { policy: `network/${check}`, rule, title: about.title, category: "Network" },
    status,
    severity: issue.severity ?? about.severity,
    resource: issue.resource ?? resourceRef(document.value),
    path,
    ...(location === undefined ? {} : { location }),
    message,
    evidence: { ...evidence, why: about.why },
    ...(fix === undefined ? {} : { fix }),
    controls: [],
  });
}

const shown = 3;

/** `a, b and 7 more` */
export function describeWorkloads(workloads: readonly Workload[]): string {
  const names = workloads.map((w) => w.id).sort();
  if (names.length > shown) return `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
