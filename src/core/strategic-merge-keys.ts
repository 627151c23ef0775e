import type { KubernetesObject } from "./kubernetes.ts";

/**
 * Which lists a strategic merge patch merges, and by which keys, as Kyverno (through kustomize's kyaml) knows them: the
 * built-in kinds of Kubernetes 1.21. It is older than the API server's own table on purpose: a list that Kyverno
 * replaces (`schedulingGates`, every list of a custom resource) must be replaced here too. Source: the extensions
 * `x-kubernetes-patch-strategy`, `-patch-merge-key` and `-list-map-keys` of Kubernetes 1.21's OpenAPI document.
 */
export interface MergeType {
  readonly [field: string]: MergeField;
}

/** A member that is, or leads to, a merged list. */
export interface MergeField {
  /** Of the member itself, or of the list's items. */
  readonly type?: MergeType;
  /** Present on lists that are merged: the members that identify an item; none for lists of scalars. */
  readonly keys?: readonly string[];
}

const list = (type: MergeType | undefined, ...keys: readonly string[]): MergeField => ({
  keys,
  ...(type === undefined ? {} : { type }),
});

const metadata: MergeField = { type: { finalizers: list(undefined), ownerReferences: list(undefined, "uid") } };
const anyObject: MergeType = { metadata };
const conditions = list(undefined, "type");
const status: MergeField = { type: { conditions } };

const ephemeralContainer: MergeType = {
  env: list(undefined, "name"),
  volumeDevices: list(undefined, "devicePath"),
  volumeMounts: list(undefined, "mountPath"),
};
const container: MergeType = { ...ephemeralContainer, ports: list(undefined, "containerPort", "protocol") };

const podSpec: MergeField = {
  type: {
    containers: list(container, "name"),
    ephemeralContainers: list(ephemeralContainer, "name"),
    hostAliases: list(undefined, "ip"),
    imagePullSecrets: list(undefined, "name"),
    initContainers: list(container, "name"),
    topologySpreadConstraints: list(undefined, "topologyKey", "whenUnsatisfiable"),
    volumes: list({ ephemeral: { type: { volumeClaimTemplate: { type: anyObject } } } }, "name"),
  },
};

const podTemplate: MergeField = { type: { metadata, spec: podSpec } };
const workload: MergeType = { metadata, spec: { type: { template: podTemplate } }, status };
const jobTemplate: MergeField = { type: { metadata, spec: { type: { template: podTemplate } } } };
const cronJob: MergeType = { metadata, spec: { type: { jobTemplate } } };
const withConditions: MergeType = { metadata, status };
const csiNode: MergeType = { metadata, spec: { type: { drivers: list(undefined, "name") } } };
const webhooks: MergeType = { metadata, webhooks: list(undefined, "name") };

const kinds: { readonly [apiVersion: string]: { readonly [kind: string]: MergeType } } = {
  v1: {
    ComponentStatus: { metadata, conditions },
    Namespace: withConditions,
    Node: {
      metadata,
      spec: { type: { podCIDRs: list(undefined) } },
      status: { type: { addresses: list(undefined, "type"), conditions } },
    },
    PersistentVolumeClaim: withConditions,
    Pod: { metadata, spec: podSpec, status: { type: { conditions, podIPs: list(undefined, "ip") } } },
    PodTemplate: { metadata, template: podTemplate },
    ReplicationController: workload,
    Service: { metadata, spec: { type: { ports: list(undefined, "port", "protocol") } }, status },
    ServiceAccount: { metadata, secrets: list(undefined, "name") },
  },
  "admissionregistration.k8s.io/v1": { MutatingWebhookConfiguration: webhooks, ValidatingWebhookConfiguration: webhooks },
  "admissionregistration.k8s.io/v1beta1": { MutatingWebhookConfiguration: webhooks, ValidatingWebhookConfiguration: webhooks },
  "apiregistration.k8s.io/v1": { APIService: withConditions },
  "apiregistration.k8s.io/v1beta1": { APIService: withConditions },
  "apps/v1": { DaemonSet: workload, Deployment: workload, ReplicaSet: workload, StatefulSet: workload },
  "batch/v1": { CronJob: cronJob, Job: workload },
  "batch/v1beta1": { CronJob: cronJob },
  "kustomize.config.k8s.io/v1beta1": {
    Kustomization: { configMapGenerator: list(undefined, "name"), secretGenerator: list(undefined, "name") },
  },
  "policy/v1": { PodDisruptionBudget: withConditions },
  "policy/v1beta1": { PodDisruptionBudget: withConditions },
  "storage.k8s.io/v1": { CSINode: csiNode },
  "storage.k8s.io/v1beta1": { CSINode: csiNode },
};

/** Kinds of which only the metadata holds merged lists. */
const plainKinds: { readonly [apiVersion: string]: string } = {
  v1: "Binding ConfigMap Endpoints Event LimitRange PersistentVolume ResourceQuota Secret",
  "apiextensions.k8s.io/v1": "CustomResourceDefinition",
  "apiextensions.k8s.io/v1beta1": "CustomResourceDefinition",
  "apps/v1": "ControllerRevision",
  "authentication.k8s.io/v1": "TokenRequest TokenReview",
  "authentication.k8s.io/v1beta1": "TokenReview",
  "authorization.k8s.io/v1": "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
  "authorization.k8s.io/v1beta1": "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
  "autoscaling/v1": "HorizontalPodAutoscaler Scale",
  "autoscaling/v2beta1": "HorizontalPodAutoscaler",
  "autoscaling/v2beta2": "HorizontalPodAutoscaler",
  "certificates.k8s.io/v1": "CertificateSigningRequest",
  "certificates.k8s.io/v1beta1": "CertificateSigningRequest",
  "coordination.k8s.io/v1": "Lease",
  "coordination.k8s.io/v1beta1": "Lease",
  "discovery.k8s.io/v1": "EndpointSlice",
  "discovery.k8s.io/v1beta1": "EndpointSlice",
  "events.k8s.io/v1": "Event",
  "events.k8s.io/v1beta1": "Event",
  "extensions/v1beta1": "Ingress",
  "flowcontrol.apiserver.k8s.io/v1beta1": "FlowSchema PriorityLevelConfiguration",
  "networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy",
  "networking.k8s.io/v1beta1": "Ingress IngressClass",
  "node.k8s.io/v1": "RuntimeClass",
  "node.k8s.io/v1beta1": "RuntimeClass",
  "policy/v1beta1": "Eviction PodSecurityPolicy",
  "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
  "rbac.authorization.k8s.io/v1beta1": "ClusterRole ClusterRoleBinding Role RoleBinding",
  "scheduling.k8s.io/v1": "PriorityClass",
  "scheduling.k8s.io/v1beta1": "PriorityClass",
  "storage.k8s.io/v1": "CSIDriver StorageClass VolumeAttachment",
  "storage.k8s.io/v1beta1": "CSIDriver CSIStorageCapacity StorageClass VolumeAttachment",
};

const types = new Map<string, MergeType>([
  ...Object.entries(plainKinds).flatMap(([apiVersion, names]) =>
    names.split(" ").map((kind) => [`${apiVersion}/${kind}`, anyObject] as const),
  ),
  ...Object.entries(kinds).flatMap(([apiVersion, byKind]) =>
    Object.entries(byKind).map(([kind, type]) => [`${apiVersion}/${kind}`, type] as const),
  ),
]);

/** The merged lists of a kind; undefined for kinds that are not known, whose lists are all replaced. */
export function mergeTypeOf(object: Pick<KubernetesObject, "apiVersion" | "kind">): MergeType | undefined {
  return types.get(`${object.apiVersion}/${object.kind}`);
}
