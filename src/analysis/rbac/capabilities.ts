import type { Severity } from "../../core/finding.ts";

/** A right, `verbs` on one of `resources` (`group/resource[/subresource]`, the core group empty). */
export interface RightSpec {
  readonly verbs: readonly string[];
  readonly resources: readonly string[];
  /** Names with which a rule that names objects gives it, too; `any`: a name is no limit. None unless told. */
  readonly names?: readonly string[] | "any";
  /** Another right that is as good. */
  readonly or?: RightSpec;
}

export interface Capability {
  readonly title: string;
  /** Each of these is needed; within one, any verb on any resource is enough. */
  readonly needs: readonly RightSpec[];
  /** Where it is held in the whole cluster. */
  readonly clusterWide: Severity;
  /** Where it is held in one namespace; undefined: it means nothing there. */
  readonly namespaced: Severity | undefined;
  readonly why: string;
  readonly fix: string;
}

const workloads = [
  "/pods",
  "/replicationcontrollers",
  "apps/deployments",
  "apps/daemonsets",
  "apps/statefulsets",
  "apps/replicasets",
  "batch/jobs",
  "batch/cronjobs",
];

/** Custom kinds whose controllers make pods as their authors wrote them. */
const aiWorkloads = [
  "serving.kserve.io/inferenceservices",
  "serving.knative.dev/services",
  "ray.io/rayclusters",
  "ray.io/rayjobs",
  "ray.io/rayservices",
  "kubeflow.org/notebooks",
  "kubeflow.org/pytorchjobs",
  "kubeflow.org/tfjobs",
  "trainer.kubeflow.org/trainjobs",
  "argoproj.io/workflows",
];

const right = (verbs: readonly string[], ...resources: readonly string[]): RightSpec => ({ verbs, resources });
const change = ["update", "patch"];
const write = ["create", ...change];
const read = ["get", "list", "watch"];
/** Signers whose certificates the API server takes for users' or nodes'. */
const clientSigners = [
  "kubernetes.io/*",
  "kubernetes.io/kube-apiserver-client",
  "kubernetes.io/kube-apiserver-client-kubelet",
  "kubernetes.io/legacy-unknown",
];

/**
 * Rights that lead to more than they say. The union of the rule lists of rbac-police, KubiScan, krane, KubeHound and
 * kubesplaining; docs/reference/rbac-checks.md says which rule of theirs is where.
 */
export const capabilities = {
  "cluster-admin": {
    title: "Do everything",
    needs: [right(["*"], "*/*")],
    clusterWide: "critical",
    namespaced: "high",
    why: "All verbs on all resources: whoever holds it is the administrator.",
    fix: "Grant what is used; `castellan rbac least-privilege` derives it from an audit log.",
  },
  escalate: {
    title: "Write roles beyond own rights",
    needs: [
      {
        ...right(["escalate"], "rbac.authorization.k8s.io/roles", "rbac.authorization.k8s.io/clusterroles"),
        // Anything may be written into the role that is named.
        names: "any",
      },
    ],
    clusterWide: "critical",
    namespaced: "high",
    why: "The verb escalate switches off the API server's check that nobody grants what they do not hold.",
    fix: "Remove the verb escalate.",
  },
  bind: {
    title: "Bind roles beyond own rights",
    needs: [
      {
        ...right(["bind"], "rbac.authorization.k8s.io/roles", "rbac.authorization.k8s.io/clusterroles"),
        names: ["cluster-admin", "admin"],
      },
    ],
    clusterWide: "critical",
    namespaced: "high",
    why: "The verb bind lets its holder hand out roles with rights that they do not hold; with bindings of their own they take them.",
    fix: "Remove the verb bind, or name harmless roles in resourceNames.",
  },
  impersonate: {
    title: "Act as others",
    needs: [
      {
        ...right(["impersonate"], "/users", "/groups", "/serviceaccounts"),
        names: ["system:masters"],
      },
    ],
    clusterWide: "critical",
    namespaced: "high",
    why: "Impersonation takes over the rights of whoever is impersonated; of the group system:masters, all of them.",
    fix: "Name the users or groups in resourceNames, or use constrained impersonation (Kubernetes 1.36).",
  },
  secrets: {
    title: "Read secrets",
    needs: [right(read, "/secrets")],
    clusterWide: "high",
    namespaced: "medium",
    why: "Secrets hold credentials and tokens of service accounts: list and watch show their contents as get does.",
    fix: "Name the secrets in resourceNames with the verb get, or mount them instead.",
  },
  "secrets-write": {
    title: "Make tokens by writing secrets",
    needs: [right(["create"], "/secrets"), right(read, "/secrets")],
    clusterWide: "high",
    namespaced: "low",
    why: "A secret of type service-account-token is filled with a token of any service account in its namespace: create one, read it.",
    fix: "Remove the verb create, or name the secrets in resourceNames.",
  },
  "token-request": {
    title: "Issue tokens of service accounts",
    needs: [right(["create"], "/serviceaccounts/token")],
    clusterWide: "critical",
    namespaced: "high",
    why: "serviceaccounts/token hands out tokens of service accounts, and with them their rights.",
    fix: "Name the service accounts in resourceNames.",
  },
  exec: {
    title: "Run commands in pods",
    needs: [right(["create"], "/pods/exec", "/pods/attach")],
    clusterWide: "high",
    namespaced: "medium",
    why: "A command in a pod acts with the pod's service account, its secrets and its network.",
    fix: "Remove pods/exec and pods/attach, or grant them for the time of an incident only.",
  },
  "port-forward": {
    title: "Forward ports of pods",
    needs: [right(["create"], "/pods/portforward")],
    clusterWide: "medium",
    namespaced: "low",
    why: "A forwarded port reaches what listens in a pod, loopback included, past network policies and without a login: databases, dashboards, debug endpoints.",
    fix: "Remove pods/portforward, or grant it for the time of an incident only.",
  },
  "ephemeral-containers": {
    title: "Add containers to running pods",
    needs: [right(change, "/pods/ephemeralcontainers")],
    clusterWide: "high",
    namespaced: "medium",
    why: "An ephemeral container joins a running pod and may mount what the pod mounts.",
    fix: "Remove pods/ephemeralcontainers.",
  },
  "create-pods": {
    title: "Create pods",
    needs: [right(["create"], ...workloads)],
    clusterWide: "high",
    namespaced: undefined,
    why: "Whoever creates pods in every namespace runs code as every service account, kube-system's included.",
    fix: "Bind the role in the namespaces that need it.",
  },
  "change-pods": {
    title: "Change pods or what makes them",
    needs: [right(change, ...workloads)],
    clusterWide: "high",
    namespaced: undefined,
    why: "A patched image or command runs with the service account of the workload it was put into.",
    fix: "Bind the role in the namespaces that need it.",
  },
  "node-proxy": {
    title: "Reach the kubelet",
    needs: [{ ...right(["get", "create"], "/nodes/proxy"), names: "any" }],
    clusterWide: "critical",
    namespaced: undefined,
    why: "nodes/proxy reaches the kubelet's API, whose exec runs commands in every pod of the node: GET is enough, and no audit event or admission sees it.",
    fix: "Grant nodes/metrics, nodes/stats or nodes/log instead (kubelet fine-grained authorization, Kubernetes 1.33).",
  },
  "approve-certificates": {
    title: "Approve certificates",
    needs: [
      right(change, "certificates.k8s.io/certificatesigningrequests/approval"),
      { ...right(["approve"], "certificates.k8s.io/signers"), names: clientSigners },
    ],
    clusterWide: "critical",
    namespaced: undefined,
    why: "An approved request for a client certificate makes its holder whoever the request names.",
    fix: "Name the signers in resourceNames, without kubernetes.io/kube-apiserver-client.",
  },
  "sign-certificates": {
    title: "Sign certificates",
    needs: [
      right(change, "certificates.k8s.io/certificatesigningrequests/status"),
      { ...right(["sign"], "certificates.k8s.io/signers"), names: clientSigners },
    ],
    clusterWide: "critical",
    namespaced: undefined,
    why: "A signer decides what a certificate says.",
    fix: "Name the signers in resourceNames.",
  },
  webhooks: {
    title: "Change admission",
    needs: [
      right(
        write,
        "admissionregistration.k8s.io/mutatingwebhookconfigurations",
        "admissionregistration.k8s.io/validatingwebhookconfigurations",
        "admissionregistration.k8s.io/mutatingadmissionpolicies",
      ),
    ],
    clusterWide: "high",
    namespaced: undefined,
    why: "An admission webhook sees every object that it asks for, secrets included, and a mutating one changes it.",
    fix: "Name the webhook configurations in resourceNames; the verb create cannot be limited so.",
  },
  policies: {
    title: "Change the policies of an engine",
    needs: [
      right(
        [...write, "delete"],
        "admissionregistration.k8s.io/validatingadmissionpolicies",
        "admissionregistration.k8s.io/validatingadmissionpolicybindings",
        "kyverno.io/clusterpolicies",
        "kyverno.io/policyexceptions",
        "policies.kyverno.io/validatingpolicies",
        "policies.kyverno.io/policyexceptions",
        "templates.gatekeeper.sh/constrainttemplates",
      ),
    ],
    clusterWide: "medium",
    namespaced: undefined,
    why: "Whoever changes the policies, or exempts from them, is not held by them.",
    fix: "Leave policies to the pipeline that reviews them.",
  },
  "api-services": {
    title: "Redirect API groups",
    needs: [right(write, "apiregistration.k8s.io/apiservices")],
    clusterWide: "high",
    namespaced: undefined,
    why: "An APIService sends requests of an API group, with the names of their users, to a server of the writer's choice.",
    fix: "Name the APIServices in resourceNames.",
  },
  "persistent-volumes": {
    title: "Create persistent volumes",
    needs: [right(["create"], "/persistentvolumes")],
    clusterWide: "medium",
    namespaced: undefined,
    why: "A persistent volume of type hostPath mounts a node's file system, past Pod Security.",
    fix: "Leave volumes to a storage class's provisioner.",
  },
  "steal-pods": {
    title: "Move pods to other nodes",
    needs: [
      { ...right(["delete", "deletecollection"], "/pods"), or: right(["create"], "/pods/eviction") },
      right([...change, "delete"], "/nodes", "/nodes/status"),
    ],
    clusterWide: "medium",
    namespaced: undefined,
    why: "Whoever removes pods and takes nodes out of service decides on which node privileged pods run next.",
    fix: "Separate the right to change nodes from the right to remove pods.",
  },
  "service-status": {
    title: "Take traffic by load-balancer status",
    needs: [right(change, "/services/status")],
    clusterWide: "medium",
    namespaced: "low",
    why: "An address in a service's status is taken as a load balancer's: traffic to it is captured (CVE-2020-8554).",
    fix: "Remove services/status; only load-balancer controllers need it.",
  },
  "ai-workload-and-secrets": {
    title: "Write AI workloads and read secrets",
    needs: [right(write, ...aiWorkloads), right(read, "/secrets")],
    clusterWide: "high",
    namespaced: "medium",
    why: "A model server, Ray cluster or notebook runs any image as any service account of its namespace; with secrets in reach they leave with it.",
    fix: "Separate them: workloads name the secrets that they mount, and their authors need not read them.",
  },
} as const satisfies Record<string, Capability>;

export type CapabilityId = keyof typeof capabilities;
export const capabilityIds = Object.keys(capabilities) as readonly CapabilityId[];

export function capabilityOf(id: CapabilityId): Capability {
  return capabilities[id];
}
