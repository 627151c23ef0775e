import { ConnectionSet } from "../connection-set.ts";
import type { EdgeGroup, Endpoint } from "../model.ts";
import type { ClusterState } from "../state.ts";
import { listedBy } from "./edges.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import type { Reading } from "./evaluate.ts";
import { sideOf } from "./verdict.ts";

/**
 * Connectivity between workloads as blocks. Sources that everything is allowed to are one block; so are destinations.
 * Restricted ones are met with those that rules list only.
 */
export function groupsOf(state: ClusterState, reading: Reading): readonly EdgeGroup[] {
  const classes = state.index.classes.filter((cls) => cls.members.size > 0 && (cls.kind === "pod" || cls.kind === "host"));
  // Pods of different primary networks have nothing to do with each other.
  const networks = Map.groupBy(classes, (cls) => cls.facts.network);
  return [...networks.values()].flatMap((own) => groupsWithin(state, own, reading));
}

function groupsWithin(state: ClusterState, classes: readonly EndpointClass[], reading: Reading): readonly EdgeGroup[] {
  const isOpen = (direction: "ingress" | "egress") => (cls: EndpointClass) => state.plan(cls, direction).isUnrestricted;
  const [freeSources, boundSources] = partition(classes, isOpen("egress"));
  const [freeTargets, boundTargets] = partition(classes, isOpen("ingress"));
  const groups: EdgeGroup[] = [];
  const add = (from: readonly EndpointClass[], to: readonly EndpointClass[], connections: ConnectionSet) => {
    if (from.length > 0 && to.length > 0 && !connections.isEmpty)
      groups.push({ from: membersOf(from), to: membersOf(to), connections });
  };
  add(freeSources, freeTargets, ConnectionSet.all);
  const free = { sources: new Set(freeSources), targets: new Set(freeTargets) };
  for (const target of boundTargets) {
    for (const [connections, from] of blocks(state, target, "ingress", freeSources, free.sources, reading))
      add(from, [target], connections);
  }
  for (const source of boundSources) {
    for (const [connections, to] of blocks(state, source, "egress", freeTargets, free.targets, reading))
      add([source], to, connections);
    addBound(state, source, boundTargets, reading, add);
  }
  return groups;
}

type Add = (from: readonly EndpointClass[], to: readonly EndpointClass[], connections: ConnectionSet) => void;

/** Both sides are restricted: those that either side lists. */
function addBound(
  state: ClusterState,
  source: EndpointClass,
  targets: readonly EndpointClass[],
  reading: Reading,
  add: Add,
): void {
  const listed = listedBy(state.plan(source, "egress"));
  const asked = listed === undefined ? targets : [...listed].flatMap((id) => state.index.classes[id] ?? []);
  const { network } = source.facts;
  const a = { kind: "class", cls: source } as const;
  const byConnections = new Map<ConnectionSet, { readonly connections: ConnectionSet; readonly to: EndpointClass[] }>();
  for (const target of asked) {
    if (target.members.size === 0 || target.facts.network !== network) continue;
    if (state.plan(target, "ingress").isUnrestricted) continue;
    if (target === source && source.members.size < 2) continue;
    const b = { kind: "class", cls: target } as const;
    const egress = sideOf(state, "egress", a, b, reading);
    if (egress.isEmpty) continue;
    const connections = egress.intersect(sideOf(state, "ingress", a, b, reading));
    if (!connections.isEmpty) collect(byConnections, connections, target);
  }
  for (const { connections, to } of byConnections.values()) add([source], to, connections);
}

/** Peers from a set that is unrestricted on its own side, by what the restricted side lets through. */
function blocks(
  state: ClusterState,
  subject: EndpointClass,
  direction: "ingress" | "egress",
  all: readonly EndpointClass[],
  free: ReadonlySet<EndpointClass>,
  reading: Reading,
): readonly (readonly [ConnectionSet, readonly EndpointClass[]])[] {
  const listed = listedBy(state.plan(subject, direction));
  const asked =
    listed === undefined ? all : [...listed].flatMap((id) => state.index.classes[id] ?? []).filter((cls) => free.has(cls));
  const own = { kind: "class", cls: subject } as const;
  const found = new Map<ConnectionSet, { readonly connections: ConnectionSet; readonly to: EndpointClass[] }>();
  for (const peer of asked) {
    if (peer.members.size === 0 || (peer === subject && subject.members.size < 2)) continue;
    const other = { kind: "class", cls: peer } as const;
    const [a, b] = direction === "egress" ? [own, other] : [other, own];
    const connections = sideOf(state, direction, a, b, reading);
    if (!connections.isEmpty) collect(found, connections, peer);
  }
  return [...found.values()].map(({ connections, to }) => [connections, to] as const);
}

/** Equal sets are mostly the same object; where they are not, there is one block more. */
function collect(
  into: Map<ConnectionSet, { readonly connections: ConnectionSet; readonly to: EndpointClass[] }>,
  connections: ConnectionSet,
  cls: EndpointClass,
): void {
  const known = into.get(connections);
  if (known === undefined) into.set(connections, { connections, to: [cls] });
  else known.to.push(cls);
}

function membersOf(classes: readonly EndpointClass[]): readonly Endpoint[] {
  return classes.flatMap((cls) => [...cls.members]);
}

function partition<T>(list: readonly T[], test: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of list) (test(item) ? yes : no).push(item);
  return [yes, no];
}
