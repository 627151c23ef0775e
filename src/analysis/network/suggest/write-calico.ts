import type { JsonObject } from "../../../core/json.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { Direction } from "../model.ts";
import type { AllowPeer, AllowPort, PolicyPlan } from "./allow.ts";
import { hostBlock, internet, proposedBy, ruleGroups } from "./rule-groups.ts";
import type { WrittenPolicies } from "./write-policies.ts";

/** projectcalico.org/v3 NetworkPolicy, as the open-source Calico takes it: it knows Services, but no names. */
export function writeCalico(plans: readonly PolicyPlan[]): WrittenPolicies {
  const notes = new Set<string>();
  const objects = plans.map((plan) => ({
    apiVersion: "projectcalico.org/v3",
    kind: "NetworkPolicy",
    metadata: { name: plan.name, namespace: plan.namespace, labels: proposedBy },
    spec: {
      selector: expression(plan.subject),
      types: plan.isolates.map((direction) => (direction === "ingress" ? "Ingress" : "Egress")),
      ...sectionOf(plan, "ingress", notes),
      ...sectionOf(plan, "egress", notes),
    },
  }));
  return { objects, notes: [...notes] };
}

function sectionOf(plan: PolicyPlan, direction: Direction, notes: Set<string>): JsonObject {
  if (!plan.isolates.includes(direction)) return {};
  const rules = ruleGroups(plan, direction).flatMap(({ peers, ports }) =>
    peers.flatMap((peer) => writePeer(peer, direction, plan, notes).flatMap((entity) => rulesFor(entity, direction, ports))),
  );
  return rules.length === 0 ? {} : { [direction]: rules };
}

/** A rule with ports is of one protocol. */
function rulesFor(peer: JsonObject, direction: Direction, ports: readonly AllowPort[] | undefined): readonly JsonObject[] {
  const rule = (rest: JsonObject, destination: JsonObject): JsonObject => {
    const [source, target] = direction === "ingress" ? [peer, destination] : [{}, { ...peer, ...destination }];
    const sides = Object.entries({ source, destination: target }).filter(([, side]) => Object.keys(side).length > 0);
    return { action: "Allow", ...rest, ...Object.fromEntries(sides) };
  };
  if (ports === undefined) return [rule({}, {})];
  return [...Map.groupBy(ports, (port) => port.protocol)].map(([protocol, list]) => {
    const written = list.map(({ from, to, name }) => name ?? (from === to ? from : `${from}:${to}`));
    // A Service brings its own ports.
    return rule({ protocol }, peer["services"] === undefined ? { ports: written } : {});
  });
}

function quoted(text: string): string {
  return `'${text}'`;
}

/** Calico's selector language. */
function expression(labels: Labels): string {
  const terms = Object.entries(labels).map(([key, value]) => `${key} == ${quoted(value)}`);
  return terms.length === 0 ? "all()" : terms.join(" && ");
}

function writePeer(peer: AllowPeer, direction: Direction, plan: PolicyPlan, notes: Set<string>): readonly JsonObject[] {
  switch (peer.kind) {
    case "pods": {
      const selector = expression(peer.labels);
      if (peer.namespace === plan.namespace) return [{ selector }];
      return [{ selector, namespaceSelector: `projectcalico.org/name == ${quoted(peer.namespace)}` }];
    }
    case "namespaces":
      return [{ selector: expression(peer.labels), namespaceSelector: expression(peer.namespaceLabels) }];
    case "cidrs":
      return [{ nets: peer.blocks.map(hostBlock) }];
    case "domains":
      if (peer.blocks.length > 0) {
        notes.add(
          `Open-source Calico knows no names: the addresses that were seen stand for ${peer.names.join(", ")}, and they may change.`,
        );
        return [{ nets: peer.blocks.map(hostBlock) }];
      }
      notes.add(
        `Open-source Calico knows no names: for ${peer.names.join(", ")} the port is opened to the whole internet. Send it through an egress proxy, or use --target cilium.`,
      );
      return writeInternet();
    case "apiserver":
      if (direction === "egress") return [{ services: { name: "kubernetes", namespace: "default" } }];
      if (peer.addresses.length > 0) return [{ nets: peer.addresses.map(hostBlock) }];
      notes.add("The API server's address is not known here: webhook ports are opened to every source.");
      return [{}];
    case "node":
      if (peer.addresses.length > 0) return [{ nets: peer.addresses.map(hostBlock) }];
      notes.add("The addresses of nodes are not known here: rules for nodes are left out.");
      return [];
    case "world":
      return direction === "ingress" ? [{ nets: ["0.0.0.0/0"] }, { nets: ["::/0"] }] : writeInternet();
  }
}

function writeInternet(): readonly JsonObject[] {
  return internet.map(({ cidr, except }) => ({ nets: [cidr], notNets: except }));
}
