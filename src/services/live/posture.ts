import type { ComponentCatalogue } from "../../analysis/network/catalogue/component.ts";
import { type DefaultRbac, rbacWorld } from "../../analysis/rbac/world.ts";
import type { LintPart } from "../../analysis/resources/lint.ts";
import type { Action } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Fact, Facts, GlobalContextNeed } from "../../core/facts.ts";
import type { Finding } from "../../core/finding.ts";
import type { Host } from "../../core/host.ts";
import { asString, member } from "../../core/json.ts";
import {
  groupOf,
  type KubernetesObject,
  labelsOf,
  nameOf,
  namespaceOf,
  parseApiVersion,
  versionOf,
} from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import { once } from "../../core/once.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";
import { type Excuse, PolicySet, policyName } from "../../engine/index.ts";
import { podSecurityPolicies } from "../../policies/pod-security/index.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";
import { packPolicies } from "../pack-policies.ts";
import { type ScanCheck, scan } from "../scan.ts";
import { scanObjects } from "../scan-objects.ts";
import { scannedFacts } from "../scanned-facts.ts";
import type { ObjectDocument } from "../scanned-objects.ts";
import { FindingKeeper, tellAtOnce } from "./kept-findings.ts";
import type { LivePolicies } from "./live-policies.ts";
import { PolicyCosts } from "./policy-costs.ts";

export interface PostureOptions {
  readonly policies: LivePolicies;
  readonly resources: () => ApiResources;
  readonly schemas: KubernetesSchemas;
  readonly catalogue: WorkloadCatalogue;
  readonly defaultRbac: DefaultRbac;
  /** What the parts of an AI platform are. */
  readonly components: () => ComponentCatalogue;
  /** The built-in policies beside Pod Security. */
  readonly packs: readonly SourceDocument[];
  readonly host: Host;
  /** Whether the objects are everything that a cluster holds. */
  readonly complete: boolean;
  /** Undefined where it is not known. */
  readonly globalContext?: (need: GlobalContextNeed) => Fact | undefined;
  /** Exceptions that people approved for the object of an action. */
  readonly excuses?: ((action: Action) => Excuse | undefined) | undefined;
  readonly onChange: (change: PostureChange) => void;
  /** Told of objects that are new, changed or gone, before they are judged. */
  readonly onObjects: (objects: Iterable<KubernetesObject>) => void;
  readonly onTrouble: (error: Error) => void;
}

/** What a round of checks found new, and what is gone. */
export interface PostureChange {
  readonly opened: readonly Finding[];
  readonly closed: readonly Finding[];
}

interface PolicySets {
  readonly revision: number;
  readonly resources: ApiResources;
  readonly all: PolicySet;
  /** Those that judge the pods of custom kinds, too. */
  readonly own: PolicySet;
  /** Those that somebody applied. */
  readonly applied: readonly CompiledPolicy[];
}

/** Objects judged in one go before others get their turn. */
const sliceSize = 20;
/** Analyses of the whole wait so long after a change, so that many changes are one. */
const analysisPauseMilliseconds = 1000;
/** Analyses of the whole take no more than one of so many parts of the time, however many changes come. */
const analysisShare = 10;
const wholeChecks: ReadonlySet<ScanCheck> = new Set(["resources", "rbac", "network"]);
const objectChecks: ReadonlySet<ScanCheck> = new Set(["resources", "metrics"]);
const whole = "*";
const definitionKind = "CustomResourceDefinition";

/**
 * What is wrong with the objects of a cluster or of files, kept up to date: of a changed object only that object is
 * judged again, of a changed policy everything.
 */
export class Posture {
  readonly #options: PostureOptions;
  readonly #objects = new Map<string, ObjectDocument>();
  readonly #findings = new Map<string, readonly Finding[]>();
  readonly #dirty = new Set<string>();
  readonly #keeper = new FindingKeeper();
  /** When the whole is analysed again; undefined: nothing has changed since. */
  #analyseAfter: number | undefined;
  #nextAnalysis = 0;
  #running: Promise<void> | undefined;
  /** Ends the wait for the next analysis. */
  #wake = () => {};
  #stopped = false;
  #sets: PolicySets | undefined;
  /** Of the policies that somebody applied. */
  readonly costs = new PolicyCosts();
  #facts: Facts | undefined;
  #definitions: readonly ObjectDocument[] | undefined;

  constructor(options: PostureOptions) {
    this.#options = options;
    options.policies.onRevision(() => this.lookAtAll());
  }

  get objects(): Iterable<ObjectDocument> {
    return this.#objects.values();
  }

  get size(): number {
    return this.#objects.size;
  }

  *findings(): Iterable<Finding> {
    for (const findings of this.#findings.values()) yield* findings;
  }

  /** The object that a finding is about; undefined where it is gone. */
  objectOf(finding: Finding): KubernetesObject | undefined {
    return this.#objects.get(keyOfRef(finding))?.value;
  }

  /** Of the object that a finding is about, as the API server counts; empty where there is none. */
  readonly versionOf = (finding: Finding): string => {
    const object = this.objectOf(finding);
    return object === undefined ? "" : versionOf(object);
  };

  /** Takes up objects that are new or changed, and drops those that are gone. */
  change(set: readonly ObjectDocument[], deleted: readonly KubernetesObject[] = []): void {
    for (const document of set) {
      const key = keyOf(document.value);
      this.#objects.set(key, document);
      this.#dirty.add(key);
      if (document.value.kind === "Namespace") this.#touchNamespace(nameOf(document.value));
      if (document.value.kind === definitionKind) this.#touchDefined(document.value);
    }
    for (const object of deleted) {
      if (object.kind === definitionKind) this.#touchDefined(object);
      this.#objects.delete(keyOf(object));
      this.#dirty.add(keyOf(object));
    }
    this.#facts = undefined;
    this.#options.onObjects([...set.map(({ value }) => value), ...deleted]);
    if (set.length + deleted.length > 0) this.#analyseAfter ??= this.#options.host.now() + analysisPauseMilliseconds;
    this.#work();
  }

  /** Something bears on every verdict: all objects are judged again. */
  lookAtAll(): void {
    for (const key of this.#objects.keys()) this.#dirty.add(key);
    this.#work();
  }

  /** Something beside the object bears on its verdict: it is judged again. */
  look(object: Pick<KubernetesObject, "apiVersion" | "kind"> & { readonly namespace: string; readonly name: string }): void {
    const { group } = parseApiVersion(object.apiVersion);
    const key = `${group}/${object.kind}/${object.namespace}/${object.name}`;
    if (this.#objects.has(key)) this.#dirty.add(key);
    this.#work();
  }

  /** Resolves when everything that is known has been judged, and analysed without a pause. */
  async settled(): Promise<void> {
    if (this.#analyseAfter !== undefined) this.#analyseAfter = 0;
    this.#wake();
    while (this.#running !== undefined) await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.settled();
  }

  namespaceLabels(name: string): Labels | undefined {
    const namespace = this.#objects.get(`/Namespace//${name}`);
    return namespace === undefined ? undefined : labelsOf(namespace.value);
  }

  #touchNamespace(name: string): void {
    for (const [key, { value }] of this.#objects) if (namespaceOf(value) === name) this.#dirty.add(key);
  }

  /** Objects of a kind are judged by its schema. */
  #touchDefined({ spec }: KubernetesObject): void {
    this.#definitions = undefined;
    const prefix = `${asString(member(spec, "group"))}/${asString(member(member(spec, "names"), "kind"))}/`;
    for (const key of this.#objects.keys()) if (key.startsWith(prefix)) this.#dirty.add(key);
  }

  #allDefinitions(): readonly ObjectDocument[] {
    this.#definitions ??= [...this.#objects.values()].filter(({ value }) => value.kind === definitionKind);
    return this.#definitions;
  }

  #work(): void {
    this.#wake();
    this.#running ??= this.#run()
      .catch(this.#options.onTrouble)
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #run(): Promise<void> {
    await new Promise(setImmediate);
    while (!this.#stopped && (this.#dirty.size > 0 || this.#analyseAfter !== undefined)) {
      if (this.#dirty.size > 0) await this.#judge();
      else await this.#analyseWhenDue();
      await new Promise(setImmediate);
    }
  }

  async #judge(): Promise<void> {
    const keys = [...this.#dirty].slice(0, sliceSize);
    for (const key of keys) this.#dirty.delete(key);
    const documents = keys.flatMap((key) => this.#objects.get(key) ?? []);
    const found = new Map<string, Finding[]>(keys.map((key) => [key, []]));
    for (const finding of [...this.#policyFindings(documents), ...(await this.#scan(documents, objectChecks, "alone"))]) {
      found.get(keyOfRef(finding))?.push(finding);
    }
    this.#replace(new Map([...found].map(([key, findings]) => [key, findings.map(this.#keeper.keep)])));
  }

  #policyFindings(documents: readonly ObjectDocument[]): readonly Finding[] {
    const { catalogue, host } = this.#options;
    const { resources, all, own, applied } = this.#policySets();
    this.#facts ??= this.#allFacts();
    const request = {
      resources,
      facts: this.#facts,
      host,
      passes: false,
      namespaceLabels: (name: string) => this.namespaceLabels(name),
      excuses: this.#options.excuses,
      tell: tellAtOnce,
    };
    const workloads = { catalogue, policies: own };
    const { findings } = scanObjects({ ...request, objects: documents, policies: all, workloads });
    this.costs.sample(applied, documents, (policies, object) =>
      scanObjects({ ...request, objects: [object], policies, workloads: undefined }),
    );
    return findings;
  }

  #allFacts(): Facts {
    const { catalogue, defaultRbac, complete } = this.#options;
    const documents = [...this.#objects.values()];
    // Who may do what is asked by few policies.
    const access = documents.some(({ value }) => groupOf(value) === "rbac.authorization.k8s.io")
      ? once(() => rbacWorld({ documents, namespace: "default", complete, defaults: defaultRbac, catalogue }).index)
      : undefined;
    const objects = documents.map((d) => d.value);
    const scanned = scannedFacts({ objects, resources: this.#options.resources(), complete, access });
    return {
      get: (need) => (need.kind === "global-context" ? this.#options.globalContext?.(need) : undefined) ?? scanned.get(need),
    };
  }

  /** Compiled once for what is in force and what is served. */
  #policySets(): PolicySets {
    const { policies, packs, catalogue } = this.#options;
    const resources = this.#options.resources();
    const revision = policies.current.number;
    if (this.#sets?.revision !== revision || this.#sets.resources !== resources) {
      const live = policies.current.policies.filter((policy) => policy.background);
      // Who applies a policy of the packs has it once.
      const applied = new Set(live.map((policy) => policyName(policy.id)));
      const packed = packPolicies(packs, { resources, exceptions: [] });
      const own = packed.filter((policy) => !applied.has(policyName(policy.id)));
      const all = new PolicySet([...podSecurityPolicies({ catalogue }), ...own, ...live]);
      this.#sets = { revision, resources, all, own: new PolicySet(own), applied: live };
    }
    return this.#sets;
  }

  async #analyseWhenDue(): Promise<void> {
    const { now } = this.#options.host;
    const due = this.#analyseAfter === 0 ? 0 : Math.max(this.#analyseAfter ?? 0, this.#nextAnalysis);
    const wait = due - now();
    if (wait > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      return;
    }
    this.#analyseAfter = undefined;
    const start = now();
    const findings = await this.#scan([...this.#objects.values()], wholeChecks, "together");
    this.#replace(new Map([[whole, findings.map(this.#keeper.keep)]]));
    this.#nextAnalysis = now() + (now() - start) * analysisShare;
  }

  async #scan(documents: readonly ObjectDocument[], checks: ReadonlySet<ScanCheck>, part: LintPart): Promise<readonly Finding[]> {
    const { schemas, catalogue, defaultRbac, host, complete } = this.#options;
    const { findings } = await scan({
      documents,
      policies: undefined,
      besideBuiltIn: true,
      linted: { part, definitions: this.#allDefinitions() },
      packs: () => [],
      exceptions: [],
      checks,
      namespace: "default",
      complete,
      workloads: "autogen",
      schemas,
      discovered: this.#options.resources(),
      catalogue: () => catalogue,
      components: this.#options.components,
      defaultRbac: () => defaultRbac,
      host,
      passes: false,
    });
    return findings;
  }

  #replace(found: ReadonlyMap<string, readonly Finding[]>): void {
    const opened: Finding[] = [];
    const closed: Finding[] = [];
    for (const [key, findings] of found) {
      const before = new Map((this.#findings.get(key) ?? []).map((finding) => [finding.id, finding]));
      for (const finding of findings) if (!before.delete(finding.id)) opened.push(finding);
      closed.push(...before.values());
      if (findings.length === 0) this.#findings.delete(key);
      else this.#findings.set(key, findings);
    }
    if (opened.length + closed.length > 0) this.#options.onChange({ opened, closed });
  }
}

function keyOf(object: KubernetesObject): string {
  return `${parseApiVersion(object.apiVersion).group}/${object.kind}/${namespaceOf(object)}/${nameOf(object)}`;
}

function keyOfRef({ resource }: Finding): string {
  return `${resource.group}/${resource.kind}/${resource.namespace}/${resource.name}`;
}
