import type { JsonObject } from "../../../core/json.ts";
import type { Labels } from "../../../core/label-selector.ts";
import { AddressSet } from "../address-set.ts";
import type { Direction } from "../model.ts";
import { type AllowPeer, type AllowPort, type PolicyPlan, policyName } from "./allow.ts";
import { hostBlock, internet, proposedBy, ruleGroups } from "./rule-groups.ts";
import type { WrittenPolicies } from "./write-policies.ts";

/** Rules of one policy that the API server takes, and peers of one rule. */
const most = 25;
/** The first priority that is given; later plans count up, as equal ones would be undetermined. */
const firstPriority = 100;

/**
 * policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy of the Baseline tier: NetworkPolicies of a namespace's owner stay
 * stronger. The first matching rule decides over all policies, so whatever is accepted comes before all that is denied.
 */
export function writeClusterNetworkPolicies(plans: readonly PolicyPlan[]): WrittenPolicies {
  const notes = new Set<string>();
  const accepts = plans.filter((plan) => plan.allows.length > 0).map((plan) => [plan, acceptsOf(plan, notes), ""] as const);
  const denials = plans.filter((plan) => plan.isolates.length > 0).map((plan) => [plan, denialsOf(plan, notes), "deny"] as const);
  const objects = [...accepts, ...denials].map(([plan, rules, suffix], i) => ({
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name: policyName(plan.namespace, plan.name, suffix), labels: proposedBy },
    spec: { tier: "Baseline", priority: Math.min(firstPriority + i, 1000), subject: subjectOf(plan), ...rules },
  }));
  if (objects.length > 1000 - firstPriority) {
    notes.add("There are more policies than priorities: the last ones share one, which leaves their order open.");
  }
  return { objects, notes: [...notes] };
}

const nameLabel = "kubernetes.io/metadata.name";

function subjectOf({ namespace, subject }: PolicyPlan): JsonObject {
  const namespaceSelector = { matchLabels: { [nameLabel]: namespace } };
  return Object.keys(subject).length === 0
    ? { namespaces: namespaceSelector }
    : { pods: { namespaceSelector, podSelector: { matchLabels: subject } } };
}

function acceptsOf(plan: PolicyPlan, notes: Set<string>): JsonObject {
  const sections = plan.isolates.map((direction) => {
    const rules = ruleGroups(plan, direction).flatMap(({ peers, ports }) => {
      const written = peers.flatMap((peer) => writePeer(peer, direction, notes));
      return inChunks(written).map((chunk) => ({ action: "Accept", [sideOf(direction)]: chunk, ...protocolsOf(ports) }));
    });
    if (rules.length > most)
      notes.add(`${plan.namespace}/${plan.name} has more than ${most} rules, which the API server refuses.`);
    return [direction, rules] as const;
  });
  return Object.fromEntries(sections.filter(([, rules]) => rules.length > 0));
}

function denialsOf({ isolates }: PolicyPlan, notes: Set<string>): JsonObject {
  if (isolates.includes("ingress")) {
    notes.add("ClusterNetworkPolicy names only pods as sources: what comes from outside is neither accepted nor denied.");
  }
  const rest = { ingress: [{ namespaces: {} }], egress: [{ networks: ["0.0.0.0/0", "::/0"] }] };
  return Object.fromEntries(isolates.map((direction) => [direction, [{ action: "Deny", [sideOf(direction)]: rest[direction] }]]));
}

function sideOf(direction: Direction): "from" | "to" {
  return direction === "ingress" ? "from" : "to";
}

function protocolsOf(ports: readonly AllowPort[] | undefined): JsonObject {
  if (ports === undefined) return {};
  const protocols = ports.map(({ protocol, from, to, name }) => {
    if (name !== undefined) return { destinationNamedPort: name };
    return {
      [protocol.toLowerCase()]: { destinationPort: from === to ? { number: from } : { range: { start: from, end: to } } },
    };
  });
  return { protocols };
}

function selector(labels: Labels): JsonObject {
  return Object.keys(labels).length === 0 ? {} : { matchLabels: labels };
}

function writePeer(peer: AllowPeer, direction: Direction, notes: Set<string>): readonly JsonObject[] {
  switch (peer.kind) {
    case "pods": {
      const namespaceSelector = { matchLabels: { [nameLabel]: peer.namespace } };
      if (Object.keys(peer.labels).length === 0) return [{ namespaces: namespaceSelector }];
      return [{ pods: { namespaceSelector, podSelector: selector(peer.labels) } }];
    }
    case "namespaces": {
      const namespaceSelector = selector(peer.namespaceLabels);
      if (Object.keys(peer.labels).length === 0) return [{ namespaces: namespaceSelector }];
      return [{ pods: { namespaceSelector, podSelector: selector(peer.labels) } }];
    }
    case "cidrs":
      return networks(peer.blocks, direction);
    case "domains":
      if (direction === "ingress") return [];
      notes.add("domainNames of ClusterNetworkPolicy are experimental: check that the implementation knows them.");
      return [{ domainNames: peer.names }];
    case "apiserver":
      if (direction === "ingress") return [];
      if (peer.addresses.length > 0) return networks(peer.addresses, direction);
      notes.add(
        "ClusterNetworkPolicy cannot name the API server, and its address is not known here: the rule is left out. Load the cluster.",
      );
      return [];
    case "node":
      if (direction === "ingress") return [];
      notes.add("nodes of ClusterNetworkPolicy are experimental: check that the implementation knows them.");
      return [{ nodes: {} }];
    case "world":
      // It would hold the pods, too, and make the denial that follows void.
      return direction === "ingress" ? [] : publicNetworks();
  }
}

function networks(blocks: readonly string[], direction: Direction): readonly JsonObject[] {
  return direction === "ingress" ? [] : inChunks(blocks.map(hostBlock)).map((networks) => ({ networks }));
}

/** The internet as blocks: `networks` knows no exceptions. */
function publicNetworks(): readonly JsonObject[] {
  const blocks = internet.flatMap(({ cidr, except }) => {
    const none = AddressSet.none;
    return except.reduce((set, block) => set.subtract(AddressSet.parse(block) ?? none), AddressSet.parse(cidr) ?? none).toCidrs();
  });
  return inChunks(blocks).map((networks) => ({ networks }));
}

function inChunks<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, i) => items.slice(i * most, (i + 1) * most));
}
