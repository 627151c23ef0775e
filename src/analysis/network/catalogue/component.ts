/** What one label must be: one of these values, or present at all. */
export interface LabelNeed {
  readonly key: string;
  /** Undefined: any value. */
  readonly values: readonly string[] | undefined;
}

export type PortProtocol = "TCP" | "UDP" | "SCTP";

/** Where a component listens; `endPort` equals `port` for a single one. */
export interface ComponentPort {
  readonly port: number;
  readonly endPort: number;
  readonly protocol: PortProtocol;
  readonly name: string;
}

export const entities = ["apiserver", "world", "dns", "model-hub", "llm-provider", "node"] as const;
/** Peers that are no pods. */
export type Entity = (typeof entities)[number];

export type ComponentPeer =
  | { readonly kind: "role"; readonly roles: readonly string[] }
  | { readonly kind: "component"; readonly names: readonly string[] }
  /** Pods that carry the same value of the label: the other parts of one job or cluster. */
  | { readonly kind: "same"; readonly label: string }
  | { readonly kind: "labels"; readonly needs: readonly LabelNeed[] }
  | { readonly kind: "namespaces"; readonly needs: readonly LabelNeed[] }
  | { readonly kind: "entity"; readonly entity: Entity };

/** One side's word that two components talk. */
export interface Talk {
  readonly peer: ComponentPeer;
  /** Numbers, or names of the component's own ports; undefined: all that the listening side lists. */
  readonly ports: readonly (number | string)[] | undefined;
  readonly scope: "namespace" | "cluster";
}

/** A part of an AI platform, as `catalog/components.yaml` describes it. */
export interface Component {
  readonly name: string;
  readonly title: string;
  readonly role: string;
  /** One of these must fit as a whole. */
  readonly labels: readonly (readonly LabelNeed[])[];
  /** Repositories, or the ends of them. */
  readonly images: readonly string[];
  readonly ports: readonly ComponentPort[];
  readonly random: boolean;
  readonly from: readonly Talk[];
  readonly to: readonly Talk[];
  readonly source: string;
  readonly checked: boolean;
}

export interface ComponentCatalogue {
  readonly roles: ReadonlyMap<string, string>;
  readonly components: readonly Component[];
  /** DNS names behind the entities `model-hub` and `llm-provider`. */
  readonly domains: ReadonlyMap<string, readonly string[]>;
}
