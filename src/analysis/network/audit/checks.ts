import type { Severity } from "../../../core/finding.ts";

interface AuditCheck {
  readonly title: string;
  /** Of a finding that says nothing else. */
  readonly severity: Severity;
  readonly why: string;
}

export const auditChecks = {
  "all-ports": {
    title: "Rule that opens every port",
    severity: "low",
    why: "Who may reach a workload at all reaches its metrics, its peers' ports and its debuggers, too.",
  },
  "blocked-egress": {
    title: "Default deny without any way out",
    severity: "medium",
    why: "A default deny of egress also stops name resolution, metrics and every call that the workloads make themselves.",
  },
  "exposed-data-store": {
    title: "Data store reachable from outside",
    severity: "high",
    why: "Vector databases and stores are made for trusted networks: most come without authentication.",
  },
  "metadata-endpoint": {
    title: "Metadata endpoint of the cloud within reach",
    severity: "medium",
    why: "169.254.169.254 hands out the credentials of the node to whoever can reach it.",
  },
  "missing-dns": {
    title: "Restricted egress without name resolution",
    severity: "medium",
    why: "What may not ask a name server cannot find the services that its policies allow.",
  },
  "no-default-deny": {
    title: "Namespace without default deny",
    severity: "low",
    why: "Whatever no policy selects may talk to everything, and everything to it; that holds for tomorrow's workloads, too.",
  },
  "one-sided": {
    title: "Connection allowed on one side only",
    severity: "medium",
    why: "A connection passes where the egress of its source and the ingress of its destination both allow it.",
  },
  redundant: {
    title: "Policy or rule without effect",
    severity: "info",
    why: "What can be removed without changing an answer hides what does decide.",
  },
  "selects-nothing": {
    title: "Policy or peer that selects nothing",
    severity: "low",
    why: "A selector with a wrong label protects nothing and allows nobody, and nothing says so.",
  },
  "service-port": {
    title: "Port of a Service instead of a pod",
    severity: "medium",
    why: "Policies see packets after the Service's address was replaced: only the pod's own port counts.",
  },
  "unreachable-peer": {
    title: "Peer in another namespace",
    severity: "medium",
    why: "A podSelector alone means pods of the policy's own namespace.",
  },
} as const satisfies Record<string, AuditCheck>;

export type AuditCheckId = keyof typeof auditChecks;
