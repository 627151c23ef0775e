import type { NamespaceMatrix, NetworkGraph } from "../../../core/network-graph.ts";
import { ConnectionSet } from "../connection-set.ts";
import type { Endpoint, Network } from "../model.ts";
import { type Blocks, drawnBlocks } from "./blocks.ts";
import { endpointNode, everything, GraphBuilder, mostNodes, openNotes } from "./graph.ts";

interface Way {
  open: number;
  connections: ConnectionSet;
}

/** Namespace by namespace: of how many pairs of workloads anything passes, and what. */
export function namespaceMatrix(network: Network, blocks: Blocks): NamespaceMatrix {
  const counts = countsOf(network);
  const ways = waysBetween(blocks);
  const cells = [...ways].flatMap(([from, row]) =>
    [...row].map(([to, { open, connections }]) => {
      const [n, m] = [counts.get(from) ?? 0, counts.get(to) ?? 0];
      const pairs = from === to ? n * (n - 1) : n * m;
      return { from, to, open: Math.min(open, pairs), pairs, label: connections.toString() };
    }),
  );
  const namespaces = [...counts].map(([name, workloads]) => ({ name, workloads })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { namespaces, cells: cells.filter(({ open }) => open > 0) };
}

function countsOf(network: Network): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { namespace } of network.workloads) counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  return counts;
}

function waysBetween({ blocks, openSources, openTargets }: Blocks): ReadonlyMap<string, ReadonlyMap<string, Way>> {
  const ways = new Map<string, Map<string, Way>>();
  const all = [...blocks, { from: openSources, to: openTargets, connections: ConnectionSet.all }];
  for (const { from, to, connections } of all) {
    const [sources, targets] = [byNamespace(from), byNamespace(to)];
    for (const [source, callers] of sources) {
      const row = ways.get(source) ?? new Map<string, Way>();
      ways.set(source, row);
      for (const [target, called] of targets) {
        const way = row.get(target) ?? { open: 0, connections: ConnectionSet.none };
        const same = source === target ? callers.filter((e) => called.includes(e)).length : 0;
        way.open += callers.length * called.length - same;
        way.connections = way.connections.union(connections);
        row.set(target, way);
      }
    }
  }
  return ways;
}

function byNamespace(endpoints: readonly Endpoint[]): ReadonlyMap<string, readonly Endpoint[]> {
  const workloads = endpoints.filter((e) => e.kind === "workload");
  return Map.groupBy(workloads, (w) => w.namespace);
}

/**
 * Namespaces and what is outside as nodes, restricted ways between them as edges. Undefined where there are more than
 * `mostNodes`: then there is the matrix.
 */
export function namespaceGraph(network: Network, blocks: Blocks): NetworkGraph | undefined {
  const counts = countsOf(network);
  const builder = new GraphBuilder();
  const node = (endpoint: Endpoint): string => {
    if (endpoint.kind !== "workload") return builder.node(endpointNode(endpoint));
    const { namespace } = endpoint;
    const label = `${namespace} (${counts.get(namespace)})`;
    return builder.node({ id: `${namespace}/*`, label, group: namespace, kind: "namespace", members: [namespace] });
  };
  for (const { from, to, connections } of drawnBlocks(network, blocks)) {
    const targets = new Set(to.map(node));
    for (const source of from === "everybody" ? [builder.node(everything)] : new Set(from.map(node))) {
      for (const target of targets) if (source !== target) builder.edge(source, target, connections);
    }
    if (builder.size > mostNodes) return undefined;
  }
  const notes = openNotes(blocks.openSources, blocks.openTargets, network.workloads.length);
  return builder.graph("Which namespaces may talk to which", notes);
}
