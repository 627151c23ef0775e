import type { AddressSet } from "./address-set.ts";
import type { ConnectionSet } from "./connection-set.ts";
import { anyPod } from "./engine/possible-pod.ts";
import type { Direction, Network, PossiblePod, Requirement, Workload } from "./model.ts";

/** What passes to or from a pod that may come. */
export interface PossibleExposure {
  readonly pod: PossiblePod;
  readonly connections: ConnectionSet;
  /** Ports that are allowed by name, which only the pod itself can resolve. */
  readonly named: readonly string[];
}

/** To whom a workload is open in one direction, beyond the workloads that objects show. */
export interface Exposure {
  readonly workload: Workload;
  readonly direction: Direction;
  /** Some policy selects it for this direction. */
  readonly isProtected: boolean;
  /** What passes to or from any pod of the cluster, whatever it is. */
  readonly cluster: ConnectionSet;
  /** Ports that any pod may be reached at by name, which only the pod itself can resolve. */
  readonly clusterNamed: readonly string[];
  /** What passes to or from pods that may come and that some rule means; only where that is not the same as `cluster`. */
  readonly possible: readonly PossibleExposure[];
  /** What passes to or from addresses outside of the cluster. */
  readonly external: readonly { readonly addresses: AddressSet; readonly connections: ConnectionSet }[];
}

/** What every workload is open to, in both directions: from the internet, from the whole cluster, from pods that may come. */
export function exposureOf(network: Network, workloads: readonly Workload[] = network.workloads): readonly Exposure[] {
  const possible = network.possiblePods().filter((pod) => !exists(network, pod));
  return workloads.flatMap((workload) =>
    (["ingress", "egress"] as const).map((direction) => one(network, workload, direction, possible)),
  );
}

function one(network: Network, workload: Workload, direction: Direction, possible: readonly PossiblePod[]): Exposure {
  const isProtected = network.selecting(workload, direction).length > 0;
  const cluster = network.throughToPossible(workload, direction, anyPod);
  const namesTo = (pod: PossiblePod) => (direction === "egress" ? network.namedPortsTo(workload, pod) : []);
  const clusterNamed = namesTo(anyPod);
  const beyond = isProtected
    ? possible.flatMap((pod) => {
        const connections = network.throughToPossible(workload, direction, pod);
        const named = namesTo(pod);
        return connections.equals(cluster) && named.join() === clusterNamed.join() ? [] : [{ pod, connections, named }];
      })
    : [];
  return {
    workload,
    direction,
    isProtected,
    cluster,
    clusterNamed,
    possible: beyond,
    external: network.externalOf(workload, direction),
  };
}

/** A pod that is there already is no news. Selectors with expressions may mean more than the pods that are there. */
function exists(network: Network, { namespace, pods, byLabelsOnly }: PossiblePod): boolean {
  if (!byLabelsOnly || namespace.length === 0 || pods.length === 0) return false;
  return network.workloads.some(
    (workload) => meets(network.namespaces.get(workload.namespace) ?? {}, namespace) && meets(workload.labels, pods),
  );
}

function meets(labels: { readonly [key: string]: string }, requirements: readonly Requirement[]): boolean {
  return requirements.every(({ label, values }) => values.includes(labels[label] ?? "\n"));
}
