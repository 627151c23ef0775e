import { type CapabilityId, capabilityIds, capabilityOf } from "../capabilities.ts";
import { proofOf } from "../capability-proof.ts";
import { describeObject, describeSubject } from "../describe.ts";
import type { Binding, BindingSubject, Role } from "../objects.ts";
import { subjectKey } from "../rbac-index.ts";
import type { AuditContext } from "./context.ts";
import { type AuditIssue, describeBindings } from "./issue.ts";

/** Rights that take several parts. */
const composed = capabilityIds.filter((id) => capabilityOf(id).needs.length > 1 && id !== "ai-workload-and-secrets");

interface HeldRole {
  readonly subject: BindingSubject;
  readonly binding: Binding;
  readonly role: Role;
}

/** Rights whose parts a subject holds by different roles, cluster-wide, so that none of the roles shows them. */
export function combinedIssues({ held }: AuditContext): AuditIssue[] {
  const bySubject = new Map<string, HeldRole[]>();
  for (const [role, bindings] of held) {
    for (const binding of bindings.filter((b) => b.namespace === "")) {
      for (const subject of binding.subjects) {
        const key = subjectKey(subject, "");
        if (key !== undefined) bySubject.set(key, [...(bySubject.get(key) ?? []), { subject, binding, role }]);
      }
    }
  }
  return [...bySubject.values()]
    .filter((roles) => roles.length > 1)
    .flatMap((roles) => composed.flatMap((id) => combined(roles, id)));
}

function combined(roles: readonly HeldRole[], id: CapabilityId): AuditIssue[] {
  if (roles.some(({ role }) => proofOf(role.rules, id, true) !== undefined)) return [];
  const proof = proofOf(
    roles.flatMap(({ role }) => role.rules),
    id,
    true,
  );
  const used = roles.filter(({ role }) => proof?.some((p) => role.rules.includes(p.rule)) === true);
  const last = used.at(-1);
  if (proof === undefined || last?.binding.document === undefined) return [];
  const { title, clusterWide, fix } = capabilityOf(id);
  return [
    {
      check: id,
      rule: "combined",
      document: last.binding.document,
      path: ["roleRef"],
      status: "fail",
      severity: clusterWide,
      message: `${describeSubject(last.subject, "")} may ${title.toLowerCase()} by ${used.map((u) => describeObject(u.role)).join(" and ")} together.`,
      evidence: { bindings: describeBindings(used.map((u) => u.binding)) },
      fix: { description: fix },
    },
  ];
}
