import { AddressSet } from "../address-set.ts";
import { ConnectionSet } from "../connection-set.ts";
import type { Dependence, Direction, Endpoint, Verdict } from "../model.ts";
import type { ClusterState } from "../state.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import { evaluateAddresses, evaluateDomains, evaluatePlan, type Reading } from "./evaluate.ts";
import type { Plan } from "./plan.ts";

/** How the policies are read when nobody asks for doubts. */
export function usualReading({ cni, options }: ClusterState): Reading {
  return { generous: false, blocksHoldPods: cni !== "cilium" && options.asNetpolAnalyzer !== true, otherOrder: false };
}

/** A party to a connection, as far as evaluation is concerned. */
export type Party =
  | { readonly kind: "class"; readonly cls: EndpointClass }
  | { readonly kind: "external"; readonly addresses: AddressSet }
  | { readonly kind: "domain"; readonly names: readonly string[] };

/** Undefined for an endpoint that this network does not have. */
export function partyOf(state: ClusterState, endpoint: Endpoint): Party | undefined {
  if (endpoint.kind === "external") return { kind: "external", addresses: endpoint.addresses };
  if (endpoint.kind === "domain") return { kind: "domain", names: endpoint.names };
  const cls = state.index.classOf(endpoint);
  return cls === undefined ? undefined : { kind: "class", cls };
}

/** What one side lets through; everything where the side is outside of what policies govern. */
export function sideOf(state: ClusterState, direction: Direction, from: Party, to: Party, reading: Reading): ConnectionSet {
  const [subject, peer] = direction === "egress" ? [from, to] : [to, from];
  if (areApart(from, to)) return ConnectionSet.none;
  if (subject.kind !== "class") return ConnectionSet.all;
  return throughPlan(state.plan(subject.cls, direction), subject.cls, peer, reading);
}

/** Pods of different primary networks. */
export function areApart(a: Party, b: Party): boolean {
  if (a.kind !== "class" || b.kind !== "class" || a.cls.kind !== "pod" || b.cls.kind !== "pod") return false;
  return a.cls.facts.network !== b.cls.facts.network;
}

export function throughPlan(plan: Plan, subject: EndpointClass, peer: Party, reading: Reading): ConnectionSet {
  if (plan.isUnrestricted) return ConnectionSet.all;
  const destination = plan.direction === "ingress" ? subject : peer.kind === "class" ? peer.cls : undefined;
  switch (peer.kind) {
    case "class":
      return evaluatePlan(plan, peer.cls, peer.cls.kind === "apiserver" ? subject : (destination ?? subject), reading);
    case "external":
      // What passes for every one of the addresses.
      return evaluateAddresses(plan, peer.addresses, destination, reading).reduce<ConnectionSet>(
        (set, piece) => set.intersect(piece.connections),
        ConnectionSet.all,
      );
    case "domain":
      return evaluateDomains(plan, peer.names, reading);
  }
}

/** The answer for a pair with every doubt about it. */
export function verdictOf(state: ClusterState, from: Party, to: Party): Verdict {
  const { cni } = state;
  const usual = usualReading(state);
  const read = (reading: Reading) => {
    const [egress, ingress] = [sideOf(state, "egress", from, to, reading), sideOf(state, "ingress", from, to, reading)];
    return { egress, ingress, connections: egress.intersect(ingress) };
  };
  const answer = read(usual);
  const depends: Dependence[] = [];
  let possible = answer.connections;
  const generous = read({ ...usual, generous: true });
  if (!generous.connections.equals(answer.connections)) {
    possible = possible.union(generous.connections);
    depends.push({ on: "address", reason: "an address block may or may not hold an endpoint whose address is not known" });
  }
  const otherWay = read({ ...usual, otherOrder: true });
  let connections = answer.connections;
  if (!otherWay.connections.equals(connections)) {
    possible = possible.union(otherWay.connections);
    connections = connections.intersect(otherWay.connections);
    depends.push({ on: "equal-priority", reason: "policies of equal priority disagree, and their order is not determined" });
  }
  if (cni === "unknown") {
    const cilium = read({ ...usual, blocksHoldPods: false });
    if (!cilium.connections.equals(answer.connections)) {
      possible = possible.union(cilium.connections);
      depends.push({ on: "cni", reason: "cilium: an ipBlock holds nothing that runs in the cluster" });
    }
  }
  if (from.kind === "class" && from.cls.kind === "node" && to.kind === "class" && to.cls.kind === "pod") {
    if (!connections.isAll) {
      possible = ConnectionSet.all;
      depends.push({ on: "host-network", reason: "a pod's own node always reaches it; other nodes need a rule" });
    }
  }
  for (const [party, side] of [
    [from, "source"],
    [to, "destination"],
  ] as const) {
    if (party.kind !== "class" || party.cls.kind !== "host") continue;
    depends.push({ on: "host-network", reason: `the ${side} shares its node's network: most plugins apply no policy to it` });
  }
  return { ...answer, connections, possible, depends };
}

/** All addresses, cut as a workload's rules treat them. */
export function externalPieces(state: ClusterState, cls: EndpointClass, direction: Direction, reading: Reading) {
  const plan = state.plan(cls, direction);
  const asked = AddressSet.all;
  if (plan.isUnrestricted) return [{ addresses: asked, connections: ConnectionSet.all }];
  return evaluateAddresses(plan, asked, direction === "ingress" ? cls : undefined, reading).filter(
    ({ connections }) => !connections.isEmpty,
  );
}
