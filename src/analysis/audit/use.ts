import type { Instant } from "../../core/host.ts";

/** One answered request of the Kubernetes API, as an audit record tells it. */
export interface ApiUse {
  /** The record's number in the ledger. */
  readonly seq: number;
  readonly at: Instant;
  readonly cluster: string;
  readonly actor: string;
  readonly verb: string;
  readonly group: string;
  /** Plural, with its subresource: `pods/exec`; empty for requests of no resource. */
  readonly resource: string;
  /** Empty: all namespaces, or a cluster-scoped resource. */
  readonly namespace: string;
  /** Empty where many are asked for. */
  readonly name: string;
  /** HTTP status code. */
  readonly outcome: string;
  readonly userAgent: string;
  /** As the client chose it, or a digest of one that is long; empty: not known. */
  readonly auditId: string;
  /** Equal for equal requests: who asks for what. */
  readonly request: string;
}

const sensitive: ReadonlySet<string> = new Set([
  "/secrets",
  "/serviceaccounts/token",
  "/pods/exec",
  "/pods/attach",
  "/pods/portforward",
  "/pods/ephemeralcontainers",
  "/nodes/proxy",
  "rbac.authorization.k8s.io/roles",
  "rbac.authorization.k8s.io/rolebindings",
  "rbac.authorization.k8s.io/clusterroles",
  "rbac.authorization.k8s.io/clusterrolebindings",
  "certificates.k8s.io/certificatesigningrequests/approval",
  "admissionregistration.k8s.io/validatingwebhookconfigurations",
  "admissionregistration.k8s.io/mutatingwebhookconfigurations",
]);

const reads: ReadonlySet<string> = new Set(["get", "list", "watch"]);

export const isRead = (use: ApiUse): boolean => reads.has(use.verb);
export const isSensitive = (use: ApiUse): boolean => sensitive.has(`${use.group}/${use.resource}`);
export const isSecretRead = (use: ApiUse): boolean => use.resource === "secrets" && use.group === "" && isRead(use);
/** What was refused says what somebody tried, not what is usual. */
export const isRefused = (use: ApiUse): boolean => use.outcome === "401" || use.outcome === "403";

/** What a subject does, by name: the verb, and on resources that lead to more rights the verb with its resource. */
export function actionOf(use: ApiUse): string {
  return isSensitive(use) ? `${use.verb} ${use.resource}` : use.verb;
}

/** The program of a user agent, without version and platform: `kubectl` of `kubectl/v1.36.1 (linux/amd64) kubernetes/1a2b`. */
export function programOf(userAgent: string): string {
  return /^[^/\s(]+/.exec(userAgent.trim())?.[0] ?? "";
}
