import type { GraphChange, GraphNode, NetworkGraph } from "../../../core/network-graph.ts";
import { AddressSet } from "../address-set.ts";
import type { ConnectionSet } from "../connection-set.ts";
import { describeEndpoint } from "../describe.ts";
import type { Direction, Endpoint, Network, NetworkDifference, Workload } from "../model.ts";
import { GraphBuilder } from "./graph.ts";

/** The same change for every one of `from` to every one of `to`. */
export interface ChangeGroup {
  readonly change: Exclude<GraphChange, "same">;
  readonly from: readonly Endpoint[];
  readonly to: readonly Endpoint[];
  readonly connections: ConnectionSet;
}

/** Changes of many pairs as few groups: what was lost first, the largest first. */
export function changeGroups({ changes }: NetworkDifference): readonly ChangeGroup[] {
  const single = changes.flatMap(({ from, to, gained, lost }): readonly ChangeGroup[] => [
    ...(lost.isEmpty ? [] : [{ change: "lost", from: [from], to: [to], connections: lost } as const]),
    ...(gained.isEmpty ? [] : [{ change: "gained", from: [from], to: [to], connections: gained } as const]),
  ]);
  const merged = merge(merge(merge(single, byCaller), byCircle), byCalled);
  const size = ({ from, to }: ChangeGroup) => from.length * to.length;
  return merged.toSorted((a, b) => (a.change === b.change ? size(b) - size(a) : a.change === "lost" ? -1 : 1));
}

/** Groups for which `key` is the same become one, of all their callers and all that they call. */
function merge(groups: readonly ChangeGroup[], key: (group: ChangeGroup) => string | undefined): readonly ChangeGroup[] {
  return [...Map.groupBy(groups, (group) => key(group) ?? group).values()].flatMap((list) => {
    const [first] = list;
    if (first === undefined || list.length === 1) return list;
    const joined = (of: "from" | "to") => [
      ...new Map(list.flatMap((group) => group[of].map((e) => [describeEndpoint(e), e] as const))).values(),
    ];
    return [{ ...first, from: joined("from"), to: joined("to") }];
  });
}

function keyOf({ change, connections }: ChangeGroup, endpoints: readonly Endpoint[]): string {
  return `${change}|${connections.toString()}|${[...new Set(endpoints.map(describeEndpoint))].sort().join("|")}`;
}

const byCaller = (group: ChangeGroup) => `from ${keyOf(group, group.from)}`;
const byCalled = (group: ChangeGroup) => `to ${keyOf(group, group.to)}`;

/** Each of some workloads to every other of them: nobody is meant to call itself. */
function byCircle(group: ChangeGroup): string | undefined {
  const [only, second] = group.from;
  if (only?.kind !== "workload" || second !== undefined) return undefined;
  return `circle ${keyOf(group, [...group.to, only])}`;
}

/** Names of a few, whole namespaces and everything as what they are. `network`: where the workloads are. */
export function describeEndpoints(endpoints: readonly Endpoint[], network: Network): string {
  const workloads = endpoints.filter((e): e is Workload => e.kind === "workload");
  const rest = endpoints.filter((e) => e.kind !== "workload").map(nameOutside);
  if (workloads.length < 4) return [...workloads.map((w) => w.id), ...rest].join(", ");
  const all = network.workloads;
  if (workloads.length === all.length) return ["every workload", ...rest].join(", ");
  const parts = [...Map.groupBy(workloads, (w) => w.namespace)].map(([namespace, group]) => {
    const total = all.filter((w) => w.namespace === namespace).length;
    if (group.length === total && total > 1) return `all ${total} of ${namespace}`;
    return group.length < 4 ? group.map((w) => w.id).join(", ") : `${group.length} of ${total} of ${namespace}`;
  });
  return [...parts, ...rest].join(", ");
}

/** Blocks, or what is missing from everything where that is shorter. */
function nameOutside(endpoint: Endpoint): string {
  if (endpoint.kind !== "external") return describeEndpoint(endpoint);
  const { addresses } = endpoint;
  if (addresses.isAll) return "any address";
  const blocks = addresses.toCidrs();
  if (blocks.length <= 3) return blocks.join(", ");
  const [whole, what] =
    addresses.v6.length === 0
      ? [AddressSet.allIpv4, "any IPv4 address"]
      : addresses.v4.length === 0
        ? [AddressSet.allIpv6, "any IPv6 address"]
        : [AddressSet.all, "any address"];
  const missing = whole.subtract(addresses).toCidrs();
  if (missing.length <= 8) return `${what} but ${missing.join(", ")}`;
  return `${blocks.slice(0, 3).join(", ")} and ${blocks.length - 3} more blocks`;
}

/** Gained and lost connections as a drawing: a node for each side of a group. */
export function differenceGraph(difference: NetworkDifference, network: Network): NetworkGraph {
  const lost = new GraphBuilder();
  const gained = new GraphBuilder();
  const nodes = new Map<string, GraphNode>();
  const node = (endpoints: readonly Endpoint[]): GraphNode => {
    const label = describeEndpoints(endpoints, network);
    const known = nodes.get(label);
    if (known !== undefined) return known;
    const [first] = endpoints;
    const kind = first?.kind === "external" ? "external" : "workload";
    const made: GraphNode = { id: label, label, group: "", kind, members: endpoints.map(describeEndpoint) };
    nodes.set(label, made);
    return made;
  };
  for (const { change, from, to, connections } of changeGroups(difference)) {
    const builder = change === "lost" ? lost : gained;
    builder.edge(node(from).id, node(to).id, connections);
  }
  const edges = (builder: GraphBuilder, change: GraphChange) => builder.graph("", []).edges.map((edge) => ({ ...edge, change }));
  return {
    title: "Connections gained and lost",
    nodes: [...nodes.values()],
    edges: [...edges(lost, "lost"), ...edges(gained, "gained")],
    notes: difference.changes.length === 0 ? ["Nothing changes."] : [],
  };
}

/** All that is gained, or lost, over all pairs. */
export function totals({ changes }: NetworkDifference): { readonly gained: number; readonly lost: number } {
  return {
    gained: changes.filter((change) => !change.gained.isEmpty).length,
    lost: changes.filter((change) => !change.lost.isEmpty).length,
  };
}

/** A pair that one side lets through now while the other still does not. */
export interface OneSided {
  readonly from: Workload;
  readonly to: Workload;
  readonly connections: ConnectionSet;
  /** The side that is still closed. */
  readonly closed: Direction;
}

/** Pairs that are looked at, at most: the answer is a hint, not a proof. */
const mostPairs = 250_000;

/** What a change opens on one side only, so that nothing passes yet: the usual surprise after a default deny. */
export function oneSidedGains(before: Network, after: Network): readonly OneSided[] {
  const workloads = after.workloads;
  if (workloads.length ** 2 > mostPairs) return [];
  const changed = workloads.filter((w) => {
    const was = before.find(w.id);
    return was !== undefined && before.fingerprint(was) !== after.fingerprint(w);
  });
  const pairs = changed.flatMap((w) =>
    workloads.flatMap((other) => (other === w ? [] : [[w, other, "egress"] as const, [other, w, "ingress"] as const])),
  );
  return pairs.flatMap(([from, to, opened]): readonly OneSided[] => {
    const [a, b] = [before.find(from.id), before.find(to.id)];
    if (a === undefined || b === undefined) return [];
    const now = after.between(from, to);
    const gained = now[opened].subtract(before.between(a, b)[opened]).subtract(now.connections);
    return gained.isEmpty ? [] : [{ from, to, connections: gained, closed: opened === "egress" ? "ingress" : "egress" }];
  });
}

/** Changes by namespace, where groups are too many to be read. */
export function namespaceChanges({ changes }: NetworkDifference): readonly (readonly string[])[] {
  const place = (endpoint: Endpoint) => (endpoint.kind === "workload" ? endpoint.namespace : nameOutside(endpoint));
  const rows = new Map<
    string,
    { readonly cells: readonly [string, string, string]; pairs: number; connections: ConnectionSet }
  >();
  for (const { from, to, gained, lost } of changes) {
    for (const [sign, connections] of [
      ["- lost", lost],
      ["+ gained", gained],
    ] as const) {
      if (connections.isEmpty) continue;
      const cells = [sign, place(from), place(to)] as const;
      const row = rows.get(cells.join("|"));
      if (row === undefined) rows.set(cells.join("|"), { cells, pairs: 1, connections });
      else {
        row.pairs++;
        row.connections = row.connections.union(connections);
      }
    }
  }
  return [...rows.values()]
    .sort((a, b) => (a.cells[0] === b.cells[0] ? b.pairs - a.pairs : a.cells[0] < b.cells[0] ? 1 : -1))
    .map(({ cells, pairs, connections }) => [...cells, String(pairs), connections.toString()]);
}
