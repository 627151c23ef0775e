import type { GraphNode, NetworkGraph, NetworkPage, PageBlock } from "../../../core/network-graph.ts";
import { AddressSet } from "../address-set.ts";
import { ConnectionSet } from "../connection-set.ts";
import type { Endpoint, Network } from "../model.ts";
import { type Blocks, blocksOf } from "./blocks.ts";
import { endpointNode, openNotes, workloadGraph } from "./graph.ts";
import { namespaceGraph, namespaceMatrix } from "./namespaces.ts";

/** All that a page needs to show a network of any size: the matrix, a drawing, and blocks to draw any workload's peers from. */
export function networkPage(network: Network, title: string): NetworkPage {
  const blocks = blocksOf(network);
  const numbers = new Map<string, number>();
  const nodes: GraphNode[] = [];
  const number = (endpoint: Endpoint): number => {
    const node = endpointNode(endpoint);
    const known = numbers.get(node.id);
    if (known !== undefined) return known;
    numbers.set(node.id, nodes.length);
    nodes.push(node);
    return nodes.length - 1;
  };
  for (const workload of network.workloads) number(workload);
  const outside: Endpoint = { kind: "external", addresses: AddressSet.all };
  const { openSources, openTargets } = blocks;
  const open = [
    { from: openSources, to: [...openTargets, outside], connections: ConnectionSet.all },
    { from: [outside], to: openTargets, connections: ConnectionSet.all },
  ].filter(({ from, to }) => from.length > 0 && to.length > 0);
  const pageBlocks = [...blocks.blocks, ...open].map(
    ({ from, to, connections }): PageBlock => ({ from: from.map(number), to: to.map(number), label: connections.toString() }),
  );
  const total = network.workloads.length;
  const policies = network.policies.filter((p) => p.active).length;
  const summary = [
    `${total} workloads in ${network.namespaces.size} namespaces, ${policies} network policies.`,
    ...openNotes(openSources, openTargets, total),
  ];
  return {
    title,
    summary,
    matrix: namespaceMatrix(network, blocks),
    overview: overviewOf(network, blocks),
    nodes,
    blocks: pageBlocks,
  };
}

/** More nodes than this are an overview no longer. */
const mostInOverview = 25;

function overviewOf(network: Network, blocks: Blocks): NetworkGraph {
  const byWorkload = workloadGraph(network, blocks);
  if (byWorkload !== undefined && byWorkload.nodes.length <= mostInOverview) return byWorkload;
  return namespaceGraph(network, blocks) ?? emptyGraph;
}

const emptyGraph: NetworkGraph = {
  title: "",
  nodes: [],
  edges: [],
  notes: ["There are too many namespaces to draw; see the matrix."],
};
