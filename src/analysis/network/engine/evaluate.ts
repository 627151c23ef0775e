import { AddressSet } from "../address-set.ts";
import { ConnectionSet } from "../connection-set.ts";
import type { AddressConnections, RuleAction } from "../model.ts";
import type { EndpointClass } from "./endpoint-class.ts";
import type { Match, PeerSet } from "./peer-set.ts";
import { type Plan, type PlanLayer, type PlanRule, portsAt } from "./plan.ts";

/** How to read what is not certain. */
export interface Reading {
  /** Every doubt counts for the connection, or against it. */
  readonly generous: boolean;
  /** Whether address blocks hold endpoints of the cluster; they never hold pods for Cilium. */
  readonly blocksHoldPods: boolean;
  /** Policies of equal priority in the other order. */
  readonly otherOrder: boolean;
}

function counts(match: Match, action: RuleAction, cls: EndpointClass, reading: Reading): boolean {
  switch (match) {
    case "no":
      return false;
    case "identity":
      return true;
    case "address":
      return reading.blocksHoldPods || cls.kind === "apiserver";
    case "perhaps":
      return (reading.blocksHoldPods || cls.kind === "apiserver") && (action === "allow") === reading.generous;
  }
}

export function ruleMeets({ peers, rule }: PlanRule, peer: EndpointClass, reading: Reading): boolean {
  return peers.some((set) => counts(set.match(peer), rule.action, peer, reading));
}

export function rulesOf(layer: PlanLayer, reading: Reading): readonly PlanRule[] {
  return reading.otherOrder ? (layer.otherOrder ?? layer.rules) : layer.rules;
}

/** What a plan lets through between its class and a peer. `destination` gives names to ports. */
export function evaluatePlan(plan: Plan, peer: EndpointClass, destination: EndpointClass, reading: Reading): ConnectionSet {
  return decide(plan, reading, (rule) => (ruleMeets(rule, peer, reading) ? portsAt(rule.rule.ports, destination) : undefined));
}

/** Walks the layers. `conns` answers what of a rule bears on the peer, or undefined. */
function decide(plan: Plan, reading: Reading, conns: (rule: PlanRule) => ConnectionSet | undefined): ConnectionSet {
  let remaining = ConnectionSet.all;
  let allowed = ConnectionSet.none;
  for (const layer of plan.layers) {
    let passed = ConnectionSet.none;
    if (layer.onlyAllows && layer.isolating.length > 0) {
      // As NetworkPolicy is: what any rule allows passes, and nothing else.
      for (const rule of layer.rules) {
        const bearing = conns(rule);
        if (bearing !== undefined) allowed = allowed.union(bearing.intersect(remaining));
        if (allowed.isAll) break;
      }
      return allowed;
    }
    for (const rule of rulesOf(layer, reading)) {
      const bearing = conns(rule)?.intersect(remaining);
      if (bearing === undefined || bearing.isEmpty) continue;
      remaining = remaining.subtract(bearing);
      if (rule.rule.action === "allow") allowed = allowed.union(bearing);
      else if (rule.rule.action === "pass") passed = passed.union(bearing);
      if (remaining.isEmpty) break;
    }
    remaining = layer.isolating.length > 0 ? passed : remaining.union(passed);
    if (remaining.isEmpty) break;
  }
  return allowed.union(remaining);
}

interface Piece {
  readonly addresses: AddressSet;
  readonly remaining: ConnectionSet;
  readonly passed: ConnectionSet;
  readonly allowed: ConnectionSet;
}

/**
 * What a plan lets through between its class and addresses outside of the cluster. The answers are disjoint and make up
 * all that was asked; those with equal connections are one. `destination` is the class itself for ingress; an address
 * has no names for its ports.
 */
export function evaluateAddresses(
  plan: Plan,
  asked: AddressSet,
  destination: EndpointClass | undefined,
  reading: Reading,
): readonly AddressConnections[] {
  let pieces: Piece[] = [
    { addresses: asked, remaining: ConnectionSet.all, passed: ConnectionSet.none, allowed: ConnectionSet.none },
  ];
  for (const layer of plan.layers) {
    for (const rule of rulesOf(layer, reading)) pieces = pieces.flatMap((piece) => split(piece, rule, destination));
    const isolated = layer.isolating.length > 0;
    pieces = pieces.map(({ addresses, remaining, passed, allowed }) => ({
      addresses,
      allowed,
      passed: ConnectionSet.none,
      remaining: isolated ? passed : remaining.union(passed),
    }));
  }
  return joined(pieces.map(({ addresses, allowed, remaining }) => ({ addresses, connections: allowed.union(remaining) })));
}

function split(piece: Piece, { rule, peers }: PlanRule, destination: EndpointClass | undefined): Piece[] {
  let external = AddressSet.none;
  for (const set of peers) if (!set.external.isEmpty) external = external.union(set.external);
  // Most rules speak of pods alone.
  if (external.isEmpty) return [piece];
  const bearing = portsAt(rule.ports, destination).intersect(piece.remaining);
  const met = external.intersect(piece.addresses);
  if (bearing.isEmpty || met.isEmpty) return [piece];
  const inside: Piece = {
    addresses: met,
    remaining: piece.remaining.subtract(bearing),
    passed: rule.action === "pass" ? piece.passed.union(bearing) : piece.passed,
    allowed: rule.action === "allow" ? piece.allowed.union(bearing) : piece.allowed,
  };
  const rest = piece.addresses.subtract(met);
  return rest.isEmpty ? [inside] : [inside, { ...piece, addresses: rest }];
}

function joined(pieces: readonly AddressConnections[]): readonly AddressConnections[] {
  const result: AddressConnections[] = [];
  for (const piece of pieces) {
    const at = result.findIndex((other) => other.connections.equals(piece.connections));
    const known = result[at];
    if (known === undefined) result.push(piece);
    else result[at] = { addresses: known.addresses.union(piece.addresses), connections: known.connections };
  }
  return result;
}

/** What a plan lets through between its class and a pod that does not exist yet. It has no names for its ports. */
export function evaluatePossible(
  plan: Plan,
  meets: (set: PeerSet) => boolean,
  own: EndpointClass,
  reading: Reading,
): ConnectionSet {
  const destination = plan.direction === "ingress" ? own : undefined;
  return decide(plan, reading, ({ rule, peers }) => (peers.some(meets) ? portsAt(rule.ports, destination) : undefined));
}

/** What a plan lets through to whatever some DNS names resolve to: rules that speak of names or of everything. */
export function evaluateDomains(plan: Plan, names: readonly string[], reading: Reading): ConnectionSet {
  return decide(plan, reading, ({ rule, peers }) =>
    peers.some(({ term }) => term.everything || names.every((name) => term.domains?.some((d) => coversName(d, name)))) ||
    (rule.action === "allow" && peers.some(({ external }) => external.isAll))
      ? portsAt(rule.ports, undefined)
      : undefined,
  );
}

/** `*.example.com` stands for one or more labels before `example.com`. */
export function coversName(pattern: string, name: string): boolean {
  if (pattern === name || pattern === "*") return true;
  return pattern.startsWith("*.") && name.length > pattern.length - 1 && name.endsWith(pattern.slice(1));
}
