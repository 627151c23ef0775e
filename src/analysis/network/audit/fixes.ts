import type { Fix } from "../../../core/finding.ts";
import type { JsonValue } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { protocolName } from "../connection-set.ts";
import type { NamedPort } from "../model.ts";

/** A NetworkPolicy as a fix. */
export function policyFix(
  description: string,
  namespace: string,
  name: string,
  spec: { readonly [key: string]: JsonValue },
): Fix {
  const object: KubernetesObject = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace },
    spec,
  };
  return { description, object };
}

const dnsPeer: JsonValue = {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
  podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
};

/** Every pod of the namespace may ask the cluster's name server. */
export function dnsFix(namespace: string): Fix {
  return policyFix("Let every pod of the namespace ask the cluster's name server.", namespace, "allow-dns", {
    podSelector: {},
    policyTypes: ["Egress"],
    egress: [
      {
        to: [dnsPeer],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ],
  });
}

/** Container ports as rules name them, each once. */
export function portEntries(ports: readonly NamedPort[]): readonly JsonValue[] {
  const entries = new Map(
    ports.map((p) => [`${p.protocol}/${p.port}`, { protocol: protocolName(p.protocol), port: p.port }] as const),
  );
  return [...entries.values()];
}
