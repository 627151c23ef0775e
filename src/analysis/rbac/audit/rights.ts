import type { Severity } from "../../../core/finding.ts";
import { severities } from "../../../core/finding.ts";
import { type CapabilityId, capabilityIds, capabilityOf } from "../capabilities.ts";
import { type Proof, proofOf } from "../capability-proof.ts";
import { describeObject, describeRule } from "../describe.ts";
import type { Binding, Role } from "../objects.ts";
import type { AuditContext } from "./context.ts";
import { type AuditIssue, describeBindings, describePlaces, describeSubjects } from "./issue.ts";

/** Rights that say nothing more where another one is held. */
const impliedBy: { readonly [id in CapabilityId]?: readonly CapabilityId[] } = {
  "change-pods": ["create-pods"],
  // Operators, mostly: any pod may mount the secrets.
  "ai-workload-and-secrets": ["create-pods"],
};

interface HeldRight {
  readonly id: CapabilityId;
  readonly proof: readonly Proof[];
  readonly severity: Severity;
}

/** Dangerous rights that a role gives where it is bound, each once; everything comes alone. */
export function rightsOf(role: Role, clusterWide: boolean): readonly HeldRight[] {
  const held: HeldRight[] = [];
  for (const id of capabilityIds) {
    const { clusterWide: worst, namespaced } = capabilityOf(id);
    const severity = clusterWide ? worst : namespaced;
    if (severity === undefined || impliedBy[id]?.some((other) => held.some((h) => h.id === other)) === true) continue;
    const proof = proofOf(role.rules, id, clusterWide);
    if (proof === undefined) continue;
    held.push({ id, proof, severity });
    if (id === "cluster-admin") break;
  }
  return held;
}

/** Rights of roles that somebody holds: told at the rule, or at the binding where the role is one of Kubernetes' own. */
export function rightIssues({ held, system, includeSystem }: AuditContext): AuditIssue[] {
  return [...held].flatMap(([role, bindings]) => {
    const clusterWide = bindings.filter((b) => b.namespace === "");
    const places = clusterWide.length > 0 ? clusterWide : bindings;
    const rights = rightsOf(role, clusterWide.length > 0);
    if (role.document === undefined || (system.isOwnRole(role) && !includeSystem)) {
      return places.flatMap((binding) => bindingIssue(role, binding, rights, system.addedSubjects(binding)));
    }
    const { document } = role;
    return rights.map(({ id, proof, severity }): AuditIssue => {
      const { fix } = capabilityOf(id);
      const rules = proof.map((p) => describeRule(p.rule));
      const unwritten = role.aggregationSelectors !== undefined;
      return {
        check: id,
        rule: clusterWide.length > 0 ? "cluster" : "namespace",
        document,
        path: unwritten ? ["aggregationRule"] : ["rules", proof[0]?.index ?? 0],
        status: "fail",
        severity,
        message: `${describeSubjects(places)} may ${phrase(id)} ${describePlaces(places)}: ${rules.join("; ")}.`,
        evidence: { rules, bindings: describeBindings(places) },
        fix: { description: fix },
      };
    });
  });
}

/** A role that Kubernetes made is right as it is; handing it out may not be. */
function bindingIssue(
  role: Role,
  binding: Binding,
  rights: readonly HeldRight[],
  added: readonly number[] | undefined,
): AuditIssue[] {
  const [worst] = [...rights].sort((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity));
  if (worst === undefined || binding.document === undefined) return [];
  // admin, edit and view are made to be bound in a namespace.
  const isEverything = worst.id === "cluster-admin";
  if (binding.namespace !== "" && !isEverything) return [];
  const also = rights.filter((r) => r !== worst).map((r) => phrase(r.id));
  const given = isEverything ? "everything" : [phrase(worst.id), ...also].join("; ");
  const judged = added === undefined ? binding : { ...binding, subjects: added.flatMap((i) => binding.subjects[i] ?? []) };
  return [
    {
      check: worst.id,
      rule: binding.namespace === "" ? "cluster" : "namespace",
      document: binding.document,
      path: ["roleRef"],
      status: "fail",
      severity: worst.severity,
      message: `${describeSubjects([judged])} holds ${describeObject(role)} ${describePlaces([binding])}: ${given}.`,
      evidence: { bindings: [describeObject(binding)], role: describeObject(role), rights: rights.map((r) => r.id) },
      fix: {
        description: isEverything
          ? capabilityOf("cluster-admin").fix
          : "Bind the role in the namespaces that need it, with a RoleBinding.",
      },
    },
  ];
}

/** What follows `may`. */
export function phrase(id: CapabilityId): string {
  const { title } = capabilityOf(id);
  return id === "cluster-admin" ? "do everything" : title.charAt(0).toLowerCase() + title.slice(1);
}
