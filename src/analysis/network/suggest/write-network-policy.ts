import type { JsonObject } from "../../../core/json.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { Direction } from "../model.ts";
import type { AllowPeer, AllowPort, PolicyPlan } from "./allow.ts";
import { hostBlock, internet, proposedBy, type RuleGroup, ruleGroups } from "./rule-groups.ts";
import type { WrittenPolicies } from "./write-policies.ts";

/** networking.k8s.io/v1. It knows no names and no API server; notes say what stands in their place. */
export function writeNetworkPolicies(plans: readonly PolicyPlan[]): WrittenPolicies {
  const notes = new Set<string>();
  const objects = plans.map((plan) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: plan.name, namespace: plan.namespace, labels: proposedBy },
    spec: {
      podSelector: podSelector(plan.subject),
      policyTypes: plan.isolates.map((direction) => (direction === "ingress" ? "Ingress" : "Egress")),
      ...rulesOf(plan, "ingress", notes),
      ...rulesOf(plan, "egress", notes),
    },
  }));
  return { objects, notes: [...notes] };
}

function rulesOf(plan: PolicyPlan, direction: Direction, notes: Set<string>): JsonObject {
  if (!plan.isolates.includes(direction)) return {};
  const groups = ruleGroups(plan, direction);
  const rules = groups.flatMap((group) => {
    const parts = group.peers.map((peer) => ({ peer, written: writePeer(peer, direction, plan, notes) }));
    const open = parts.filter(({ written }) => written === "any");
    const listed = parts.flatMap(({ written }) => (written === "any" ? [] : written));
    const side = direction === "ingress" ? "from" : "to";
    return [
      ...open.map(({ peer }) => withPorts({}, apiServerPorts(peer, direction, group))),
      ...(listed.length === 0 ? [] : [withPorts({ [side]: listed }, group.ports)]),
    ];
  });
  return rules.length === 0 ? {} : { [direction]: rules };
}

/** The API server's own ports, where the rule names none. */
function apiServerPorts(peer: AllowPeer, direction: Direction, { ports }: RuleGroup): readonly AllowPort[] | undefined {
  if (peer.kind !== "apiserver" || direction === "ingress" || ports !== undefined) return ports;
  return [443, 6443].map((port) => ({ protocol: "TCP", from: port, to: port }) as const);
}

function withPorts(rule: JsonObject, ports: readonly AllowPort[] | undefined): JsonObject {
  return ports === undefined ? rule : { ...rule, ports: ports.map(writePort) };
}

function writePort({ protocol, from, to, name }: AllowPort): JsonObject {
  if (name !== undefined) return { protocol, port: name };
  return from === to ? { protocol, port: from } : { protocol, port: from, endPort: to };
}

function podSelector(labels: Labels): JsonObject {
  return Object.keys(labels).length === 0 ? {} : { matchLabels: labels };
}

function blocks(addresses: readonly string[]): readonly JsonObject[] {
  return addresses.map((address) => ({ ipBlock: { cidr: hostBlock(address) } }));
}

/** `any`: a rule of its own without peers. */
function writePeer(peer: AllowPeer, direction: Direction, plan: PolicyPlan, notes: Set<string>): readonly JsonObject[] | "any" {
  switch (peer.kind) {
    case "pods": {
      const inside = { podSelector: podSelector(peer.labels) };
      if (peer.namespace === plan.namespace) return [inside];
      const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": peer.namespace } };
      return [Object.keys(peer.labels).length === 0 ? { namespaceSelector } : { namespaceSelector, ...inside }];
    }
    case "namespaces": {
      const namespaceSelector = podSelector(peer.namespaceLabels);
      return [
        Object.keys(peer.labels).length === 0
          ? { namespaceSelector }
          : { namespaceSelector, podSelector: podSelector(peer.labels) },
      ];
    }
    case "cidrs":
      return blocks(peer.blocks);
    case "domains":
      if (peer.blocks.length > 0) {
        notes.add(
          `NetworkPolicy knows no names: the addresses that were seen stand for ${peer.names.join(", ")}, and they may change.`,
        );
        return blocks(peer.blocks);
      }
      notes.add(
        `NetworkPolicy knows no names: for ${peer.names.join(", ")} the port is opened to the whole internet. Use --target cilium, or send it through an egress proxy.`,
      );
      return writeInternet();
    case "apiserver":
      if (peer.addresses.length > 0) return blocks(peer.addresses);
      notes.add(
        direction === "ingress"
          ? "NetworkPolicy cannot name the API server: webhook ports are opened to every source."
          : "NetworkPolicy cannot name the API server, and its address is not known here: ports 443 and 6443 are opened to every address. Load the cluster, or use --target cilium.",
      );
      return "any";
    case "node":
      if (peer.addresses.length > 0) return blocks(peer.addresses);
      notes.add("NetworkPolicy cannot name nodes, and their addresses are not known here: rules for nodes are left out.");
      return [];
    case "world":
      // Who comes in through a load balancer often has the address of a node.
      return direction === "ingress" ? [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }] : writeInternet();
  }
}

function writeInternet(): readonly JsonObject[] {
  return internet.map(({ cidr, except }) => ({ ipBlock: { cidr, except } }));
}
