import type { Diagnostic } from "../../core/diagnostic.ts";
import { type KubernetesObject, labelsOf, nameOf, namespaceOf, type ResourceRef, resourceRef } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import type { SourceDocument } from "../../core/source.ts";
import { AddressBounds, blocksOf } from "./engine/address-bounds.ts";
import type { ClusterEndpoint, EndpointClass, Surroundings } from "./engine/endpoint-class.ts";
import { EndpointIndex } from "./engine/endpoint-index.ts";
import { PeerSet, type PodRange, usualPodRange } from "./engine/peer-set.ts";
import { makePlan, type Plan } from "./engine/plan.ts";
import { SelectorBuckets } from "./engine/selector-buckets.ts";
import type { ApiServer, ClusterNode, CniProfile, Direction, NetworkOptions, Workload } from "./model.ts";
import { isPolicyContext, type PolicyContext, policyContext } from "./read/policy-context.ts";
import { isPolicy, readPolicy } from "./read/read-policy.ts";
import type { CompiledPolicy, CompiledRule, PeerTerm } from "./rule.ts";
import { apiServerAddresses, namespaceLabels, readNode, roleOf, someNode } from "./world/cluster-objects.ts";
import { type PodSource, podSources, refKey } from "./world/pod-source.ts";
import { isUserDefinedNetwork, primaryNetworks } from "./world/primary-networks.ts";
import { type Distinctions, ownerOf, volatileLabels, workloadsOf } from "./world/workloads.ts";

type ObjectDocument = SourceDocument<KubernetesObject>;

/** Everything about an object that was read once. */
interface Entry {
  readonly document: ObjectDocument;
  readonly policies: readonly CompiledPolicy[];
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly PodSource[];
}

/** What stands in a cluster, and the structures by which questions about it are answered. One object can be changed at a time. */
export class ClusterState implements Surroundings, Distinctions {
  readonly options: NetworkOptions;
  readonly #fallback: string;
  readonly #range: PodRange;
  readonly entries = new Map<string, Entry>();
  readonly workloads = new Map<string, Workload>();
  readonly nodes = new Map<string, ClusterNode>();
  apiServer: ApiServer = { kind: "apiserver", id: "apiserver", addresses: [] };
  readonly #namespaces = new Map<string, Labels>();
  readonly #accounts = new Map<string, Labels>();
  readonly #makers = new Map<string, ResourceRef>();
  /** Owner -> what was found for it. */
  readonly #sources = new Map<string, { readonly owner: ResourceRef; readonly sources: Set<PodSource> }>();
  readonly #workloadsOfOwner = new Map<string, readonly Workload[]>();
  #context: PolicyContext;
  #networks: ReadonlyMap<string, string> = new Map();
  #bounds = new AddressBounds([]);
  askedLabels: ReadonlySet<string> = new Set();
  nodesMatter = false;
  index: EndpointIndex;
  readonly #peerSets = new Map<string, PeerSet>();
  readonly #policiesOfClass = new Map<number, Set<CompiledPolicy>>();
  #cniPolicies: readonly CompiledPolicy[] | undefined;
  #cni: CniProfile = "unknown";
  #allPolicies: readonly CompiledPolicy[] | undefined;
  /** Where a new class has to be looked for. */
  readonly #setBuckets = new SelectorBuckets<PeerSet>();
  readonly #addressSets = new Set<PeerSet>();
  readonly #subjectBuckets = new SelectorBuckets<CompiledPolicy>();
  #someAddressed = false;
  readonly #plans: { readonly [direction in Direction]: Map<number, Plan> } = { ingress: new Map(), egress: new Map() };
  /** Grows with every change: whoever keeps answers looks at it. */
  version = 0;

  constructor(options: NetworkOptions) {
    this.options = options;
    this.#fallback = options.namespace ?? "default";
    this.#context = policyContext([], this.#fallback);
    this.#range = options.podAddresses === undefined ? usualPodRange : { addresses: options.podAddresses, isCertain: true };
    this.index = new EndpointIndex(this);
  }

  // What classes and workloads are told by.

  namespaceLabels(name: string): Labels {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const labels = namespaceLabels(name);
    this.#namespaces.set(name, labels);
    return labels;
  }

  serviceAccountLabels(namespace: string, name: string): Labels {
    return this.#accounts.get(`${namespace}/${name}`) ?? {};
  }

  nodeLabels(name: string): Labels {
    return this.nodes.get(`node/${name}`)?.labels ?? {};
  }

  networkOf(namespace: string): string {
    return this.#networks.get(namespace) ?? "";
  }

  addressClass(address: string): string {
    return this.#bounds.classOf(address);
  }

  get namespaces(): ReadonlyMap<string, Labels> {
    return this.#namespaces;
  }

  /** Told by the user, else by kinds of policies that one of them alone has. */
  get cni(): CniProfile {
    const { policies } = this;
    if (this.#cniPolicies === policies) return this.#cni;
    this.#cniPolicies = policies;
    this.#cni = this.#findCni(policies);
    return this.#cni;
  }

  #findCni(policies: readonly CompiledPolicy[]): CniProfile {
    const { cni } = this.options;
    if (cni !== undefined && cni !== "unknown") return cni;
    if (policies.some(({ info }) => info.kind.startsWith("Cilium"))) return "cilium";
    return policies.some(({ info }) => info.kind.startsWith("Calico")) ? "calico" : "unknown";
  }

  get policies(): readonly CompiledPolicy[] {
    this.#allPolicies ??= [...this.entries.values()].flatMap((entry) => entry.policies);
    return this.#allPolicies;
  }

  // Reading.

  load(documents: readonly ObjectDocument[]): void {
    this.#context = policyContext(
      documents.map((d) => d.value),
      this.#fallback,
    );
    for (const document of documents) this.entries.set(this.keyOf(document.value), this.#read(document));
    this.#rebuild();
  }

  keyOf(object: KubernetesObject): string {
    return this.keyOfRef(resourceRef(object));
  }

  /** Who names no namespace means the one that everything would be applied to. */
  keyOfRef(ref: ResourceRef): string {
    const isCluster = ref.namespace === "" && (ref.kind === "Namespace" || ref.kind === "Node");
    return refKey({ ...ref, namespace: isCluster ? "" : ref.namespace || this.#fallback });
  }

  #read(document: ObjectDocument): Entry {
    if (isPolicy(document.value)) {
      const { policies, diagnostics } = readPolicy(document, this.#context);
      return { document, policies, diagnostics, sources: [] };
    }
    const flat = this.options.asNetpolAnalyzer === true;
    const sources = podSources(document, this.options.catalogue, this.#fallback, flat);
    return {
      document,
      policies: [],
      diagnostics: [],
      sources: flat ? sources.map((s) => ({ ...s, hostNetwork: false })) : sources,
    };
  }

  /** Everything anew from the objects that were read. */
  #rebuild(): void {
    this.version++;
    this.#allPolicies = undefined;
    this.#someAddressed = false;
    for (const found of [this.#setBuckets, this.#addressSets, this.#subjectBuckets]) found.clear();
    for (const map of [this.workloads, this.nodes, this.#namespaces, this.#accounts, this.#makers, this.#sources]) map.clear();
    for (const map of [this.#workloadsOfOwner, this.#peerSets, this.#policiesOfClass, this.#plans.ingress, this.#plans.egress]) {
      map.clear();
    }
    const addresses: string[] = [];
    for (const { document, sources } of this.entries.values()) {
      this.#enterObject(document.value, addresses);
      const [source] = sources;
      if (source?.madeBy !== undefined && source.podName === "") {
        this.#makers.set(this.keyOf(document.value), source.madeBy);
      }
    }
    this.apiServer = { kind: "apiserver", id: "apiserver", addresses };
    this.#networks = this.#readNetworks();
    this.#bounds = new AddressBounds(this.policies.flatMap((policy) => [...blocksOf(policy)]));
    this.askedLabels = this.#labelsAsked();
    this.nodesMatter = this.policies.some(asksForNodes);
    this.index = new EndpointIndex(this);
    for (const { sources } of this.entries.values()) for (const source of sources) this.#enterSource(source);
    for (const key of this.#sources.keys()) this.#enterWorkloads(key);
    if (this.nodes.size === 0) this.nodes.set(someNode.id, someNode);
    for (const node of this.nodes.values()) this.index.add(node);
    this.index.add(this.apiServer);
    for (const policy of this.policies) this.#enterPolicy(policy);
  }

  #readNetworks(): ReadonlyMap<string, string> {
    if (this.options.podNetworkOnly === true) return new Map();
    return primaryNetworks(
      [...this.entries.values()].map((entry) => entry.document.value),
      this.#namespaces,
    );
  }

  #enterObject(object: KubernetesObject, addresses: string[]): void {
    const name = nameOf(object);
    switch (roleOf(object)) {
      case "namespace":
        this.#namespaces.set(name, namespaceLabels(name, labelsOf(object)));
        break;
      case "service-account":
        this.#accounts.set(`${namespaceOf(object) || this.#fallback}/${name}`, labelsOf(object));
        break;
      case "node": {
        const node = readNode(object);
        this.nodes.set(node.id, node);
        break;
      }
      case "apiserver":
        addresses.push(...apiServerAddresses(object));
        break;
      case "other":
        break;
    }
  }

  /** Selectors that ask for labels of single pods. */
  #labelsAsked(): ReadonlySet<string> {
    const asked = new Set<string>();
    if (![...this.entries.values()].some(({ sources }) => sources.some(hasVolatileLabels))) return asked;
    for (const { document, policies } of this.entries.values()) {
      if (policies.length === 0) continue;
      const text = specText(document.value);
      for (const label of volatileLabels) if (text.includes(label)) asked.add(label);
    }
    return asked;
  }

  #enterSource(source: PodSource): string {
    const owner = ownerOf(source, this.#makers, this.options.asNetpolAnalyzer === true);
    const key = refKey(owner);
    const known = this.#sources.get(key);
    if (known === undefined) this.#sources.set(key, { owner, sources: new Set([source]) });
    else known.sources.add(source);
    return key;
  }

  /** The workloads of one owner as they are now; answers classes that are new. */
  #enterWorkloads(key: string): readonly EndpointClass[] {
    for (const workload of this.#workloadsOfOwner.get(key) ?? []) {
      this.workloads.delete(workload.id);
      this.index.remove(workload);
    }
    const found = this.#sources.get(key);
    const workloads = found === undefined ? [] : workloadsOf(found.owner, [...found.sources], this);
    this.#workloadsOfOwner.set(key, workloads);
    return workloads.flatMap((workload) => {
      if (workload.addresses.length > 0) this.#someAddressed = true;
      this.workloads.set(workload.id, workload);
      return this.#enterEndpoint(workload);
    });
  }

  #enterEndpoint(endpoint: ClusterEndpoint): readonly EndpointClass[] {
    const { cls, isNew } = this.index.add(endpoint);
    return isNew ? [cls] : [];
  }

  #enterPolicy(policy: CompiledPolicy): void {
    if (!policy.info.active) return;
    for (const subject of policy.subjects) {
      this.#subjectBuckets.add(subject, policy);
      for (const cls of this.index.select(subject)) this.#select(policy, cls);
    }
  }

  #select(policy: CompiledPolicy, cls: EndpointClass): void {
    const known = this.#policiesOfClass.get(cls.id);
    if (known === undefined) this.#policiesOfClass.set(cls.id, new Set([policy]));
    else known.add(policy);
    this.#plans.ingress.delete(cls.id);
    this.#plans.egress.delete(cls.id);
  }

  /** A class that nobody was in before meets the rules that there are. */
  #admit(cls: EndpointClass): void {
    const sets = cls.kind === "pod" ? this.#setBuckets.candidates(cls) : this.#peerSets.values();
    for (const set of sets) set.admit(cls);
    if (cls.kind === "pod" && cls.addresses.length > 0) for (const set of this.#addressSets) set.admit(cls);
    for (const policy of this.#subjectBuckets.candidates(cls)) {
      if (policy.subjects.some((s) => this.index.selects(s, cls))) this.#select(policy, cls);
    }
  }

  // Changing.

  put(document: ObjectDocument): void {
    const key = this.keyOf(document.value);
    const before = this.entries.get(key);
    const after = this.#read(document);
    this.entries.set(key, after);
    this.#change(before, after);
  }

  remove(key: string): void {
    const before = this.entries.get(key);
    if (before === undefined) return;
    this.entries.delete(key);
    this.#change(before, undefined);
  }

  #change(before: Entry | undefined, after: Entry | undefined): void {
    this.version++;
    this.#allPolicies = undefined;
    const namespace = namespaceOfBoth(before, after);
    if (namespace !== undefined) {
      this.#changeNamespace(namespace, after);
      return;
    }
    if ([before, after].some((entry) => entry !== undefined && isPolicyContext(entry.document.value))) {
      this.load([...this.entries.values()].map((entry) => entry.document));
      return;
    }
    if (this.#needsRebuild(before, after) || this.#isLittered()) {
      this.#rebuild();
      return;
    }
    for (const policy of before?.policies ?? []) this.#leavePolicy(policy);
    for (const policy of after?.policies ?? []) this.#enterPolicy(policy);
    const owners = new Set<string>();
    for (const source of before?.sources ?? []) {
      const key = refKey(ownerOf(source, this.#makers, this.options.asNetpolAnalyzer === true));
      this.#sources.get(key)?.sources.delete(source);
      if (this.#sources.get(key)?.sources.size === 0) this.#sources.delete(key);
      owners.add(key);
    }
    for (const source of after?.sources ?? []) owners.add(this.#enterSource(source));
    for (const key of owners) for (const cls of this.#enterWorkloads(key)) this.#admit(cls);
  }

  /** Its workloads leave their classes and join those that the new labels make. */
  #changeNamespace(name: string, after: Entry | undefined): void {
    const labels = namespaceLabels(name, after === undefined ? {} : labelsOf(after.document.value));
    this.#namespaces.set(name, labels);
    this.#networks = this.#readNetworks();
    const owners = [...this.#workloadsOfOwner].filter(([, workloads]) => workloads.some((w) => w.namespace === name));
    for (const [, workloads] of owners) for (const workload of workloads) this.index.remove(workload);
    this.index.leaveNamespace(name);
    for (const [key] of owners) for (const cls of this.#enterWorkloads(key)) this.#admit(cls);
  }

  /** Whether much was kept of what is gone: classes without members, peers that no rule names any more. */
  #isLittered(): boolean {
    const most = (live: number) => 1000 + 10 * live;
    return this.index.classes.length > most(this.workloads.size) || this.#peerSets.size > most(this.policies.length);
  }

  /** Objects by which many others are told apart change seldom: they take everything anew. */
  #needsRebuild(before: Entry | undefined, after: Entry | undefined): boolean {
    for (const entry of [before, after]) {
      if (entry === undefined) continue;
      const { value } = entry.document;
      if (roleOf(value) !== "other" || value.kind === "Endpoints" || isUserDefinedNetwork(value)) return true;
      if (entry.sources.some((s) => s.madeBy !== undefined && s.podName === "")) return true;
      if (entry.policies.some((policy) => this.#tellsMoreApart(policy))) return true;
    }
    return false;
  }

  #tellsMoreApart(policy: CompiledPolicy): boolean {
    const text = specText(policy.info.document.value);
    if (volatileLabels.some((label) => !this.askedLabels.has(label) && text.includes(label))) return true;
    if (!this.nodesMatter && asksForNodes(policy)) return true;
    return this.#someAddressed && [...blocksOf(policy)].some((block) => !this.#bounds.knows(block));
  }

  #leavePolicy(policy: CompiledPolicy): void {
    for (const subject of policy.subjects) this.#subjectBuckets.delete(subject, policy);
    for (const [id, policies] of this.#policiesOfClass) {
      if (!policies.delete(policy)) continue;
      this.#plans.ingress.delete(id);
      this.#plans.egress.delete(id);
    }
  }

  // Plans.

  policiesOf(cls: EndpointClass): ReadonlySet<CompiledPolicy> {
    return this.#policiesOfClass.get(cls.id) ?? none;
  }

  plan(cls: EndpointClass, direction: Direction): Plan {
    const known = this.#plans[direction].get(cls.id);
    if (known !== undefined) return known;
    const policies = [...this.policiesOf(cls)].filter((p) => p.info.directions.includes(direction));
    const plan = this.planWith(cls, direction, policies);
    this.#plans[direction].set(cls.id, plan);
    return plan;
  }

  /** As if only these policies selected the class. */
  planWith(cls: EndpointClass, direction: Direction, policies: readonly CompiledPolicy[]): Plan {
    if (policies.length === 0) return direction === "ingress" ? openIngress : openEgress;
    return makePlan({
      direction,
      cls,
      policies,
      resolve: (rule) => rule.peers.map((term) => this.peerSet(term)),
      bears: (rule, subject) => this.#bears(rule, subject),
    });
  }

  #bears({ subjects }: CompiledRule, cls: EndpointClass): boolean {
    return subjects === undefined || this.peerSet(subjects).match(cls) !== "no";
  }

  peerSet(term: PeerTerm): PeerSet {
    const known = this.#peerSets.get(term.key);
    if (known !== undefined) return known;
    const set = new PeerSet(term, this.index, this.#range);
    this.#peerSets.set(term.key, set);
    if (term.pods !== undefined) this.#setBuckets.add(term.pods, set);
    if (term.byAddress !== undefined) this.#addressSets.add(set);
    return set;
  }
}

function hasVolatileLabels({ labels }: PodSource): boolean {
  return volatileLabels.some((label) => Object.hasOwn(labels, label));
}

function specText(object: KubernetesObject): string {
  return JSON.stringify(object["spec"] ?? null, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v));
}

/** The name of a namespace that an object describes or described. */
function namespaceOfBoth(before: Entry | undefined, after: Entry | undefined): string | undefined {
  const object = (after ?? before)?.document.value;
  return object !== undefined && roleOf(object) === "namespace" ? nameOf(object) : undefined;
}

function asksForNodes({ rules }: CompiledPolicy): boolean {
  return [...rules.ingress, ...rules.egress].some(({ peers }) => peers.some((term) => term.nodes !== undefined));
}

const none: ReadonlySet<CompiledPolicy> = new Set();
const openIngress: Plan = { direction: "ingress", layers: [], isUnrestricted: true };
const openEgress: Plan = { direction: "egress", layers: [], isUnrestricted: true };
