import { asString, isArray, member } from "../../../core/json.ts";
import { groupOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { ClusterNode } from "../model.ts";

export const nameLabel = "kubernetes.io/metadata.name";

/** The labels of a namespace as the API server shows them: its name is always among them. */
export function namespaceLabels(name: string, labels: Labels = {}): Labels {
  return { ...labels, [nameLabel]: name };
}

export function readNode(object: KubernetesObject): ClusterNode {
  const name = nameOf(object);
  const list = member(object["status"], "addresses");
  const addresses = (isArray(list) ? list : []).flatMap((item) => {
    const type = asString(member(item, "type"));
    const address = asString(member(item, "address"));
    return address !== undefined && (type === "InternalIP" || type === "ExternalIP") ? [address] : [];
  });
  return { kind: "node", id: `node/${name}`, labels: labelsOf(object), addresses };
}

/** Stands for the nodes that no object shows. */
export const someNode: ClusterNode = { kind: "node", id: "node", labels: {}, addresses: [] };

/** Addresses of the API server, as the Endpoints or EndpointSlices of Service default/kubernetes tell. */
export function apiServerAddresses(object: KubernetesObject): readonly string[] {
  const group = groupOf(object);
  if ((namespaceOf(object) || "default") !== "default") return [];
  if (group === "" && object.kind === "Endpoints" && nameOf(object) === "kubernetes") {
    const subsets = object["subsets"];
    return (isArray(subsets) ? subsets : []).flatMap((subset) => {
      const addresses = member(subset, "addresses");
      return (isArray(addresses) ? addresses : []).flatMap((a) => asString(member(a, "ip")) ?? []);
    });
  }
  const isSlice = group === "discovery.k8s.io" && object.kind === "EndpointSlice";
  if (!isSlice || labelsOf(object)["kubernetes.io/service-name"] !== "kubernetes") return [];
  const endpoints = object["endpoints"];
  return (isArray(endpoints) ? endpoints : []).flatMap((endpoint) => {
    const addresses = member(endpoint, "addresses");
    return (isArray(addresses) ? addresses : []).flatMap((a) => asString(a) ?? []);
  });
}

/** Kinds whose objects bear on answers without being pods or policies. */
export type ObjectRole = "namespace" | "service-account" | "node" | "apiserver" | "other";

export function roleOf(object: KubernetesObject): ObjectRole {
  const group = groupOf(object);
  if (group === "" && object.kind === "Namespace") return "namespace";
  if (group === "" && object.kind === "ServiceAccount") return "service-account";
  if (group === "" && object.kind === "Node") return "node";
  return apiServerAddresses(object).length > 0 ? "apiserver" : "other";
}
