import { describe, expect, test } from "vitest";
import type { ApiResource } from "../../core/api-resources.ts";
import type { KubernetesObject, ObjectMeta } from "../../core/kubernetes.ts";
import { Exemptions, exclusivePlaces, keptOf, type PlacedKind } from "./exclusive-kinds.ts";

const served = (group: string, kind: string, namespaced: boolean, version = "v1"): ApiResource => ({
  group,
  version,
  kind,
  resource: `${kind.toLowerCase()}s`,
  namespaced,
  verbs: ["get", "list", "patch"],
  subresources: [],
});

const rbac = "rbac.authorization.k8s.io";
const everything = [
  served(rbac, "Role", true),
  served(rbac, "RoleBinding", true),
  served(rbac, "ClusterRole", false),
  served(rbac, "ClusterRoleBinding", false),
  served("", "ResourceQuota", true),
  served("", "LimitRange", true),
  served("", "ConfigMap", true),
  served("networking.k8s.io", "NetworkPolicy", true),
  served("networking.k8s.io", "Ingress", true),
  served("cilium.io", "CiliumNetworkPolicy", true, "v2"),
  served("cilium.io", "CiliumClusterwideNetworkPolicy", false, "v2"),
  served("kyverno.io", "ClusterPolicy", false),
  served("kyverno.io", "PolicyException", true, "v2"),
  served("kyverno.io", "PolicyException", true, "v2beta1"),
  served("policies.kyverno.io", "ValidatingPolicy", false),
  served("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", false),
  served("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", false),
  { ...served("kyverno.io", "Policy", true), verbs: ["get"] },
];

const inNamespace = (group: string, kind: string, namespace = "a"): PlacedKind => ({ group, kind, namespace });
const clusterWide = (group: string, kind: string): PlacedKind => ({ group, kind, namespace: undefined });

const places: { readonly [name: string]: readonly [declared: readonly PlacedKind[], expected: readonly string[]] } = {
  "a role: all RBAC of the namespace": [[inNamespace(rbac, "Role")], ["Role a", "RoleBinding a"]],
  "a cluster role: all that is cluster-wide": [[clusterWide(rbac, "ClusterRole")], ["ClusterRole", "ClusterRoleBinding"]],
  "both, in two namespaces": [
    [inNamespace(rbac, "RoleBinding"), inNamespace(rbac, "Role", "b"), clusterWide(rbac, "ClusterRoleBinding")],
    ["ClusterRole", "ClusterRoleBinding", "Role a", "Role b", "RoleBinding a", "RoleBinding b"],
  ],
  "a quota: limits, too": [[inNamespace("", "ResourceQuota")], ["LimitRange a", "ResourceQuota a"]],
  "network policies of several engines": [
    [inNamespace("networking.k8s.io", "NetworkPolicy")],
    ["CiliumNetworkPolicy a", "NetworkPolicy a"],
  ],
  "policies of one engine, not of another": [[clusterWide("kyverno.io", "ClusterPolicy")], ["ClusterPolicy", "ValidatingPolicy"]],
  "exceptions in their namespace, once for all versions, and what cannot be listed": [
    [inNamespace("kyverno.io", "PolicyException")],
    ["PolicyException a"],
  ],
  "policies, but no webhooks": [
    [clusterWide("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")],
    ["ValidatingAdmissionPolicy"],
  ],
  "kinds that say nothing together": [[inNamespace("", "ConfigMap"), inNamespace("networking.k8s.io", "Ingress")], []],
};

describe("what must be declared whole", () => {
  test.each(Object.entries(places))("%s", (_name, [declared, expected]) => {
    const found = exclusivePlaces(declared, everything).map(({ resource, namespace = "" }) =>
      `${resource.kind} ${namespace}`.trim(),
    );
    expect(found.sort()).toEqual(expected);
  });
});

const binding = (metadata: ObjectMeta, more: object = {}): KubernetesObject => ({
  apiVersion: `${rbac}/v1`,
  kind: metadata.namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
  metadata,
  roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "cluster-admin" },
  subjects: [{ apiGroup: rbac, kind: "Group", name: "system:masters" }],
  ...more,
});
const made = binding({ name: "cluster-admin" });

const exempt: readonly (readonly [name: string, live: KubernetesObject, expected: string | undefined])[] = [
  ["as the API server made it", made, "kubernetes"],
  ["with less", { ...made, subjects: [] }, "kubernetes"],
  ["without the usual API group", { ...made, subjects: [{ kind: "Group", name: "system:masters" }] }, "kubernetes"],
  ["with somebody more", { ...made, subjects: [{ kind: "User", name: "mallory" }] }, undefined],
  ["with another role", { ...made, roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "edit" } }, undefined],
  ["of a reserved name that it does not make", binding({ name: "system:mine" }), undefined],
  ["with its label", binding({ name: "mine", labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } }), undefined],
  ["of its name in a namespace", binding({ name: "cluster-admin", namespace: "a" }), undefined],
  ["with an owner", binding({ name: "mine", ownerReferences: [{ kind: "App", name: "x" }] }), "owned"],
  ["with no owner", binding({ name: "mine", ownerReferences: [] }), undefined],
];

const kept: readonly (readonly [name: string, metadata: ObjectMeta, expected: string | undefined])[] = [
  ["in a namespace", { name: "mine", namespace: "a" }, undefined],
  [
    "managed by nobody in particular",
    { name: "mine", namespace: "a", labels: { "app.kubernetes.io/managed-by": "me" } },
    undefined,
  ],
  ["of Helm, by its label", { name: "mine", namespace: "a", labels: { "app.kubernetes.io/managed-by": "Helm" } }, "deployed"],
  [
    "of access rules that are installed",
    { name: "castellan-grant-x", namespace: "a", labels: { "app.kubernetes.io/managed-by": "castellan" } },
    "deployed",
  ],
  [
    "of our account in a registered cluster",
    { name: "castellan-account", namespace: "a", labels: { "app.kubernetes.io/managed-by": "castellan-cluster-add" } },
    "deployed",
  ],
  ["of Helm, by its annotation", { name: "mine", namespace: "a", annotations: { "meta.helm.sh/release-name": "x" } }, "deployed"],
  ["of Argo CD", { name: "mine", namespace: "a", annotations: { "argocd.argoproj.io/tracking-id": "x" } }, "deployed"],
  ["of Flux", { name: "mine", namespace: "a", labels: { "kustomize.toolkit.fluxcd.io/name": "x" } }, "deployed"],
  ["cluster-wide", { name: "mine" }, "cluster"],
  ["in a namespace of Kubernetes", { name: "mine", namespace: "kube-system" }, "system"],
  ["of a reserved name", { name: "system:mine", namespace: "a" }, "reserved"],
  ["with the reserved label", { name: "mine", labels: { "kubernetes.io/bootstrapping": "x" } }, "reserved"],
  ["of a grant", { name: "mine", namespace: "a", labels: { "castellan.dev/grant": "g" } }, "grant"],
];

describe("what is not drift, and what is kept", () => {
  test.each(exempt)("exempt: %s", (_name, live, expected) => {
    expect(new Exemptions([made]).of(live)).toBe(expected);
  });

  test.each(kept)("kept: %s", (_name, metadata, expected) => {
    expect(keptOf(binding(metadata))).toBe(expected);
  });
});
