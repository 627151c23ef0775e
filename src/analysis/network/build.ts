import type { Diagnostic } from "../../core/diagnostic.ts";
import { isKubernetesObject, type KubernetesObject, type ResourceRef } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { AddressSet, parseAddress } from "./address-set.ts";
import { ConnectionSet, type ProtocolNumber } from "./connection-set.ts";
import { describeEndpoint } from "./describe.ts";
import { edgesOf } from "./engine/edges.ts";
import type { EndpointClass } from "./engine/endpoint-class.ts";
import { explainDirection } from "./engine/explain.ts";
import { groupsOf } from "./engine/groups.ts";
import { signatureOf } from "./engine/plan.ts";
import { namesToPossible, throughToPossible } from "./engine/possible-pod.ts";
import { isRedundant } from "./engine/redundancy.ts";
import { areApart, externalPieces, type Party, partyOf, sideOf, usualReading, verdictOf } from "./engine/verdict.ts";
import type {
  AddressConnections,
  Direction,
  DirectionExplanation,
  Edge,
  EdgeFilter,
  EdgeGroup,
  Endpoint,
  Explanation,
  Network,
  NetworkOptions,
  PolicyInfo,
  PossiblePod,
  Verdict,
  Workload,
} from "./model.ts";
import type { CompiledPolicy, CompiledRule, PeerTerm } from "./rule.ts";
import { ClusterState } from "./state.ts";
import { tiedPolicies } from "./ties.ts";

/** Reads all that bears on who may talk to whom. Documents that are no Kubernetes objects are left out. */
export function buildNetwork(documents: readonly SourceDocument[], options: NetworkOptions): Network {
  const state = new ClusterState(options);
  state.load(documents.filter(isObjectDocument));
  return new StateNetwork(state);
}

function isObjectDocument(document: SourceDocument): document is SourceDocument<KubernetesObject> {
  return isKubernetesObject(document.value);
}

const nothing: Verdict = {
  connections: ConnectionSet.none,
  egress: ConnectionSet.none,
  ingress: ConnectionSet.none,
  possible: ConnectionSet.none,
  depends: [],
};

/** Of one policy's or rule's redundancy. */
const mostComparisons = 20_000;

function workloadsIn({ members }: EndpointClass): readonly Workload[] {
  return [...members].filter((m) => m.kind === "workload");
}

class StateNetwork implements Network {
  readonly #state: ClusterState;
  readonly #pairs = new Map<number, ConnectionSet>();
  #pairsVersion = -1;
  #byAddress: Map<string, Endpoint> | undefined;
  #byAddressVersion = -1;
  #listed: readonly Workload[] = [];
  #listedVersion = -1;
  #byInfo: ReadonlyMap<PolicyInfo, readonly CompiledPolicy[]> | undefined;
  #byInfoVersion = -1;

  constructor(state: ClusterState) {
    this.#state = state;
  }

  get options(): NetworkOptions {
    return this.#state.options;
  }

  get workloads(): readonly Workload[] {
    if (this.#listedVersion !== this.#state.version) this.#listed = [...this.#state.workloads.values()];
    this.#listedVersion = this.#state.version;
    return this.#listed;
  }

  get nodes() {
    return [...this.#state.nodes.values()];
  }

  get apiServer() {
    return this.#state.apiServer;
  }

  get namespaces() {
    return this.#state.namespaces;
  }

  get policies(): readonly PolicyInfo[] {
    return [...new Set(this.#state.policies.map((policy) => policy.info))];
  }

  get diagnostics(): readonly Diagnostic[] {
    return [...this.#state.entries.values()].flatMap((entry) => entry.diagnostics).concat(tiedPolicies(this.#state.policies));
  }

  diagnosticsOf(kind: string): readonly Diagnostic[] {
    return [...this.#state.entries.values()].flatMap((entry) => (entry.document.value.kind === kind ? entry.diagnostics : []));
  }

  get documents(): readonly SourceDocument<KubernetesObject>[] {
    return [...this.#state.entries.values()].map((entry) => entry.document);
  }

  find(name: string): Workload | undefined {
    const exact = this.#state.workloads.get(name);
    if (exact !== undefined) return exact;
    const matching = this.workloads.filter(({ owner }) => `${owner.namespace}/${owner.name}` === name || owner.name === name);
    return matching.length === 1 ? matching[0] : undefined;
  }

  at(address: string): Endpoint | undefined {
    if (this.#byAddress === undefined || this.#byAddressVersion !== this.#state.version) {
      const { workloads, nodes, apiServer } = this;
      // Of a node's address the node answers, not the pods that share it.
      this.#byAddress = new Map<string, Endpoint>();
      for (const endpoint of [apiServer, ...workloads, ...nodes]) {
        for (const at of endpoint.addresses) this.#byAddress.set(at, endpoint);
      }
      this.#byAddressVersion = this.#state.version;
    }
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    const parsed = parseAddress(address);
    return parsed === undefined ? undefined : { kind: "external", addresses: AddressSet.ofAddress(parsed) };
  }

  #parties(from: Endpoint, to: Endpoint): readonly [Party, Party] | undefined {
    const [a, b] = [partyOf(this.#state, from), partyOf(this.#state, to)];
    return a === undefined || b === undefined ? undefined : [a, b];
  }

  between(from: Endpoint, to: Endpoint): Verdict {
    const parties = this.#parties(from, to);
    return parties === undefined ? nothing : verdictOf(this.#state, ...parties);
  }

  permits(from: Endpoint, to: Endpoint, protocol: ProtocolNumber, port: number): boolean {
    return this.connections(from, to).has(protocol, port);
  }

  connections(from: Endpoint, to: Endpoint): ConnectionSet {
    const parties = this.#parties(from, to);
    return parties === undefined ? ConnectionSet.none : this.#connections(...parties);
  }

  fingerprint(workload: Workload): string {
    const cls = this.#state.index.classOf(workload);
    if (cls === undefined) return "";
    const { labels, ports, serviceAccount, namespaceLabels, serviceAccountLabels, network } = cls.facts;
    const plans = [this.#state.plan(cls, "ingress"), this.#state.plan(cls, "egress")].map(signatureOf);
    const { addresses } = workload;
    return JSON.stringify([
      cls.kind,
      network,
      labels,
      ports,
      serviceAccount,
      addresses,
      namespaceLabels,
      serviceAccountLabels,
      cls.nodeLabels,
      ...plans,
    ]);
  }

  /** The usual reading; kept for pairs of classes. */
  #connections(a: Party, b: Party): ConnectionSet {
    const reading = usualReading(this.#state);
    const evaluate = () => {
      const egress = sideOf(this.#state, "egress", a, b, reading);
      return egress.isEmpty ? egress : egress.intersect(sideOf(this.#state, "ingress", a, b, reading));
    };
    if (a.kind !== "class" || b.kind !== "class") return evaluate();
    if (this.#pairsVersion !== this.#state.version) this.#pairs.clear();
    this.#pairsVersion = this.#state.version;
    const key = a.cls.id * 0x400_0000 + b.cls.id;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    const connections = evaluate();
    this.#pairs.set(key, connections);
    return connections;
  }

  explain(from: Endpoint, to: Endpoint, protocol: ProtocolNumber, port: number): Explanation {
    const parties = this.#parties(from, to);
    const direction = (side: Direction): DirectionExplanation => {
      const [subject, peer] = side === "egress" ? [parties?.[0], parties?.[1]] : [parties?.[1], parties?.[0]];
      const [own, other] = side === "egress" ? [from, to] : [to, from];
      if (subject === undefined || peer === undefined) return absent(side, own);
      if (areApart(subject, peer)) return apart(side, own, other);
      if (subject.kind !== "class" || subject.cls.kind === "node" || subject.cls.kind === "apiserver") return outside(side, own);
      return explainDirection({
        state: this.#state,
        subject: subject.cls,
        peer,
        direction: side,
        protocol,
        port,
        reading: usualReading(this.#state),
        subjectName: describeEndpoint(own),
        peerName: describeEndpoint(other),
      });
    };
    const [egress, ingress] = [direction("egress"), direction("ingress")];
    return {
      allowed: egress.allowed && ingress.allowed,
      protocol,
      port,
      egress,
      ingress,
      depends: this.between(from, to).depends,
    };
  }

  selecting(workload: Workload, direction: Direction): readonly PolicyInfo[] {
    const cls = this.#state.index.classOf(workload);
    if (cls === undefined) return [];
    return [...new Set([...this.#state.policiesOf(cls)].map((p) => p.info))].filter((info) =>
      info.directions.includes(direction),
    );
  }

  get compiled(): readonly CompiledPolicy[] {
    return this.#state.policies;
  }

  selectedBy(policy: PolicyInfo): readonly Workload[] {
    if (this.#byInfo === undefined || this.#byInfoVersion !== this.#state.version) {
      this.#byInfo = Map.groupBy(this.#state.policies, ({ info }) => info);
      this.#byInfoVersion = this.#state.version;
    }
    const classes = new Set<EndpointClass>();
    for (const { subjects } of this.#byInfo.get(policy) ?? []) {
      for (const subject of subjects) for (const cls of this.#state.index.select(subject)) classes.add(cls);
    }
    return [...classes].flatMap(workloadsIn);
  }

  meant(term: PeerTerm): { readonly workloads: readonly Workload[]; readonly isOpen: boolean } {
    const set = this.#state.peerSet(term);
    const classes = [...set.listed()].flatMap((id) => this.#state.index.classes[id] ?? []);
    return { workloads: classes.flatMap(workloadsIn), isOpen: set.isOpen };
  }

  isRedundant(policy: PolicyInfo, rule?: CompiledRule): boolean | undefined {
    return isRedundant(this.#state, policy, rule, usualReading(this.#state), mostComparisons);
  }

  edges(filter: EdgeFilter = {}): Iterable<Edge> {
    return edgesOf(this.#state, usualReading(this.#state), filter);
  }

  groups(): readonly EdgeGroup[] {
    return groupsOf(this.#state, usualReading(this.#state));
  }

  throughToPossible(workload: Workload, direction: Direction, pod: PossiblePod): ConnectionSet {
    const cls = this.#state.index.classOf(workload);
    if (cls === undefined) return ConnectionSet.none;
    const reading = { ...usualReading(this.#state), exactly: this.options.asNetpolAnalyzer === true };
    return throughToPossible(this.#state.plan(cls, direction), cls, pod, reading);
  }

  namedPortsTo(workload: Workload, pod: PossiblePod): readonly string[] {
    const cls = this.#state.index.classOf(workload);
    if (cls === undefined) return [];
    const reading = { ...usualReading(this.#state), exactly: this.options.asNetpolAnalyzer === true };
    return namesToPossible(this.#state.plan(cls, "egress"), pod, reading);
  }

  externalOf(workload: Workload, direction: Direction): readonly AddressConnections[] {
    const cls = this.#state.index.classOf(workload);
    return cls === undefined ? [] : externalPieces(this.#state, cls, direction, usualReading(this.#state));
  }

  possiblePods(): readonly PossiblePod[] {
    const found = new Map<string, PossiblePod>();
    for (const { info, rules } of this.#state.policies) {
      if (!info.active) continue;
      for (const { peers } of [...rules.ingress, ...rules.egress]) {
        for (const { pods } of peers) {
          if (pods?.asks === undefined || (pods.everyPod && pods.namespaces.kind === "all")) continue;
          if (!found.has(pods.key)) found.set(pods.key, pods.asks);
        }
      }
    }
    return [...found.values()];
  }

  put(document: SourceDocument<KubernetesObject>): void {
    this.#state.put(document);
  }

  remove(ref: ResourceRef): void {
    this.#state.remove(this.#state.keyOfRef(ref));
  }
}

function apart(direction: Direction, own: Endpoint, other: Endpoint): DirectionExplanation {
  const text = `${describeEndpoint(own)} and ${describeEndpoint(other)} stand in different primary networks`;
  return { direction, allowed: false, because: "network", tier: "", policies: [], text };
}

function outside(direction: Direction, endpoint: Endpoint): DirectionExplanation {
  const text = `${describeEndpoint(endpoint)} is not governed by network policies`;
  return { direction, allowed: true, because: "outside", tier: "", policies: [], text };
}

function absent(direction: Direction, endpoint: Endpoint): DirectionExplanation {
  const text = `${describeEndpoint(endpoint)} is not there`;
  return { direction, allowed: false, because: "outside", tier: "", policies: [], text };
}
