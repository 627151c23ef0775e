import type { Finding, Fix, Severity } from "../../../core/finding.ts";
import { identified } from "../../../core/fingerprint.ts";
import type { JsonObject, JsonPath } from "../../../core/json.ts";
import { type KubernetesObject, resourceRef } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import { describeObject, describeSubject } from "../describe.ts";
import type { Binding } from "../objects.ts";
import { type AuditCheckId, aboutCheck } from "./checks.ts";

/** What a check found, before it becomes a finding. */
export interface AuditIssue {
  readonly check: AuditCheckId;
  /** Which case of the check. */
  readonly rule: string;
  readonly document: SourceDocument<KubernetesObject>;
  readonly path: JsonPath;
  /** `fail`: a right that leads further than it says. `warn`: untidy. */
  readonly status: "fail" | "warn";
  readonly severity?: Severity;
  readonly message: string;
  readonly evidence?: JsonObject;
  readonly fix?: Fix;
}

export function toFinding(issue: AuditIssue): Finding {
  const { check, rule, document, path, status, message, evidence, fix } = issue;
  const about = aboutCheck(check);
  const location = document.locate(path);
  return identified({
    check: { policy: `rbac/${check}`, rule, title: about.title, category: "RBAC" },
    status,
    severity: issue.severity ?? about.severity,
    resource: resourceRef(document.value),
    path,
    ...(location === undefined ? {} : { location }),
    message,
    evidence: { ...evidence, why: about.why },
    ...(fix === undefined ? {} : { fix }),
    controls: [],
  });
}

const shownSubjects = 3;

/** `Group nlp, ServiceAccount a/b and 2 more` */
export function describeSubjects(bindings: readonly Binding[]): string {
  const names = [...new Set(bindings.flatMap((b) => b.subjects.map((s) => describeSubject(s, b.namespace))))];
  if (names.length > shownSubjects) return `${names.slice(0, shownSubjects).join(", ")} and ${names.length - shownSubjects} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export function describeBindings(bindings: readonly Binding[]): readonly string[] {
  return bindings.map(describeObject);
}

/** `in the whole cluster`, `in namespace nlp`, `in 7 namespaces` */
export function describePlaces(bindings: readonly Binding[]): string {
  const namespaces = [...new Set(bindings.map((b) => b.namespace))];
  if (namespaces.includes("")) return "in the whole cluster";
  return namespaces.length === 1 ? `in namespace ${namespaces[0]}` : `in ${namespaces.length} namespaces`;
}
