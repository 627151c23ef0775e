import type { Shown, Target } from "./shown.ts";

/** One way to tell what a rule of another scanner tells: a check of the audit, or a path, by one of the techniques where some are named. */
type Answer = { readonly checks: readonly string[] } | { readonly to: Target; readonly by?: readonly string[] };

const audit = (...checks: readonly string[]): Answer => ({ checks });
const path = (to: Target, ...by: readonly string[]): Answer => ({ to, ...(by.length > 0 ? { by } : {}) });

const powers = [
  "cluster-admin",
  "escalate",
  "bind",
  "impersonate",
  "secrets",
  "secrets-write",
  "token-request",
  "exec",
  "create-pods",
  "change-pods",
  "node-proxy",
  "mounted-token",
  "ai-workload-account",
];

/** Rules about who may do what, and where they are told here. */
const answers = new Map<string, readonly Answer[]>([
  [
    "KUBE-PRIVESC-001",
    [audit("create-pods", "cluster-admin"), path("node", "create-pods"), path("cluster-admin", "create-pods")],
  ],
  ["KUBE-PRIVESC-002", [path("node", "privileged-pod"), path("cluster-admin", "privileged-pod")]],
  [
    "KUBE-PRIVESC-003",
    [
      audit("create-pods", "change-pods", "cluster-admin"),
      path("node", "change-pods", "create-pods"),
      path("cluster-admin", "change-pods", "create-pods"),
    ],
  ],
  ["KUBE-PRIVESC-004", [audit("exec", "cluster-admin")]],
  ["KUBE-PRIVESC-005", [audit("secrets", "cluster-admin")]],
  ["KUBE-PRIVESC-006", [audit("secrets", "cluster-admin")]],
  ["KUBE-PRIVESC-007", [audit("secrets-write", "cluster-admin")]],
  ["KUBE-PRIVESC-008", [audit("impersonate", "cluster-admin")]],
  ["KUBE-PRIVESC-009", [audit("bind", "escalate", "cluster-admin")]],
  ["KUBE-PRIVESC-010", [audit("bind", "cluster-admin")]],
  ["KUBE-PRIVESC-011", [audit("approve-certificates", "cluster-admin")]],
  ["KUBE-PRIVESC-012", [audit("node-proxy", "cluster-admin")]],
  ["KUBE-PRIVESC-013", [audit("ephemeral-containers", "cluster-admin")]],
  ["KUBE-PRIVESC-014", [audit("token-request", "cluster-admin")]],
  ["KUBE-PRIVESC-015", [audit("port-forward", "cluster-admin")]],
  ["KUBE-PRIVESC-016", [audit("steal-pods", "cluster-admin")]],
  ["KUBE-PRIVESC-017", [audit("cluster-admin", "wildcard")]],
  ["KUBE-PRIVESC-018", [audit("webhooks", "cluster-admin")]],
  ["KUBE-PRIVESC-019", [audit("webhooks", "policies", "cluster-admin")]],
  ["KUBE-PRIVESC-020", [audit("api-services", "cluster-admin")]],
  ["KUBE-PRIVESC-022", [audit("service-status", "cluster-admin")]],
  ["KUBE-PRIVESC-024", [audit("sign-certificates", "approve-certificates", "cluster-admin")]],
  ["KUBE-PRIVESC-027", [audit("persistent-volumes", "cluster-admin")]],
  ["KUBE-CSR-001", [audit("issued-certificate/workload")]],
  ["KUBE-CSR-002", [audit("issued-certificate/legacy-signer")]],
  ["KUBE-PRIVESC-PATH-CLUSTER-ADMIN", [path("cluster-admin")]],
  ["KUBE-PRIVESC-PATH-SYSTEM-MASTERS", [path("cluster-admin")]],
  ["KUBE-PRIVESC-PATH-NODE-ESCAPE", [path("node")]],
  ["KUBE-PRIVESC-PATH-KUBE-SYSTEM-SECRETS", [path("secrets"), audit("secrets")]],
  [
    "KUBE-PRIVESC-PATH-NAMESPACE-ADMIN",
    [audit("bind", "escalate", "cluster-admin"), path("node", "bind", "escalate", "everything")],
  ],
  ["KUBE-CONFUSED-DEPUTY-001", [path("cluster-admin", "deputy"), path("node", "deputy"), path("secrets", "deputy")]],
  ["KUBE-RBAC-OVERBROAD-001", [audit("cluster-admin")]],
  ["KUBE-RBAC-STALE-001", [audit("missing-role")]],
  ["KUBE-RBAC-STALE-002", [audit("missing-subject")]],
  ["KUBE-SA-PRIVILEGED-001", [audit("cluster-admin")]],
  ["KUBE-SA-PRIVILEGED-002", [audit(...powers), path("cluster-admin")]],
  ["KUBE-SA-DEFAULT-002", [audit("default-service-account")]],
  ["KUBE-SECRETS-CROSSNS-001", [audit("secrets", "cluster-admin")]],
]);

/** Rules about other things, by how they begin. */
const others: readonly (readonly [prefix: string, why: string])[] = [
  ["KUBE-NETPOL-", "about network policies, not about rights"],
  ["KUBE-ADMISSION-", "about admission webhooks and policies, not about rights"],
  ["KUBE-CONTAINER", "about containers, not about rights"],
  ["KUBE-ESCAPE-", "about containers, not about rights; a path tells it where somebody reaches the pod"],
  ["KUBE-HOSTPATH-", "about containers, not about rights; a path tells it where somebody reaches the pod"],
  ["KUBE-PODSEC-", "about containers, not about rights"],
  ["KUBE-IMAGE-", "about containers, not about rights"],
  ["KUBE-PSA-", "about Pod Security labels, not about rights"],
  ["KUBE-PV-", "about volumes, not about rights"],
  ["KUBE-CONFIGMAP-", "about the content of config maps, not about rights"],
  ["KUBE-SECRETS-", "about the keeping of secrets, not about rights"],
  ["KUBE-SA-DEFAULT-001", "about pods that name no service account, not about rights"],
  ["KUBE-SA-DAEMONSET-", "about where pods run, not about rights"],
  ["KUBE-RBAC-UNUSED-", "needs an audit log: least-privilege"],
  ["KUBE-RBAC-WILDCARD-USED-", "needs an audit log: least-privilege"],
  ["KUBE-CLOUD-", "about roles of a cloud, which are not among the API's objects"],
  ["KUBE-EKS-", "about roles of a cloud, which are not among the API's objects"],
];

/** Why a rule is not about rights; undefined: it is. */
export function reasonElsewhere(rule: string): string | undefined {
  return answers.has(rule) ? undefined : others.find(([prefix]) => rule.startsWith(prefix))?.[1];
}

/** Whether a rule is told of a subject, or of anybody; undefined for rules that are not known. */
export function isShown(shown: Shown, rule: string, subject: string | undefined): boolean | undefined {
  return answers
    .get(rule)
    ?.some((answer) =>
      "checks" in answer
        ? shown.audits(answer.checks, subject)
        : shown
            .waysTo(answer.to, subject)
            .some((techniques) => answer.by === undefined || answer.by.some((technique) => techniques.includes(technique))),
    );
}

/** Subjects that reach a target although no label says so. */
export function unlabelled(shown: Shown, target: Target, labels: readonly Label[]): readonly string[] {
  const expected = new Set(labels.filter((l) => isPathTo(l.rule, target)).map((l) => l.subject));
  return shown.whoReaches(target).filter((subject) => !expected.has(subject));
}

function isPathTo(rule: string, target: Target): boolean {
  return (answers.get(rule) ?? []).some((answer) => "to" in answer && answer.to === target);
}

export interface Label {
  readonly rule: string;
  /** As our reports name it; undefined where the label names none. */
  readonly subject: string | undefined;
  /** What follows the subject. */
  readonly rest: readonly string[];
}

/** `RULE:ServiceAccount/ns/name:...`; of a certificate request, `RULE::name`. */
export function parseLabel(text: string): Label {
  const [rule = "", subject = "", ...rest] = text.split(":");
  if (rule.startsWith("KUBE-CSR-")) return { rule, subject: `CertificateSigningRequest ${rest[0] ?? ""}`, rest };
  const [kind, ...name] = subject.split("/");
  const known = ["ServiceAccount", "User", "Group"].includes(kind ?? "");
  return { rule, subject: known ? `${kind} ${name.join("/")}` : undefined, rest };
}
