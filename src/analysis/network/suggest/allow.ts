import type { Labels } from "../../../core/label-selector.ts";
import type { PortProtocol } from "../catalogue/component.ts";
import { protocolName } from "../connection-set.ts";
import type { Direction, NamedPort } from "../model.ts";

/** Whom a proposed rule lets through; each target format says it in its own way. */
export type AllowPeer =
  /** Pods of one namespace; no labels: all of them. */
  | { readonly kind: "pods"; readonly namespace: string; readonly labels: Labels }
  /** Pods of all namespaces that carry the labels. */
  | { readonly kind: "namespaces"; readonly namespaceLabels: Labels; readonly labels: Labels }
  | { readonly kind: "cidrs"; readonly blocks: readonly string[] }
  /** `blocks`: addresses behind the names, as far as they were seen; for formats that know no names. */
  | { readonly kind: "domains"; readonly names: readonly string[]; readonly blocks: readonly string[] }
  | { readonly kind: "apiserver"; readonly addresses: readonly string[] }
  | { readonly kind: "node"; readonly addresses: readonly string[] }
  | { readonly kind: "world" };

/** Both ends included. */
export interface AllowPort {
  readonly protocol: PortProtocol;
  readonly from: number;
  readonly to: number;
  /** A port by its name on the called pod; `from` and `to` say nothing then. */
  readonly name?: string;
}

export type Confidence = "high" | "medium" | "low";

/** What a rule rests on. */
export interface AllowEvidence {
  readonly flows: number;
  /** On how many days; 0 where the log holds no times. */
  readonly days: number;
  readonly confidence: Confidence;
  /** What makes it less certain: `seen once`, `a CronJob`. */
  readonly flags: readonly string[];
}

export interface Allow {
  readonly direction: Direction;
  readonly peer: AllowPeer;
  /** Undefined: all ports of all protocols. */
  readonly ports: readonly AllowPort[] | undefined;
  /** A phrase for people: `gateway to model server`. */
  readonly why: string;
  readonly evidence?: AllowEvidence;
}

/** Everything that is proposed for the pods that one selector picks. */
export interface PolicyPlan {
  readonly name: string;
  readonly namespace: string;
  /** No labels: all pods of the namespace. */
  readonly subject: Labels;
  /** Directions in which nothing else is let through. */
  readonly isolates: readonly Direction[];
  readonly allows: readonly Allow[];
}

/** A name that the API server takes, from parts that may be anything. */
export function policyName(...parts: readonly string[]): string {
  const text = parts
    .filter((part) => part !== "")
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/-{2,}/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return text === "" ? "policy" : text;
}

export function allowKey(allow: Allow): string {
  return JSON.stringify([allow.direction, peerKey(allow.peer), allow.ports ?? "all"]);
}

export function peerKey(peer: AllowPeer): string {
  const sorted = (labels: Labels) => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  switch (peer.kind) {
    case "pods":
      return JSON.stringify([peer.kind, peer.namespace, sorted(peer.labels)]);
    case "namespaces":
      return JSON.stringify([peer.kind, sorted(peer.namespaceLabels), sorted(peer.labels)]);
    case "domains":
      return JSON.stringify([peer.kind, peer.names]);
    default:
      return JSON.stringify(peer);
  }
}

/** Undefined for protocols that policies say nothing about. */
export function portProtocol(name: string): PortProtocol | undefined {
  return name === "TCP" || name === "UDP" || name === "SCTP" ? name : undefined;
}

/** A port that a container declares. */
export function declaredPort({ protocol, port }: NamedPort): AllowPort | undefined {
  const name = portProtocol(protocolName(protocol));
  return name === undefined ? undefined : { protocol: name, from: port, to: port };
}
