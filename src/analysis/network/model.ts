import type { Diagnostic } from "../../core/diagnostic.ts";
import type { JsonPath } from "../../core/json.ts";
import type { KubernetesObject, ResourceRef } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";
import type { AddressSet } from "./address-set.ts";
import type { ConnectionSet, ProtocolNumber } from "./connection-set.ts";
import type { CompiledPolicy, CompiledRule, PeerTerm } from "./rule.ts";

/*
 * The contract of the network analysis.
 *
 * `buildNetwork(documents, options)` (build.ts) reads every object that bears on who may talk to whom and answers a
 * `Network`. A network is a set of endpoints (workloads, nodes, the API server, external addresses, DNS names) and, for
 * every ordered pair of them, the `ConnectionSet` that policies let through: egress of the source AND ingress of the
 * destination; replies are implied. Answers are computed when asked for and kept; the cost grows with the peers that
 * rules name, never with workloads x workloads.
 *
 *   network.workloads                          everything that runs pods, folded by owner
 *   network.between(from, to)                  the connections, what each direction alone lets through, and what is not certain
 *   network.connections(from, to), permits()   the same without doubts; fast when repeated
 *   network.explain(from, to, protocol, port)  which policies decide each direction, or what is missing
 *   network.edges(filter)                      allowed edges one by one: small networks, or a focus
 *   network.groups()                           the same between workloads as blocks: any size
 *   network.externalOf(workload, direction)    what passes from or to addresses outside
 *   network.put(document) / remove(ref)        one object changes; everything else is kept
 *   network.policies, network.compiled         what was read, and what it was compiled to (rule.ts)
 *   network.diagnostics                        bad input, positioned; the rest is analysed
 *
 * diff.ts:        diffNetworks(before, after): connections gained and lost. equivalent(before, after).
 * exposure.ts:    exposureOf(network): what is open to the whole cluster, to pods that may come, to addresses.
 * entry.ts:       entryPoints(network): Services, Ingress and routes by which workloads are reached from outside.
 * audit/audit.ts: auditNetwork(network, components): core Findings. audit/proof.ts: what a finding's fix would change.
 *
 * Bad input fails closed: a policy that cannot be understood selects what it can and allows nothing by the broken rule.
 */

/** Which data plane enforces the policies; `unknown`: answers that differ between them say so (see `Verdict.depends`). */
export const cniProfiles = ["unknown", "generic", "cilium", "calico", "aws-vpc-cni", "ovn"] as const;
export type CniProfile = (typeof cniProfiles)[number];

export interface NetworkOptions {
  /** Where kinds hold their pods. */
  readonly catalogue: WorkloadCatalogue;
  /** Where objects that name no namespace would be applied; `default` unless told. */
  readonly namespace?: string;
  readonly cni?: CniProfile;
  /** The range that pods get their addresses from, where it is known: decides about blocks that hold a part of all addresses. */
  readonly podAddresses?: AddressSet;
  /** Leave user-defined primary networks (OVN-Kubernetes) out: every pod stands in the cluster's pod network. */
  readonly podNetworkOnly?: boolean;
  /**
   * Read as np-guard's netpol-analyzer does: address blocks hold no pods, pods on the host's network and those that
   * have ended are like others, and a pod that may come is met only by rules with exactly its selectors.
   */
  readonly asNetpolAnalyzer?: boolean;
  /** Nothing else exists: a label or namespace that no object has does not exist. */
  readonly complete?: boolean;
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: ProtocolNumber;
  readonly port: number;
}

/** Pods of one owner that no policy tells apart: a Deployment, a bare Pod, the head of a RayCluster. */
export interface Workload {
  readonly kind: "workload";
  /** Unique and stable: `nlp/api-gateway[Deployment]`; a role or a pod's name follows where an owner has several. */
  readonly id: string;
  /** The object that a person wrote: the outermost owner, or the pod itself. */
  readonly owner: ResourceRef;
  /** `head`, `predictor`; empty where the kind makes one sort of pod. */
  readonly role: string;
  readonly namespace: string;
  /** Of the pods, not of the owner. */
  readonly labels: Labels;
  /** Container ports; the name is empty where there is none. */
  readonly ports: readonly NamedPort[];
  /** Of the containers, as they are written. */
  readonly images: readonly string[];
  readonly serviceAccount: string;
  /** Shares the node's address: NetworkPolicy neither selects nor isolates it. */
  readonly hostNetwork: boolean;
  /** Known addresses of its pods; none before they run. */
  readonly addresses: readonly string[];
  /** The node that pods on the host's network run on; empty where it is not known, or not one. */
  readonly hostNode: string;
  /** How many pods; undefined where nobody says. */
  readonly replicas: number | undefined;
  /** Who else adds labels before a pod is made (an operator, an injector); undefined: labels are as written. */
  readonly completedBy: string | undefined;
  readonly document: SourceDocument<KubernetesObject>;
  /** Where the pod template or pod spec stands in the document. */
  readonly path: JsonPath;
}

/** A node of the cluster. `labels` and `addresses` are empty for "some node", which stands for all that no object shows. */
export interface ClusterNode {
  readonly kind: "node";
  readonly id: string;
  readonly labels: Labels;
  readonly addresses: readonly string[];
}

/** kube-apiserver: in most clusters outside of the pod network. */
export interface ApiServer {
  readonly kind: "apiserver";
  readonly id: "apiserver";
  readonly addresses: readonly string[];
}

/** Addresses outside of the cluster. */
export interface ExternalAddresses {
  readonly kind: "external";
  readonly addresses: AddressSet;
}

/** Whatever these DNS names resolve to; `*.` stands for one or more labels. Known to Cilium, Calico and CNP egress rules. */
export interface DomainNames {
  readonly kind: "domain";
  readonly names: readonly string[];
}

export type Endpoint = Workload | ClusterNode | ApiServer | ExternalAddresses | DomainNames;

export type Direction = "ingress" | "egress";

/** Why an answer is not certain. */
export interface Dependence {
  readonly on: "cni" | "address" | "equal-priority" | "host-network";
  /** `aws-vpc-cni: ...`: a sentence. */
  readonly reason: string;
}

export interface Verdict {
  /** What passes: `egress` and `ingress` together. */
  readonly connections: ConnectionSet;
  /** What the source's side lets out. */
  readonly egress: ConnectionSet;
  /** What the destination's side lets in. */
  readonly ingress: ConnectionSet;
  /** What passes under the most generous reading where it is not certain; equal to `connections` else. */
  readonly possible: ConnectionSet;
  readonly depends: readonly Dependence[];
}

export type PolicyKind =
  | "NetworkPolicy"
  | "AdminNetworkPolicy"
  | "BaselineAdminNetworkPolicy"
  | "ClusterNetworkPolicy"
  | "CalicoNetworkPolicy"
  | "CalicoGlobalNetworkPolicy"
  | "CiliumNetworkPolicy"
  | "CiliumClusterwideNetworkPolicy";

/** One policy object as it was read. */
export interface PolicyInfo {
  readonly id: string;
  readonly kind: PolicyKind;
  readonly ref: ResourceRef;
  /** Directions in which it isolates or decides. */
  readonly directions: readonly Direction[];
  readonly document: SourceDocument<KubernetesObject>;
  /** A staged or otherwise inactive policy decides nothing. */
  readonly active: boolean;
}

export type RuleAction = "allow" | "deny" | "pass";

/** A rule that has a say about one connection. */
export interface DecidingRule {
  /** Where the rule stands: `spec.ingress[0]`. */
  readonly path: JsonPath;
  readonly action: RuleAction;
}

export interface DecidingPolicy {
  readonly policy: PolicyInfo;
  /** The rules that match; none where the policy only isolates. */
  readonly rules: readonly DecidingRule[];
  /** Without this policy alone the answer for this connection would be another one. */
  readonly pivotal: boolean;
}

export interface DirectionExplanation {
  readonly direction: Direction;
  readonly allowed: boolean;
  /**
   * `rule`: a rule of `policies` allows or denies. `isolated`: `policies` select the endpoint and none of their rules
   * matches. `default`: nothing selects it, so everything passes. `outside`: not an endpoint that policies govern.
   * `network`: the two stand in different primary networks, which no policy connects.
   */
  readonly because: "rule" | "isolated" | "default" | "outside" | "network";
  /** `AdminNetworkPolicy`, `NetworkPolicy`, a Calico tier. Empty for `default` and `outside`. */
  readonly tier: string;
  readonly policies: readonly DecidingPolicy[];
  /** One sentence for people: what decides, or what is missing. */
  readonly text: string;
}

export interface Explanation {
  readonly allowed: boolean;
  readonly protocol: ProtocolNumber;
  readonly port: number;
  readonly egress: DirectionExplanation;
  readonly ingress: DirectionExplanation;
  readonly depends: readonly Dependence[];
}

/** What narrows an edge beyond protocol and port. */
export interface EdgeCondition {
  readonly kind: "http" | "dns" | "kafka";
  /** `GET /v1/models`. */
  readonly text: string;
  readonly policy: string;
}

/** Addresses that are treated alike, and what passes. */
export interface AddressConnections {
  readonly addresses: AddressSet;
  readonly connections: ConnectionSet;
}

/** One requirement of a label selector, `In [x]` for `=x`; values in order. */
export interface Requirement {
  readonly label: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values: readonly string[];
}

/** A pod of which only some labels are known: one that may be created, or one of another team's that nobody showed. */
export interface PossiblePod {
  /** Of its namespace. */
  readonly namespace: readonly Requirement[];
  readonly pods: readonly Requirement[];
  /** Written with matchLabels alone. */
  readonly byLabelsOnly: boolean;
}

/** Allowed connections from one endpoint to another. */
export interface Edge {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly connections: ConnectionSet;
  readonly conditions: readonly EdgeCondition[];
}

/**
 * Symbolic answer for many pairs at once: from every one of `from` to every one of `to` (both never empty).
 * Loops (an endpoint to itself) are not meant.
 */
export interface EdgeGroup {
  readonly from: readonly Endpoint[];
  readonly to: readonly Endpoint[];
  readonly connections: ConnectionSet;
}

export interface EdgeFilter {
  readonly from?: (endpoint: Endpoint) => boolean;
  readonly to?: (endpoint: Endpoint) => boolean;
  /** Whether workload-to-workload pairs between which nothing is restricted are listed one by one; `true` unless told. */
  readonly unrestricted?: boolean;
}

/** One object changed. */
export interface Network {
  readonly options: NetworkOptions;
  readonly workloads: readonly Workload[];
  /** Nodes that objects show, and `some node` when none are shown. */
  readonly nodes: readonly ClusterNode[];
  readonly apiServer: ApiServer;
  /** By name; labels with `kubernetes.io/metadata.name`, which is always there. Namespaces that are only named, too. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly policies: readonly PolicyInfo[];
  readonly diagnostics: readonly Diagnostic[];
  /** Those about policies of one kind. */
  diagnosticsOf(kind: string): readonly Diagnostic[];
  /** Everything that was read, as it stands now. */
  readonly documents: readonly SourceDocument<KubernetesObject>[];

  /** By id, `namespace/name`, or `name` where one workload has it. */
  find(name: string): Workload | undefined;
  /** The workload or node at an address, else the address as an external endpoint; undefined for no address. */
  at(address: string): Endpoint | undefined;

  between(from: Endpoint, to: Endpoint): Verdict;
  /** `between(from, to).connections.has(protocol, port)`, for one external address or known endpoint. Fast when repeated. */
  permits(from: Endpoint, to: Endpoint, protocol: ProtocolNumber, port: number): boolean;
  /** The connections of `between`, without doubts and reasons. Fast when repeated. */
  connections(from: Endpoint, to: Endpoint): ConnectionSet;
  /** Equal for workloads, of this network or another, that policies select alike and that peers of rules meet alike. */
  fingerprint(workload: Workload): string;
  explain(from: Endpoint, to: Endpoint, protocol: ProtocolNumber, port: number): Explanation;
  /** Policies that select the workload in a direction. */
  selecting(workload: Workload, direction: Direction): readonly PolicyInfo[];
  /** What the policies were compiled to, in the order of the objects. */
  readonly compiled: readonly CompiledPolicy[];
  /** The workloads that a policy selects. */
  selectedBy(policy: PolicyInfo): readonly Workload[];
  /** The workloads that one alternative of a rule's peers means, and whether it may mean others that nobody showed. */
  meant(term: PeerTerm): { readonly workloads: readonly Workload[]; readonly isOpen: boolean };
  /**
   * Whether every answer stays the same without the policy, or without one rule of it: proven towards everything that exists,
   * every address and every pod that rules speak of. Undefined where nobody is selected, or where it would take too long.
   */
  isRedundant(policy: PolicyInfo, rule?: CompiledRule): boolean | undefined;
  /** Allowed edges one by one: small networks, or a focus. External addresses come as the largest sets that are treated alike. */
  edges(filter?: EdgeFilter): Iterable<Edge>;
  /** The same as blocks of endpoints that are treated alike: any size. */
  groups(): readonly EdgeGroup[];

  /** What surely passes between a workload and a pod that may come, as far as the workload's own side decides. */
  throughToPossible(workload: Workload, direction: Direction, pod: PossiblePod): ConnectionSet;
  /** Names of ports that a workload may reach at such a pod. */
  namedPortsTo(workload: Workload, pod: PossiblePod): readonly string[];
  /** What passes between a workload and addresses outside of the cluster; pieces are disjoint and of different connections. */
  externalOf(workload: Workload, direction: Direction): readonly AddressConnections[];
  /** Every pair of selectors that some rule means pods by, and that is not everything. */
  possiblePods(): readonly PossiblePod[];

  /** Adds or replaces one object. The network is changed in place. */
  put(document: SourceDocument<KubernetesObject>): void;
  /** Removes one object; no effect where there is none. */
  remove(ref: ResourceRef): void;
}

/** How two networks differ for one pair. */
export interface EdgeChange {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly before: ConnectionSet;
  readonly after: ConnectionSet;
  readonly gained: ConnectionSet;
  readonly lost: ConnectionSet;
  /** An endpoint that exists on one side only. */
  readonly endpoint: "both" | "added" | "removed";
}

export interface NetworkDifference {
  readonly changes: readonly EdgeChange[];
}
