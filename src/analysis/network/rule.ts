import type { JsonPath } from "../../core/json.ts";
import type { Labels } from "../../core/label-selector.ts";
import type { AddressSet } from "./address-set.ts";
import type { ConnectionSet, ProtocolNumber } from "./connection-set.ts";
import type { Direction, EdgeCondition, NamedPort, PolicyInfo, PossiblePod, RuleAction } from "./model.ts";

/*
 * What every kind of policy is compiled to. A policy stands in a layer; within a layer rules are tried in order and the
 * first that matches a connection decides about it. At the end of a layer, what no rule has decided is denied where a
 * policy isolates, and goes on to the next layer else. What is left after the last layer is allowed.
 * NetworkPolicy is the same with allow rules only, whose order does not matter.
 */

/** What selectors are asked about. */
export interface PodFacts {
  readonly namespace: string;
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
  readonly serviceAccount: string;
  readonly serviceAccountLabels: Labels;
  readonly ports: readonly NamedPort[];
  /** The primary network that takes the pod in; empty for the cluster's pod network. */
  readonly network: string;
}

export type NamespaceScope =
  | { readonly kind: "one"; readonly name: string }
  | { readonly kind: "all" }
  | { readonly kind: "matching"; readonly key: string; readonly matches: (labels: Labels) => boolean };

/** Selects pods by what they are; never those on the host's network. */
export interface PodSelector {
  /** Equal keys select the same pods. */
  readonly key: string;
  readonly namespaces: NamespaceScope;
  /** A label that every selected pod carries with one of these values: where to look first. */
  readonly hint: { readonly label: string; readonly values: readonly string[] } | undefined;
  /** Whether it selects every pod of its namespaces. */
  readonly everyPod: boolean;
  readonly matches: (pod: PodFacts) => boolean;
  /** What it asks for, where that is a namespace selector and a pod selector of Kubernetes. */
  readonly asks?: PossiblePod;
}

/** One alternative of a rule's peers. */
export interface PeerTerm {
  /** Equal keys match the same endpoints. */
  readonly key: string;
  /** Everything that there is, known or not. The other members then say nothing. */
  readonly everything?: boolean;
  readonly pods?: PodSelector;
  /** Of `pods`, only those at these addresses. */
  readonly within?: AddressSet;
  /** Of `pods`, only those at other addresses. */
  readonly outside?: AddressSet;
  /** Whatever in the cluster has one of these addresses, as `ipBlock` does. */
  readonly byAddress?: AddressSet;
  /** Addresses outside of the cluster. */
  readonly external?: AddressSet;
  /** Nodes, and pods on their network. */
  readonly nodes?: { readonly matches: (labels: Labels) => boolean };
  readonly apiServer?: boolean;
  readonly domains?: readonly string[];
}

/** Ports of a rule; names mean what the destination calls so. */
export interface PortMatch {
  readonly numbers: ConnectionSet;
  readonly named: readonly { readonly name: string; readonly protocol: ProtocolNumber | undefined }[];
  /** Taken away, names resolved, after the others. */
  readonly except?: Omit<PortMatch, "except">;
}

export interface CompiledRule {
  readonly path: JsonPath;
  readonly action: RuleAction;
  /** Alternatives; none match nothing. */
  readonly peers: readonly PeerTerm[];
  readonly ports: PortMatch;
  /** Narrows the pods that the policy selects, for this rule. */
  readonly subjects?: PeerTerm;
  readonly conditions: readonly EdgeCondition[];
}

export interface Layer {
  /** Layers are tried from the lowest rank; of equal rank by name. */
  readonly rank: number;
  readonly name: string;
  /** Nobody says which of two policies of equal order comes first. */
  readonly undeterminedTies: boolean;
}

export interface CompiledPolicy {
  readonly info: PolicyInfo;
  readonly layer: Layer;
  /** Within the layer, lowest first; of equal order by name. */
  readonly order: number;
  /** Alternatives. */
  readonly subjects: readonly PodSelector[];
  /** Directions in which selected pods are denied what no rule of the layer decides. */
  readonly isolates: readonly Direction[];
  readonly rules: { readonly [direction in Direction]: readonly CompiledRule[] };
}

/** Ranks are Calico's orders of the tiers that hold these kinds, so that all sorts can stand in one cluster. */
export const layers = {
  admin: { rank: 1_000, name: "admin", undeterminedTies: true },
  networkPolicy: { rank: 1_000_000, name: "NetworkPolicy", undeterminedTies: false },
  baseline: { rank: 10_000_000, name: "baseline", undeterminedTies: true },
} as const satisfies Record<string, Layer>;
