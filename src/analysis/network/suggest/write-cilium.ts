import type { JsonObject } from "../../../core/json.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { Direction } from "../model.ts";
import type { AllowPeer, AllowPort, PolicyPlan } from "./allow.ts";
import { hostBlock, internet, proposedBy, type RuleGroup, ruleGroups } from "./rule-groups.ts";
import type { WrittenPolicies } from "./write-policies.ts";

/** cilium.io/v2 CiliumNetworkPolicy: names, entities and the API server can be said. */
export function writeCilium(plans: readonly PolicyPlan[]): WrittenPolicies {
  // Names are learnt from answers that pass a DNS rule, whichever policy holds it.
  const usesNames = plans.some((plan) => plan.allows.some(({ peer }) => peer.kind === "domains"));
  const objects = plans.map((plan) => {
    return {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: plan.name, namespace: plan.namespace, labels: proposedBy },
      spec: {
        endpointSelector: selector(plan.subject),
        ...sectionOf(plan, "ingress", false),
        ...sectionOf(plan, "egress", usesNames),
      },
    };
  });
  return { objects, notes: [] };
}

function sectionOf(plan: PolicyPlan, direction: Direction, usesNames: boolean): JsonObject {
  if (!plan.isolates.includes(direction)) return {};
  const rules = ruleGroups(plan, direction).flatMap((group) => rulesOf(group, direction, usesNames));
  // An empty rule allows nothing and isolates.
  return { [direction]: rules.length === 0 ? [{}] : rules };
}

/** Kinds of peers exclude one another in one rule. */
function rulesOf(group: RuleGroup, direction: Direction, usesNames: boolean): readonly JsonObject[] {
  const side = direction === "ingress" ? "from" : "to";
  const kinds = Map.groupBy(group.peers, (peer) => fieldOf(peer, direction));
  return [...kinds].map(([field, peers]) => {
    const ports = toPorts(group.ports, usesNames && peers.some((peer) => isDns(peer, group.ports)));
    return { [`${side}${field}`]: peers.flatMap((peer) => writePeer(peer, direction)), ...ports };
  });
}

function fieldOf({ kind }: AllowPeer, direction: Direction): "Endpoints" | "CIDR" | "FQDNs" | "Entities" | "CIDRSet" {
  switch (kind) {
    case "pods":
    case "namespaces":
      return "Endpoints";
    case "cidrs":
      return "CIDR";
    case "domains":
      return "FQDNs";
    case "apiserver":
    case "node":
      return "Entities";
    case "world":
      return direction === "ingress" ? "Entities" : "CIDRSet";
  }
}

function selector(labels: Labels): JsonObject {
  return Object.keys(labels).length === 0 ? {} : { matchLabels: labels };
}

function writePeer(peer: AllowPeer, direction: Direction): readonly (JsonObject | string)[] {
  switch (peer.kind) {
    case "pods":
      return [selector({ "k8s:io.kubernetes.pod.namespace": peer.namespace, ...peer.labels })];
    case "namespaces": {
      const entries = Object.entries(peer.namespaceLabels);
      const namespaces = entries.map(([key, value]) => [`k8s:io.cilium.k8s.namespace.labels.${key}`, value] as const);
      // Without this a selector means the policy's own namespace.
      const everywhere = [{ key: "k8s:io.kubernetes.pod.namespace", operator: "Exists" }];
      return [{ ...selector({ ...Object.fromEntries(namespaces), ...peer.labels }), matchExpressions: everywhere }];
    }
    case "cidrs":
      return peer.blocks.map(hostBlock);
    case "domains":
      return peer.names.map((name) => (name.includes("*") ? { matchPattern: name } : { matchName: name }));
    case "apiserver":
      return ["kube-apiserver"];
    case "node":
      return ["host", "remote-node"];
    case "world":
      return direction === "ingress" ? ["world"] : internet.map(({ cidr, except }) => ({ cidr, except }));
  }
}

function isDns(peer: AllowPeer, ports: readonly AllowPort[] | undefined): boolean {
  return peer.kind === "pods" && (ports?.some(({ protocol, from }) => protocol === "UDP" && [53, 5353].includes(from)) ?? false);
}

/** Names are learnt from the answers that pass a DNS rule; without it `toFQDNs` allows nothing. */
function toPorts(ports: readonly AllowPort[] | undefined, learnsNames: boolean): JsonObject {
  if (ports === undefined) return {};
  const list = ports.map(({ protocol, from, to, name }) => ({
    port: name ?? String(from),
    ...(to > from && name === undefined ? { endPort: to } : {}),
    protocol,
  }));
  const rules = learnsNames ? { rules: { dns: [{ matchPattern: "*" }] } } : {};
  return { toPorts: [{ ports: list, ...rules }] };
}
