import { replicated, withGateway } from "./chart.ts";

/** A question about our own account, in the words of `castellan rbac can-i` and of a SubjectAccessReview. */
export interface RightsQuestion {
  readonly verb: string;
  /** Empty: the core group. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  /** Absent: of any name. */
  readonly name?: string;
  /** Absent: cluster-wide. */
  readonly namespace?: string;
}

export const account = "system:serviceaccount:castellan:castellan";

/** What our account may by no variant of the chart: whoever takes the server over has gained no cluster. */
const never: readonly RightsQuestion[] = [
  { verb: "get", group: "", resource: "secrets", namespace: "castellan" },
  { verb: "list", group: "", resource: "secrets" },
  { verb: "create", group: "", resource: "pods", namespace: "castellan" },
  { verb: "create", group: "", resource: "pods", subresource: "exec", namespace: "nlp" },
  { verb: "create", group: "", resource: "serviceaccounts", subresource: "token", namespace: "castellan" },
  { verb: "patch", group: "apps", resource: "deployments", namespace: "nlp" },
  { verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterrolebindings" },
  { verb: "create", group: "rbac.authorization.k8s.io", resource: "rolebindings", namespace: "castellan" },
  { verb: "escalate", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
  { verb: "bind", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
  { verb: "impersonate", group: "", resource: "users" },
  { verb: "impersonate", group: "", resource: "groups", name: "system:masters" },
  { verb: "impersonate", group: "", resource: "serviceaccounts", namespace: "kube-system" },
  { verb: "approve", group: "certificates.k8s.io", resource: "signers" },
  { verb: "create", group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations" },
  { verb: "patch", group: "admissionregistration.k8s.io", resource: "mutatingwebhookconfigurations", name: "other" },
  { verb: "patch", group: "castellan.dev", resource: "accessrules" },
  { verb: "get", group: "coordination.k8s.io", resource: "leases", namespace: "kube-system", name: "castellan" },
  { verb: "patch", group: "coordination.k8s.io", resource: "leases", namespace: "castellan", name: "other" },
];

const reading: readonly RightsQuestion[] = [
  { verb: "list", group: "", resource: "pods" },
  { verb: "watch", group: "kyverno.io", resource: "clusterpolicies" },
  { verb: "watch", group: "castellan.dev", resource: "guardrails" },
  { verb: "get", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
];

const webhooks: readonly RightsQuestion[] = [
  { verb: "patch", group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations", name: "castellan" },
  { verb: "get", group: "admissionregistration.k8s.io", resource: "mutatingwebhookconfigurations", name: "castellan" },
];
const lease: readonly RightsQuestion[] = [
  { verb: "create", group: "coordination.k8s.io", resource: "leases", namespace: "castellan" },
  { verb: "patch", group: "coordination.k8s.io", resource: "leases", namespace: "castellan", name: "castellan" },
];
const impersonation: readonly RightsQuestion[] = [
  { verb: "impersonate:user-info", group: "authentication.k8s.io", resource: "users", name: "ada" },
  { verb: "impersonate-on:user-info:delete", group: "apps", resource: "deployments", namespace: "nlp" },
  { verb: "create", group: "authorization.k8s.io", resource: "subjectaccessreviews" },
];
/** The other two ways of constrained impersonation: as a node, and as a service account. */
const otherImpersonation: readonly RightsQuestion[] = [
  { verb: "impersonate:arbitrary-node", group: "authentication.k8s.io", resource: "nodes" },
  { verb: "impersonate:serviceaccount", group: "authentication.k8s.io", resource: "serviceaccounts", namespace: "kube-system" },
];
const events: readonly RightsQuestion[] = [{ verb: "create", group: "events.k8s.io", resource: "events", namespace: "nlp" }];

export interface RightsOfVariant {
  readonly title: string;
  readonly values: readonly string[];
  readonly allowed: readonly RightsQuestion[];
  readonly denied: readonly RightsQuestion[];
  /** Checks of our own that find something high in it, beside the image that whoever installs it pins. */
  readonly found: readonly string[];
}

const denied = [...never, ...otherImpersonation];

/** What our account may by each variant of the chart. */
export const rightsOfVariants: readonly RightsOfVariant[] = [
  {
    title: "as it is",
    values: [],
    allowed: [...reading, ...webhooks],
    denied: [...denied, ...lease, ...impersonation, ...events],
    found: [],
  },
  {
    title: "several replicas",
    values: ["--set", replicated],
    allowed: [...reading, ...webhooks, ...lease],
    denied: [...denied, ...impersonation, ...events],
    found: [],
  },
  {
    title: "the gateway",
    values: ["--set", withGateway],
    allowed: [...reading, ...webhooks, ...impersonation],
    denied: [...denied, ...lease, ...events],
    // On whatever people may themselves: the API server asks their own rights as well.
    found: ["rbac/wildcard ClusterRole castellan-gateway"],
  },
  {
    title: "replicas with the gateway and events",
    values: ["--set", `${replicated},${withGateway},events=true`],
    allowed: [...reading, ...webhooks, ...lease, ...impersonation, ...events],
    denied,
    found: ["rbac/wildcard ClusterRole castellan-gateway"],
  },
  {
    title: "without webhooks",
    values: ["--set", "webhook.enabled=false"],
    allowed: reading,
    denied: [...denied, ...webhooks.filter(({ verb }) => verb === "patch"), ...lease, ...impersonation],
    found: [],
  },
  {
    title: "roles for what policies make",
    values: ["--set-json", 'downstream.roleLabels=["castellan.dev/aggregate-to-downstream"]'],
    allowed: [...reading, ...webhooks],
    denied: [...denied, ...lease, ...impersonation],
    found: [],
  },
];
