import type { ConnectionSet } from "../connection-set.ts";
import type { Edge, EdgeCondition, EdgeFilter, Endpoint } from "../model.ts";
import type { ClusterState } from "../state.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import type { Reading } from "./evaluate.ts";
import type { Plan } from "./plan.ts";
import { externalPieces, sideOf } from "./verdict.ts";

/** Allowed edges one by one: workload to workload, then from and to addresses, domains, nodes and the API server where rules name them. */
export function* edgesOf(state: ClusterState, reading: Reading, filter: EdgeFilter): Generator<Edge> {
  const classes = state.index.classes.filter(({ members }) => members.size > 0);
  const from = filter.from ?? everyone;
  const to = filter.to ?? everyone;
  const workloads = classes.filter(isWorkloads);
  const sources = workloads.filter((cls) => [...cls.members].some(from));
  const targets = workloads.filter((cls) => [...cls.members].some(to));
  const unrestricted = filter.unrestricted ?? true;
  for (const source of sources) {
    const egress = state.plan(source, "egress");
    for (const target of candidates(state, egress, targets)) {
      const ingress = state.plan(target, "ingress");
      if (!unrestricted && egress.isUnrestricted && ingress.isUnrestricted) continue;
      yield* between(state, source, target, reading, filter);
    }
  }
  for (const cls of sources) yield* outward(state, cls, "egress", reading, filter);
  for (const cls of targets) yield* outward(state, cls, "ingress", reading, filter);
}

const everyone = () => true;

function isWorkloads(cls: EndpointClass): boolean {
  return cls.kind === "pod" || cls.kind === "host";
}

/** Who may be reached at all: only those that rules name, where everything else is denied. */
function candidates(state: ClusterState, plan: Plan, targets: readonly EndpointClass[]): Iterable<EndpointClass> {
  const listed = listedBy(plan);
  if (listed === undefined) return targets;
  const wanted = new Set(targets.map(({ id }) => id));
  return [...listed].sort((a, b) => a - b).flatMap((id) => (wanted.has(id) ? (state.index.classes[id] ?? []) : []));
}

/** The classes that a plan may let through, where they can be listed: the rest is denied. */
export function listedBy(plan: Plan): ReadonlySet<number> | undefined {
  if (plan.isUnrestricted || plan.layers.at(-1)?.isolating.length === 0) return undefined;
  const listed = new Set<number>();
  for (const layer of plan.layers) {
    for (const { peers, rule } of layer.rules) {
      if (rule.action !== "allow") continue;
      for (const set of peers) {
        if (set.isOpen) return undefined;
        for (const id of set.listed()) listed.add(id);
      }
    }
  }
  return listed;
}

function* between(
  state: ClusterState,
  source: EndpointClass,
  target: EndpointClass,
  reading: Reading,
  filter: EdgeFilter,
): Generator<Edge> {
  const [a, b] = [{ kind: "class", cls: source } as const, { kind: "class", cls: target } as const];
  const egress = sideOf(state, "egress", a, b, reading);
  if (egress.isEmpty) return;
  const connections = egress.intersect(sideOf(state, "ingress", a, b, reading));
  if (connections.isEmpty) return;
  const conditions = conditionsOf(state, source, target);
  for (const from of source.members) {
    if (filter.from !== undefined && !filter.from(from)) continue;
    for (const to of target.members) {
      if (from !== to && (filter.to === undefined || filter.to(to))) yield { from, to, connections, conditions };
    }
  }
}

/** What narrows the edge: conditions of rules of either side that meet it. */
function conditionsOf(state: ClusterState, source: EndpointClass, target: EndpointClass): readonly EdgeCondition[] {
  const met = (plan: Plan, peer: EndpointClass) =>
    plan.layers.flatMap((layer) =>
      layer.rules.flatMap(({ rule, peers }) =>
        rule.conditions.length > 0 && peers.some((set) => set.match(peer) !== "no") ? rule.conditions : [],
      ),
    );
  return [...met(state.plan(source, "egress"), target), ...met(state.plan(target, "ingress"), source)];
}

function* outward(
  state: ClusterState,
  cls: EndpointClass,
  direction: "ingress" | "egress",
  reading: Reading,
  filter: EdgeFilter,
): Generator<Edge> {
  const edge = (endpoint: Endpoint, connections: ConnectionSet, conditions: readonly EdgeCondition[] = []): Edge[] => {
    const [own, other] = direction === "egress" ? [filter.from, filter.to] : [filter.to, filter.from];
    if (other !== undefined && !other(endpoint)) return [];
    return [...cls.members].flatMap((member) => {
      if (own !== undefined && !own(member)) return [];
      const pair = direction === "egress" ? { from: member, to: endpoint } : { from: endpoint, to: member };
      return [{ ...pair, connections, conditions }];
    });
  };
  for (const { addresses, connections } of externalPieces(state, cls, direction, reading)) {
    yield* edge({ kind: "external", addresses }, connections);
  }
  const plan = state.plan(cls, direction);
  if (plan.isUnrestricted) return;
  const subject = { kind: "class", cls } as const;
  for (const other of state.index.others) {
    if (other.kind === "host" || !isNamed(plan, other)) continue;
    const peer = { kind: "class", cls: other } as const;
    const [a, b] = direction === "egress" ? [subject, peer] : [peer, subject];
    const connections = sideOf(state, direction, a, b, reading);
    if (!connections.isEmpty) for (const member of other.members) yield* edge(member, connections);
  }
  for (const names of domainsOf(plan)) {
    const peer = { kind: "domain", names } as const;
    const connections = sideOf(state, direction, subject, peer, reading);
    if (!connections.isEmpty) yield* edge({ kind: "domain", names }, connections);
  }
}

/** Nodes and the API server are drawn where a rule means them, not where it means everything. */
function isNamed(plan: Plan, cls: EndpointClass): boolean {
  return plan.layers.some((layer) =>
    layer.rules.some(
      ({ rule, peers }) =>
        rule.action === "allow" && peers.some((set) => set.match(cls) === "identity" && set.term.everything !== true),
    ),
  );
}

function domainsOf(plan: Plan): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>();
  for (const layer of plan.layers) {
    for (const { rule, peers } of layer.rules) {
      if (rule.action !== "allow") continue;
      for (const { term } of peers) if (term.domains !== undefined) found.set(term.domains.join(), term.domains);
    }
  }
  return [...found.values()];
}
