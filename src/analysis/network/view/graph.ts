import type { GraphEdge, GraphNode, NetworkGraph } from "../../../core/network-graph.ts";
import type { ConnectionSet } from "../connection-set.ts";
import { describeEndpoint } from "../describe.ts";
import type { Endpoint, Network, Workload } from "../model.ts";
import { type Blocks, type DrawnBlock, drawnBlocks, unionOfConnections } from "./blocks.ts";

/** More nodes than this nobody can read. */
export const mostNodes = 60;

/** What a drawing is made of: nodes by key, and connections between them. */
export class GraphBuilder {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #edges = new Map<string, { readonly from: string; readonly to: string; connections: ConnectionSet }>();

  node(node: GraphNode): string {
    if (!this.#nodes.has(node.id)) this.#nodes.set(node.id, node);
    return node.id;
  }

  edge(from: string, to: string, connections: ConnectionSet): void {
    const key = `${from} ${to}`;
    const known = this.#edges.get(key);
    if (known === undefined) this.#edges.set(key, { from, to, connections });
    else known.connections = known.connections.union(connections);
  }

  get size(): number {
    return this.#nodes.size;
  }

  graph(title: string, notes: readonly string[], focus?: string): NetworkGraph {
    const edges = [...this.#edges.values()].map(
      ({ from, to, connections }): GraphEdge => ({ from, to, label: connections.toString(), change: "same" }),
    );
    return { title, nodes: [...this.#nodes.values()], edges, notes, ...(focus === undefined ? {} : { focus }) };
  }
}

/**
 * Restricted ways only, workloads with the same peers as one node, whole namespaces and "any pod" as what they are.
 * Undefined where more than `mostNodes` nodes remain.
 */
export function workloadGraph(network: Network, blocks: Blocks): NetworkGraph | undefined {
  const builder = new GraphBuilder();
  const drawn = drawnBlocks(network, blocks);
  const nodeOf = collapsed(network, drawn);
  for (const { from, to, connections } of drawn) {
    const targets = compress(to, network, nodeOf);
    const sources = from === "everybody" ? [everything] : compress(from, network, nodeOf, to.length === 1 ? to[0] : undefined);
    for (const source of sources) {
      for (const target of targets) builder.edge(builder.node(source), builder.node(target), connections);
    }
    if (builder.size > mostNodes) return undefined;
  }
  const notes = openNotes(blocks.openSources, blocks.openTargets, network.workloads.length);
  return builder.graph("Who may talk to whom", notes);
}

/** What is so open that it is not drawn. */
export function openNotes(openSources: readonly Workload[], openTargets: readonly Workload[], total: number): readonly string[] {
  const of = (n: number) => (n === total ? `All ${total} workloads` : `${n} of ${total} workloads`);
  const notes: string[] = [];
  if (openSources.length > 0) notes.push(`${of(openSources.length)} may call anything that lets them in, the internet included.`);
  if (openTargets.length > 0) notes.push(`${of(openTargets.length)} may be called by anything that can reach them.`);
  return notes;
}

/** One namespace's pods, and everything, are nodes of their own; `except` is the other side, which does not call itself. */
function compress(
  endpoints: readonly Endpoint[],
  network: Network,
  nodeOf: (endpoint: Endpoint) => GraphNode,
  except?: Endpoint,
): readonly GraphNode[] {
  const members = new Set(endpoints);
  if (members.size < 4) return [...new Set(endpoints.map(nodeOf))];
  const isWhole = (all: readonly Endpoint[]) => all.every((e) => members.has(e) || e === except);
  if (isWhole(network.workloads)) return [everything];
  const nodes: GraphNode[] = [];
  const byNamespace = Map.groupBy(endpoints, (e) => (e.kind === "workload" ? e.namespace : ""));
  for (const [namespace, group] of byNamespace) {
    const all = network.workloads.filter((w) => w.namespace === namespace);
    if (namespace !== "" && all.length > 3 && isWhole(all)) nodes.push(namespaceNode(namespace, all));
    else nodes.push(...group.map(nodeOf));
  }
  return [...new Set(nodes)];
}

export const everything: GraphNode = { id: "*", label: "any pod", group: "", kind: "everything", members: [] };
const namespaceNodes = new WeakMap<Workload, GraphNode>();

function namespaceNode(namespace: string, all: readonly Workload[]): GraphNode {
  const [first] = all;
  const known = first === undefined ? undefined : namespaceNodes.get(first);
  if (known !== undefined) return known;
  const members = all.map((w) => w.id);
  const node: GraphNode = { id: `${namespace}/*`, label: `all of ${namespace}`, group: namespace, kind: "namespace", members };
  if (first !== undefined) namespaceNodes.set(first, node);
  return node;
}

/** Workloads of a namespace with the same peers, themselves aside, are one node. */
function collapsed(network: Network, blocks: readonly DrawnBlock[]): (endpoint: Endpoint) => GraphNode {
  const hashes = new SetHashes();
  const signatures = new Map<Endpoint, Map<string, Peers>>();
  const note = (endpoints: readonly Endpoint[], peers: readonly Endpoint[], key: string) => {
    const hash = hashes.of(peers);
    const members = new Set(peers);
    for (const endpoint of endpoints) {
      const byKey = signatures.get(endpoint) ?? new Map<string, Peers>();
      signatures.set(endpoint, byKey);
      const known = byKey.get(key) ?? { hash: noPeers, self: false };
      byKey.set(key, { hash: union(known.hash, hash), self: known.self || members.has(endpoint) });
    }
  };
  for (const { from, to, connections } of blocks) {
    const text = connections.toString();
    if (from !== "everybody") note(from, to, `> ${text}`);
    note(to, from === "everybody" ? [] : from, `${from === "everybody" ? "*" : ""}< ${text}`);
  }
  // Whether it is among its own peers makes no difference.
  const signature = (workload: Workload) =>
    [...(signatures.get(workload) ?? [])]
      .map(([key, { hash, self }]) => `${key} ${self ? hash : union(hash, hashes.of([workload]))}`)
      .sort()
      .join("|");
  const groups = Map.groupBy(network.workloads, (w) => `${w.namespace} ${signature(w)}`);
  const nodes = new Map<Endpoint, GraphNode>();
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const node = workloadNode(first, group);
    for (const workload of group) nodes.set(workload, node);
  }
  return (endpoint) => {
    const known = nodes.get(endpoint) ?? endpointNode(endpoint);
    nodes.set(endpoint, known);
    return known;
  };
}

function workloadNode(first: Workload, group: readonly Workload[]): GraphNode {
  const names = group.map((w) => w.owner.name);
  const label =
    group.length === 1 ? nameOf(first) : group.length < 4 ? names.join(", ") : `${names[0]} and ${group.length - 1} more`;
  return { id: first.id, label, group: first.namespace, kind: "workload", members: group.map((w) => w.id) };
}

function nameOf({ owner, role }: Workload): string {
  return role === "" ? owner.name : `${owner.name} ${role}`;
}

/** What is no workload: named by what it is, so that equal ones are one node. */
export function endpointNode(endpoint: Endpoint): GraphNode {
  const text = describeEndpoint(endpoint);
  switch (endpoint.kind) {
    case "workload":
      return workloadNode(endpoint, [endpoint]);
    case "external": {
      const label = endpoint.addresses.isAll ? "any address" : shortened(text);
      return { id: text, label, group: "", kind: "external", members: [text] };
    }
    case "node":
      return { id: "nodes", label: "nodes", group: "", kind: "node", members: [text] };
    case "apiserver":
      return { id: "apiserver", label: "API server", group: "", kind: "apiserver", members: [text] };
    case "domain":
      return { id: text, label: shortened(text), group: "", kind: "domain", members: endpoint.names };
  }
}

function shortened(text: string): string {
  const parts = text.split(", ");
  return parts.length <= 2 ? text : `${parts.slice(0, 2).join(", ")} and ${parts.length - 2} more`;
}

/** Everything that one workload may call and may be called by: one hop, peers with the same ports as one node. */
export function focusGraph(network: Network, focus: Workload): NetworkGraph {
  const builder = new GraphBuilder();
  const middle = builder.node(workloadNode(focus, [focus]));
  for (const side of ["from", "to"] as const) {
    const edges = network.edges(side === "from" ? { to: (e) => e === focus } : { from: (e) => e === focus });
    const byPeer = new Map<Endpoint, ConnectionSet[]>();
    for (const edge of edges) {
      const sets = byPeer.get(edge[side]);
      if (sets === undefined) byPeer.set(edge[side], [edge.connections]);
      else sets.push(edge.connections);
    }
    const byConnections = Map.groupBy(byPeer, ([, sets]) => unionOfConnections(sets).toString());
    for (const peers of byConnections.values()) {
      const connections = unionOfConnections(peers.flatMap(([, sets]) => sets));
      for (const node of sameNodes(
        peers.map(([peer]) => peer),
        network,
        focus,
      )) {
        // The same peers on both sides are two nodes: in on the left, out on the right.
        const id = builder.node({ ...node, id: `${side} ${node.id}` });
        if (side === "from") builder.edge(id, middle, connections);
        else builder.edge(middle, id, connections);
      }
    }
  }
  return builder.graph(`${focus.id} and its peers`, [], middle);
}

/** Peers that are treated alike, a node for each namespace. */
function sameNodes(peers: readonly Endpoint[], network: Network, focus: Workload): readonly GraphNode[] {
  const nodeOf = (endpoint: Endpoint) => endpointNode(endpoint);
  const others = peers.filter((p) => p.kind !== "workload").map(nodeOf);
  const workloads = peers.filter((p) => p.kind === "workload");
  const compressed = compress(workloads, network, nodeOf, focus);
  if (compressed.length <= 8) return [...compressed, ...others];
  const groups = Map.groupBy(workloads, (w) => w.namespace);
  return [...[...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [workloadNode(group[0], group)])), ...others];
}

interface Peers {
  readonly hash: SetHash;
  readonly self: boolean;
}

type SetHash = readonly [number, number];

const noPeers: SetHash = [0, 0];

/** Of disjoint sets. */
function union([a, b]: SetHash, [c, d]: SetHash): SetHash {
  return [a ^ c, b ^ d];
}

/** Hashes of sets that are the same in any order, and join by one operation (Zobrist). */
class SetHashes {
  readonly #numbers = new Map<Endpoint, number>();

  of(endpoints: readonly Endpoint[]): SetHash {
    return endpoints.reduce<SetHash>((hash, endpoint) => {
      let number = this.#numbers.get(endpoint);
      if (number === undefined) {
        number = this.#numbers.size + 1;
        this.#numbers.set(endpoint, number);
      }
      return union(hash, [mixed(number), mixed(number + 0x9e37_79b9)]);
    }, noPeers);
  }
}

/** The finaliser of MurmurHash3. */
function mixed(value: number): number {
  let n = value | 0;
  n = Math.imul(n ^ (n >>> 16), 0x85eb_ca6b);
  n = Math.imul(n ^ (n >>> 13), 0xc2b2_ae35);
  return n ^ (n >>> 16);
}
