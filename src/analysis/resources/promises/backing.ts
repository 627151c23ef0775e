import { isArray, isObject, type JsonValue, member } from "../../../core/json.ts";
import { type KubernetesObject, labelsOf, nameOf } from "../../../core/kubernetes.ts";
import { isDefaultDeny } from "../network/policy.ts";
import type { ScannedSet } from "../scanned-set.ts";

/** What the scanned objects enforce in one namespace. */
export interface Backing {
  readonly denyIngress: boolean;
  readonly denyEgress: boolean;
  readonly quota: boolean;
  readonly podSecurity: boolean;
}

/** Network policies of plugins: what they deny is not judged here, so they count as a default deny. */
const otherNetworkPolicies = [
  "policy.networking.k8s.io/AdminNetworkPolicy",
  "policy.networking.k8s.io/BaselineAdminNetworkPolicy",
  "policy.networking.k8s.io/ClusterNetworkPolicy",
  "cilium.io/CiliumClusterwideNetworkPolicy",
  "crd.projectcalico.org/GlobalNetworkPolicy",
  "projectcalico.org/GlobalNetworkPolicy",
];
const otherNamespacedPolicies = [
  "cilium.io/CiliumNetworkPolicy",
  "projectcalico.org/NetworkPolicy",
  "crd.projectcalico.org/NetworkPolicy",
];

export function backingOf(namespace: KubernetesObject, set: ScannedSet): Backing {
  const name = nameOf(namespace);
  const plugin =
    otherNetworkPolicies.some((kind) => set.ofKind(kind).length > 0) ||
    otherNamespacedPolicies.some((kind) => set.inNamespace(kind, name).length > 0);
  const policies = set.inNamespace("networking.k8s.io/NetworkPolicy", name).map((document) => document.value);
  const level = labelsOf(namespace)["pod-security.kubernetes.io/enforce"];
  return {
    denyIngress: plugin || policies.some((policy) => isDefaultDeny(policy, "Ingress")),
    denyEgress: plugin || policies.some((policy) => isDefaultDeny(policy, "Egress")),
    quota: set.inNamespace("/ResourceQuota", name).length > 0,
    podSecurity: level === "baseline" || level === "restricted",
  };
}

const policyGroup =
  /(?:^|\.)(?:kyverno\.io|gatekeeper\.sh|admissionregistration\.k8s\.io|k8s\.ovn\.org|cilium\.io|projectcalico\.org)$/;

/** Label keys that some policy selects by: their policy may well be what backs the promise. */
export function selectedLabels(set: ScannedSet): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const document of set.documents) {
    const group = document.value.apiVersion.split("/")[0] ?? "";
    if (policyGroup.test(group)) collect(document.value, keys);
  }
  return keys;
}

function collect(value: JsonValue | undefined, keys: Set<string>): void {
  if (isArray(value)) for (const item of value) collect(item, keys);
  if (typeof value === "string") collectQuoted(value, keys);
  if (!isObject(value)) return;
  const labels = value["matchLabels"];
  if (isObject(labels)) for (const key of Object.keys(labels)) keys.add(key);
  const expressions = value["matchExpressions"];
  if (isArray(expressions)) {
    for (const expression of expressions) {
      const key = member(expression, "key");
      if (typeof key === "string") keys.add(key);
    }
  }
  for (const [key, child] of Object.entries(value)) if (key !== "metadata" && key !== "message") collect(child, keys);
}

/** Expressions name labels in quotes: `namespaceObject.metadata.labels['isolation-level']`. */
function collectQuoted(text: string, keys: Set<string>): void {
  for (const match of text.matchAll(/labels[^'"`]{0,12}['"`\\]{1,2}([A-Za-z0-9][\w./-]*)['"`\\]/g))
    if (match[1] !== undefined) keys.add(match[1]);
}
