import type { Labels } from "../../../core/label-selector.ts";
import type { Address } from "../address-set.ts";
import { parseAddress } from "../address-set.ts";
import type { ConnectionSet } from "../connection-set.ts";
import type { ApiServer, ClusterNode, NamedPort, Workload } from "../model.ts";
import type { PodFacts, PortMatch } from "../rule.ts";

export type ClusterEndpoint = Workload | ClusterNode | ApiServer;

/** Endpoints of the cluster that no policy treats differently. */
export interface EndpointClass {
  readonly id: number;
  /** What it is told by, apart from labels of namespaces and nodes. */
  readonly key: string;
  /** `host`: a pod on its node's network. */
  readonly kind: "pod" | "host" | "node" | "apiserver";
  readonly facts: PodFacts;
  /** Of a node, or of the node that a host pod runs on, as far as known. */
  readonly nodeLabels: Labels;
  /** All of them lie between the same bounds of address blocks; none where nobody knows. */
  readonly addresses: readonly Address[];
  readonly members: Set<ClusterEndpoint>;
  /** What ports of rules mean here, once somebody asked. */
  readonly resolvedPorts: Map<PortMatch, ConnectionSet>;
}

const noFacts: PodFacts = {
  namespace: "",
  namespaceLabels: {},
  labels: {},
  serviceAccount: "",
  serviceAccountLabels: {},
  ports: [],
  network: "",
};

export interface Surroundings {
  namespaceLabels(name: string): Labels;
  serviceAccountLabels(namespace: string, name: string): Labels;
  nodeLabels(name: string): Labels;
  networkOf(namespace: string): string;
  addressClass(address: string): string;
}

/** What the class of an endpoint is told by, and the class without its members. */
export function classify(
  endpoint: ClusterEndpoint,
  around: Surroundings,
): { readonly key: string; make(id: number): EndpointClass } {
  const addresses = endpoint.addresses.flatMap((a) => parseAddress(a) ?? []);
  const at = [...new Set(endpoint.addresses.map((a) => around.addressClass(a)))].sort().join();
  if (endpoint.kind !== "workload") {
    const nodeLabels = endpoint.kind === "node" ? endpoint.labels : {};
    return {
      key: `${endpoint.kind} ${endpoint.id}`,
      make: (id) => ({
        id,
        key: `${endpoint.kind} ${endpoint.id}`,
        kind: endpoint.kind,
        facts: noFacts,
        nodeLabels,
        addresses,
        members: new Set(),
        resolvedPorts: new Map(),
      }),
    };
  }
  const { namespace, labels, ports, serviceAccount } = endpoint;
  const kind = endpoint.hostNetwork ? "host" : "pod";
  const key = [kind, namespace, serviceAccount, at, endpoint.hostNode, labelsKey(labels), portsKey(ports)].join("\n");
  return {
    key,
    make: (id) => ({
      id,
      key,
      kind,
      facts: {
        namespace,
        labels,
        ports,
        serviceAccount,
        namespaceLabels: around.namespaceLabels(namespace),
        serviceAccountLabels: around.serviceAccountLabels(namespace, serviceAccount),
        network: endpoint.hostNetwork ? "" : around.networkOf(namespace),
      },
      nodeLabels: around.nodeLabels(endpoint.hostNode),
      addresses,
      members: new Set(),
      resolvedPorts: new Map(),
    }),
  };
}

function labelsKey(labels: Labels): string {
  const keys = Object.keys(labels);
  if (keys.length > 1) keys.sort();
  return keys.map((key) => `${key}=${labels[key]}`).join();
}

function portsKey(ports: readonly NamedPort[]): string {
  return ports
    .filter((p) => p.name !== "")
    .map((p) => `${p.name}/${p.protocol}/${p.port}`)
    .join();
}
