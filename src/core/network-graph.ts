/** What a node of a drawing stands for. */
export type GraphNodeKind = "workload" | "namespace" | "everything" | "external" | "node" | "apiserver" | "domain";

export interface GraphNode {
  readonly id: string;
  /** What is written in it. */
  readonly label: string;
  /** The namespace; empty for what belongs to none. */
  readonly group: string;
  readonly kind: GraphNodeKind;
  /** Names of all that it stands for; more than one where workloads with the same peers are one node. */
  readonly members: readonly string[];
}

/** `gained` and `lost` in a drawing of a difference. */
export type GraphChange = "same" | "gained" | "lost";

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Protocols and ports. */
  readonly label: string;
  readonly change: GraphChange;
}

/** A drawing of who may talk to whom, small enough to be looked at. */
export interface NetworkGraph {
  readonly title: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** What is not drawn, in sentences. */
  readonly notes: readonly string[];
  /** The node in the middle of a focus. */
  readonly focus?: string;
}

/** How much of the way from one namespace to another is open. */
export interface MatrixCell {
  readonly from: string;
  readonly to: string;
  /** Pairs of workloads between which anything passes, and all pairs. */
  readonly open: number;
  readonly pairs: number;
  /** What passes at most; empty where nothing does. */
  readonly label: string;
}

export interface NamespaceMatrix {
  readonly namespaces: readonly { readonly name: string; readonly workloads: number }[];
  /** Only cells with an open pair. */
  readonly cells: readonly MatrixCell[];
}

/** A table for every format: cells are texts. */
export interface NetworkTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Everything that the page of a network shows. */
export interface NetworkPage {
  readonly title: string;
  readonly summary: readonly string[];
  readonly matrix: NamespaceMatrix;
  readonly overview: NetworkGraph;
  /** One hop around each workload, drawn when it is chosen. */
  readonly nodes: readonly GraphNode[];
  /** Everything from every one of `from` to every one of `to`, by index into `nodes`. */
  readonly blocks: readonly PageBlock[];
}

export interface PageBlock {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly label: string;
}
