import type { Severity } from "../../../core/finding.ts";
import { type CapabilityId, capabilityOf } from "../capabilities.ts";

interface AuditCheck {
  readonly title: string;
  /** Of a finding that says nothing else. */
  readonly severity: Severity;
  readonly why: string;
}

/** Checks about objects; each dangerous right of `capabilities` is a check, too. */
export const objectChecks = {
  wildcard: {
    title: "Wildcard in a role",
    severity: "low",
    why: "A wildcard grants what the API will serve tomorrow: subresources, verbs and kinds that nobody has thought of.",
  },
  "unbound-role": {
    title: "Role that nobody holds",
    severity: "low",
    why: "A role without a binding grants nothing: either a binding is missing, or it stands in another namespace, or the role is left over.",
  },
  "duplicate-role": {
    title: "Roles that grant the same",
    severity: "low",
    why: "Of two roles with the same rights one is changed and the other forgotten.",
  },
  "missing-role": {
    title: "Binding to a role that does not exist",
    severity: "medium",
    why: "The binding grants nothing now, and everything that anybody later writes into a role of that name.",
  },
  "missing-subject": {
    title: "Binding to a service account that does not exist",
    severity: "low",
    why: "Whoever creates a service account of that name gets its rights.",
  },
  anonymous: {
    title: "Rights for everybody",
    severity: "high",
    why: "The group or user stands for everybody who reaches the API server, or for every service account.",
  },
  "default-service-account": {
    title: "Rights for a default service account",
    severity: "medium",
    why: "Every pod of the namespace that names no service account runs as default, and gets these rights.",
  },
  "changed-default": {
    title: "Default role that was changed",
    severity: "medium",
    why: "The API server restores what is missing from its own roles and bindings, and leaves what was added.",
  },
  "mounted-token": {
    title: "Powerful token in a pod",
    severity: "low",
    why: "Whoever runs a command in the pod, or reads its files, has a token with which everything can be had.",
  },
  "issued-certificate": {
    title: "Client certificate of a workload",
    severity: "high",
    why: "Kubernetes revokes no client certificate: a workload that had one issued keeps the name in it, whatever is done to its service account.",
  },
  "ai-workload-account": {
    title: "AI workload whose service account reaches further",
    severity: "high",
    why: "Notebooks, model servers and agents run code that their users or models write: it acts with these rights.",
  },
} as const satisfies Record<string, AuditCheck>;

export type ObjectCheckId = keyof typeof objectChecks;
export type AuditCheckId = ObjectCheckId | CapabilityId;

export function aboutCheck(id: AuditCheckId): { readonly title: string; readonly severity: Severity; readonly why: string } {
  if (isObjectCheck(id)) return objectChecks[id];
  const { title, clusterWide, why } = capabilityOf(id);
  return { title, severity: clusterWide, why };
}

function isObjectCheck(id: AuditCheckId): id is ObjectCheckId {
  return Object.hasOwn(objectChecks, id);
}
