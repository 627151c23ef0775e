import { isObject, type JsonValue, member } from "../../../core/json.ts";
import { groupOf, type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import { compileLabelSelector, type Labels } from "../../../core/label-selector.ts";

/** Without this label, which is set when a namespace is made, a primary network does not take the namespace in. */
const requiredLabel = "k8s.ovn.org/primary-user-defined-network";

export function isUserDefinedNetwork(object: KubernetesObject): boolean {
  return groupOf(object) === "k8s.ovn.org" && /^(Cluster)?UserDefinedNetwork$/.test(object.kind);
}

/**
 * Which primary network each namespace's pods stand in, instead of the cluster's pod network (OVN-Kubernetes). Pods of
 * different primary networks reach each other by no policy.
 */
export function primaryNetworks(
  objects: Iterable<KubernetesObject>,
  namespaces: ReadonlyMap<string, Labels>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const take = (namespace: string, labels: Labels, network: string) => {
    if (Object.hasOwn(labels, requiredLabel) && !found.has(namespace)) found.set(namespace, network);
  };
  for (const object of objects) {
    if (!isUserDefinedNetwork(object)) continue;
    const spec = object["spec"];
    if (object.kind === "UserDefinedNetwork") {
      const namespace = namespaceOf(object);
      const labels = namespaces.get(namespace);
      if (isPrimary(spec) && labels !== undefined) take(namespace, labels, `UserDefinedNetwork ${namespace}/${nameOf(object)}`);
      continue;
    }
    const selector = member(spec, "namespaceSelector");
    const compiled = compileLabelSelector(isObject(selector) ? selector : {});
    if (!compiled.ok || !isPrimary(member(spec, "network"))) continue;
    for (const [name, labels] of namespaces) {
      if (compiled.matches(labels)) take(name, labels, `ClusterUserDefinedNetwork ${nameOf(object)}`);
    }
  }
  return found;
}

function isPrimary(network: JsonValue | undefined): boolean {
  return ["layer2", "layer3"].some((layer) => member(member(network, layer), "role") === "Primary");
}
