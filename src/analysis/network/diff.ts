import type { AddressSet } from "./address-set.ts";
import { ConnectionSet } from "./connection-set.ts";
import { describeEndpoint } from "./describe.ts";
import type { Edge, EdgeChange, Endpoint, Network, NetworkDifference, Workload } from "./model.ts";

/**
 * Connections gained and lost from one state of a cluster to another. Workloads are told by their ids. Looks only at
 * pairs of which one end is selected by other policies, carries other labels, or is on one side only.
 */
export function diffNetworks(before: Network, after: Network): NetworkDifference {
  const [old, now] = [byId(before), byId(after)];
  const pairs = [...new Set([...old.keys(), ...now.keys()])].map((id): Side => ({ before: old.get(id), after: now.get(id) }));
  const changed = new Set(pairs.filter((side) => fingerprint(before, side.before) !== fingerprint(after, side.after)));
  const changes: EdgeChange[] = [];
  for (const one of changed) {
    for (const other of pairs) {
      if (other === one) continue;
      changes.push(...between(before, after, one, other));
      // A pair of two that changed is met from both ends.
      if (!changed.has(other)) changes.push(...between(before, after, other, one));
    }
  }
  return { changes: [...changes, ...outward(before, after, changed)] };
}

/** Whether both let the same connections through. */
export function equivalent(before: Network, after: Network): boolean {
  return diffNetworks(before, after).changes.length === 0;
}

interface Side {
  readonly before: Workload | undefined;
  readonly after: Workload | undefined;
}

function byId(network: Network): ReadonlyMap<string, Workload> {
  return new Map(network.workloads.map((w) => [w.id, w]));
}

function fingerprint(network: Network, workload: Workload | undefined): string | undefined {
  return workload === undefined ? undefined : network.fingerprint(workload);
}

function between(before: Network, after: Network, from: Side, to: Side): EdgeChange[] {
  const was = connections(before, from.before, to.before);
  const is = connections(after, from.after, to.after);
  if (was.equals(is)) return [];
  const [source, target] = [from.after ?? from.before, to.after ?? to.before];
  return source === undefined || target === undefined ? [] : [change(source, target, was, is, whole(from, to))];
}

function whole(from: Side, to: Side): EdgeChange["endpoint"] {
  if (from.before === undefined || to.before === undefined) return "added";
  return from.after === undefined || to.after === undefined ? "removed" : "both";
}

function connections(network: Network, from: Workload | undefined, to: Workload | undefined): ConnectionSet {
  return from === undefined || to === undefined ? ConnectionSet.none : network.connections(from, to);
}

function change(
  from: Endpoint,
  to: Endpoint,
  before: ConnectionSet,
  after: ConnectionSet,
  endpoint: EdgeChange["endpoint"],
): EdgeChange {
  return { from, to, before, after, gained: after.subtract(before), lost: before.subtract(after), endpoint };
}

/** What changed between workloads and what is no workload. */
function outward(before: Network, after: Network, changed: ReadonlySet<Side>): readonly EdgeChange[] {
  const [old, now] = [
    outwardEdges(before, new Set([...changed].flatMap((side) => side.before ?? []))),
    outwardEdges(after, new Set([...changed].flatMap((side) => side.after ?? []))),
  ];
  return [...changed].flatMap((side) => {
    const workload = side.after ?? side.before;
    if (workload === undefined) return [];
    const endpoint = whole(side, side);
    return (["ingress", "egress"] as const).flatMap((direction) => {
      const key = `${direction} ${workload.id}`;
      const pair = (other: Endpoint, was: ConnectionSet, is: ConnectionSet) =>
        direction === "egress" ? change(workload, other, was, is, endpoint) : change(other, workload, was, is, endpoint);
      // What everything means is not listed: it is asked for.
      const asked = (network: Network, own: Workload | undefined) => (other: Endpoint) => ask(network, own, other, direction);
      const unlisted = { old: asked(before, side.before), now: asked(after, side.after) };
      return compare(old.get(key) ?? [], now.get(key) ?? [], unlisted).map(({ other, was, is }) => pair(other, was, is));
    });
  });
}

interface Outward {
  readonly other: Endpoint;
  readonly connections: ConnectionSet;
}

function outwardEdges(network: Network, workloads: ReadonlySet<Endpoint>): ReadonlyMap<string, readonly Outward[]> {
  const isOther = (e: Endpoint) => e.kind !== "workload";
  const isOne = (e: Endpoint) => workloads.has(e);
  const keyed = (direction: string, edge: Edge, own: Endpoint, other: Endpoint) =>
    [`${direction} ${describeEndpoint(own)}`, { other, connections: edge.connections }] as const;
  const entries = [
    ...[...network.edges({ from: isOne, to: isOther })].map((edge) => keyed("egress", edge, edge.from, edge.to)),
    ...[...network.edges({ from: isOther, to: isOne })].map((edge) => keyed("ingress", edge, edge.to, edge.from)),
  ];
  return new Map([...Map.groupBy(entries, ([key]) => key)].map(([key, list]) => [key, list.map(([, o]) => o)]));
}

/** What passes to or from an endpoint of the other state; nothing where it is not there. */
function ask(network: Network, own: Workload | undefined, other: Endpoint, direction: "ingress" | "egress"): ConnectionSet {
  const there =
    other.kind === "apiserver" ? network.apiServer : other.kind === "node" ? network.nodes.find((n) => n.id === other.id) : other;
  if (own === undefined || there === undefined) return ConnectionSet.none;
  return (direction === "egress" ? network.between(own, there) : network.between(there, own)).connections;
}

interface Unlisted {
  readonly old: (other: Endpoint) => ConnectionSet;
  readonly now: (other: Endpoint) => ConnectionSet;
}

interface Compared {
  readonly other: Endpoint;
  readonly was: ConnectionSet;
  readonly is: ConnectionSet;
}

function compare(old: readonly Outward[], now: readonly Outward[], unlisted: Unlisted): readonly Compared[] {
  const named = (list: readonly Outward[]) =>
    new Map(list.flatMap((o) => (o.other.kind === "external" ? [] : [[describeEndpoint(o.other), o] as const])));
  const [a, b] = [named(old), named(now)];
  const others = [...new Set([...a.keys(), ...b.keys()])].flatMap((key): Compared[] => {
    const other = b.get(key)?.other ?? a.get(key)?.other;
    if (other === undefined) return [];
    const was = a.get(key)?.connections ?? unlisted.old(other);
    const is = b.get(key)?.connections ?? unlisted.now(other);
    return was.equals(is) ? [] : [{ other, was, is }];
  });
  return [...compareAddresses(pieces(old), pieces(now)), ...others];
}

type Piece = readonly [AddressSet, ConnectionSet];

function pieces(list: readonly Outward[]): readonly Piece[] {
  return list.flatMap(({ other, connections: set }) => (other.kind === "external" ? [[other.addresses, set] as const] : []));
}

/** Addresses cut where either side cuts them. */
function compareAddresses(old: readonly Piece[], now: readonly Piece[]): readonly Compared[] {
  const found: Compared[] = [];
  const add = (addresses: AddressSet, was: ConnectionSet, is: ConnectionSet) => {
    if (!addresses.isEmpty && !was.equals(is)) found.push({ other: { kind: "external", addresses }, was, is });
  };
  for (const [addresses, was] of old) {
    let rest = addresses;
    for (const [others, is] of now) {
      add(addresses.intersect(others), was, is);
      rest = rest.subtract(others);
    }
    add(rest, was, ConnectionSet.none);
  }
  for (const [addresses, is] of now) {
    add(
      old.reduce((rest, [others]) => rest.subtract(others), addresses),
      ConnectionSet.none,
      is,
    );
  }
  return found;
}
