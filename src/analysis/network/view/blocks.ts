import { ConnectionSet } from "../connection-set.ts";
import { describeEndpoint } from "../describe.ts";
import type { EdgeGroup, Endpoint, Network, Workload } from "../model.ts";

/** What passes from every one of some endpoints to every one of others. */
export interface Block {
  readonly from: readonly Endpoint[];
  readonly to: readonly Endpoint[];
  readonly connections: ConnectionSet;
}

export interface Blocks {
  readonly blocks: readonly Block[];
  /** Workloads that no policy holds, by direction: they are open to everything that is open itself. */
  readonly openSources: readonly Workload[];
  readonly openTargets: readonly Workload[];
}

/**
 * Everything that passes, as blocks: between workloads, and between restricted workloads and what is outside. What passes
 * between two sides that nobody restricts is not listed: `openSources` and `openTargets` say it.
 */
export function blocksOf(network: Network): Blocks {
  const { workloads } = network;
  const openSources = workloads.filter((w) => network.selecting(w, "egress").length === 0);
  const openTargets = workloads.filter((w) => network.selecting(w, "ingress").length === 0);
  const [sources, targets] = [new Set<Endpoint>(openSources), new Set<Endpoint>(openTargets)];
  const isOpen = ({ from, to, connections }: EdgeGroup) =>
    connections.isAll && from.every((e) => sources.has(e)) && to.every((e) => targets.has(e));
  const inside = network.groups().filter((group) => !isOpen(group));
  const outgoing = network.edges({ from: isIn(workloads, sources), to: isOutside });
  const incoming = network.edges({ from: isOutside, to: isIn(workloads, targets) });
  return { blocks: [...inside, ...joined(outgoing, "from"), ...joined(incoming, "to")], openSources, openTargets };
}

function isIn(workloads: readonly Workload[], open: ReadonlySet<Endpoint>): (endpoint: Endpoint) => boolean {
  const restricted = new Set<Endpoint>(workloads.filter((w) => !open.has(w)));
  return (endpoint) => restricted.has(endpoint);
}

function isOutside(endpoint: Endpoint): boolean {
  return endpoint.kind !== "workload";
}

/** Edges to the same outside with the same ports become one block. */
function joined(edges: Iterable<{ from: Endpoint; to: Endpoint; connections: ConnectionSet }>, side: "from" | "to"): Block[] {
  const found = new Map<string, { readonly inside: Endpoint[]; readonly outside: Endpoint; connections: ConnectionSet }>();
  for (const edge of edges) {
    const [inside, outside] = side === "from" ? [edge.from, edge.to] : [edge.to, edge.from];
    if (inside.kind !== "workload" || outside.kind === "workload") continue;
    const key = `${describeEndpoint(outside)}|${edge.connections.toString()}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { inside: [inside], outside, connections: edge.connections });
    else known.inside.push(inside);
  }
  return [...found.values()].map(({ inside, outside, connections }) =>
    side === "from" ? { from: inside, to: [outside], connections } : { from: [outside], to: inside, connections },
  );
}

/** A block to draw: `everybody` for all workloads (but the called one). */
export interface DrawnBlock {
  readonly from: readonly Endpoint[] | "everybody";
  readonly to: readonly Endpoint[];
  readonly connections: ConnectionSet;
}

/**
 * What every workload may call of another one is one line from everybody; only those that may call more of it are drawn on top.
 */
export function drawnBlocks(network: Network, { blocks }: Blocks): readonly DrawnBlock[] {
  const total = network.workloads.length;
  const isOfWorkloads = ({ from, to }: Block) => from[0]?.kind === "workload" && to.length === 1 && to[0]?.kind === "workload";
  const byTarget = Map.groupBy(blocks.filter(isOfWorkloads), ({ to }) => to[0]);
  const rest = blocks.filter((block) => !isOfWorkloads(block));
  const folded = [...byTarget.values()].flatMap((group): readonly DrawnBlock[] => {
    const callers = new Set(group.flatMap(({ from, to }) => [...from, ...to]));
    const common = group.reduce((set, { connections }) => set.intersect(connections), ConnectionSet.all);
    const [first] = group;
    if (first === undefined || callers.size < total || total < 4 || common.isEmpty) return group;
    const more = group.filter(({ connections }) => !connections.equals(common));
    return [{ from: "everybody", to: first.to, connections: common }, ...more];
  });
  return [...folded, ...rest];
}

/** What at least one of the blocks lets through. */
export function unionOfConnections(sets: Iterable<ConnectionSet>): ConnectionSet {
  let union = ConnectionSet.none;
  for (const set of sets) union = union.union(set);
  return union;
}
