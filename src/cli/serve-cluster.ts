import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { ApiError, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import type { ClusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import type { OutsideCalls } from "../adapters/outside-calls.ts";
import type { Registries } from "../adapters/registry/registries.ts";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import { isRbacObject } from "../analysis/rbac/objects.ts";
import type { DefaultRbac } from "../analysis/rbac/world.ts";
import { EventWriter } from "../controllers/event-writer.ts";
import { ReportWriter } from "../controllers/report-writer.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Finding } from "../core/finding.ts";
import type { Instant } from "../core/host.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import type { Labels } from "../core/label-selector.ts";
import type { KubernetesSchemas } from "../core/schema.ts";
import type { SourceDocument } from "../core/source.ts";
import type { WorkloadCatalogue } from "../core/workload/catalogue.ts";
import { policyName } from "../engine/index.ts";
import { networkHtml } from "../report/network-html.ts";
import type { MeasuredCluster, TroubleSource } from "../server/metrics/metrics.ts";
import { AdmissionApprovals } from "../services/access/admission-approvals.ts";
import { LiveExceptions } from "../services/access/live-exceptions.ts";
import { ClusterFacts } from "../services/admission/cluster-facts.ts";
import type { PolicyResultCounts } from "../services/admission/policy-result-counts.ts";
import type { ClusterView } from "../services/console/cluster-view.ts";
import { networkView } from "../services/console/network-view.ts";
import { policyRows } from "../services/console/policy-view.ts";
import { RightsView } from "../services/console/rights-view.ts";
import type { ActedCluster } from "../services/downstream/acted-cluster.ts";
import { Deletions } from "../services/downstream/deletions.ts";
import { DownstreamWriter } from "../services/downstream/downstream-writer.ts";
import { Downstreams } from "../services/downstream/downstreams.ts";
import { RuleJudge } from "../services/downstream/judge.ts";
import { recordWrites } from "../services/downstream/write-record.ts";
import { ClusterReach, type Unreached } from "../services/live/cluster-reach.ts";
import { ClusterWriter } from "../services/live/cluster-writer.ts";
import { FindingRecorder, findingNotes } from "../services/live/finding-records.ts";
import { GlobalContext } from "../services/live/global-context.ts";
import { GovernedCluster } from "../services/live/governed-cluster.ts";
import { Leadership } from "../services/live/leadership.ts";
import { LiveFlows } from "../services/live/live-flows.ts";
import { LiveObjects } from "../services/live/live-objects.ts";
import { LivePolicies } from "../services/live/live-policies.ts";
import { Posture } from "../services/live/posture.ts";
import { PolicyModes } from "../services/rollout/policy-modes.ts";
import { Rollout } from "../services/rollout/rollout.ts";
import { type ObjectDocument, scannedObjects } from "../services/scanned-objects.ts";
import type { CommandContext } from "./command.ts";
import { builtInComponents } from "./components.ts";
import { nodeHost } from "./node-host.ts";
import { writeDiagnostics } from "./run-audit-text.ts";
import type { ServedAccess } from "./serve-access.ts";
import type { ServingWebhook } from "./serve-webhook.ts";

/** What all clusters of a server have in common. */
export interface ClusterParts {
  readonly context: CommandContext;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly schemas: KubernetesSchemas;
  readonly catalogue: WorkloadCatalogue;
  readonly defaultRbac: DefaultRbac;
  readonly packs: readonly SourceDocument[];
  /** Policies from files, in force in every cluster. */
  readonly policies: readonly SourceDocument[];
  readonly results: PolicyResultCounts;
  /** Makes the calls of policies that leave the cluster. */
  readonly outside: OutsideCalls;
  /** Answers what policies ask about images. */
  readonly registries: Registries;
  /** Whether new findings are told by Events in the cluster. */
  readonly writesEvents: boolean;
  readonly access: Pick<ServedAccess, "live" | "desk" | "grantKey" | "documents">;
  /** By which address people reach the console; undefined until it listens. */
  readonly consoleUrl: () => string | undefined;
  /** Findings or policies have changed. */
  readonly tell: () => void;
  readonly troubleOf: (part: TroubleSource) => (error: unknown) => void;
  readonly say: (text: string) => void;
}

type LiveSource = ClusterSource & { readonly type: "live" };

/** Where a cluster's objects come from. */
export type ClusterSource =
  | {
      readonly type: "files";
      readonly name: string;
      readonly documents: readonly SourceDocument[];
      readonly resources: ApiResources;
    }
  | {
      readonly type: "live";
      readonly name: string;
      readonly client: KubernetesClient;
      /** Of a registered cluster; else its context says it. */
      readonly access?: ClusterAccess;
      /** Of a registered cluster's token; undefined: not known. */
      readonly tokenEnds?: () => Instant | undefined;
      /** Under which path its API server calls, and whether by URL in any case; undefined: nothing is judged at admission. */
      readonly webhook: { readonly serving: ServingWebhook; readonly path: string; readonly byUrl?: boolean } | undefined;
      /** Where replicas agree on who writes reports; undefined: there is only this one. */
      readonly leaseNamespace: string | undefined;
      /** Whether our webhooks are taken out when we stop: nobody else answers them. */
      readonly unregister: boolean;
    };

const modesMilliseconds = 3000;
/** Objects change all the time; that pages are to look again, though nothing was found, is told no more often. */
const objectsMilliseconds = 2000;

/** One cluster, or a set of files, under our policies: what is in it, what is wrong with it, and how to change that. */
export class ServedCluster implements ClusterView, MeasuredCluster {
  readonly #source: ClusterSource;
  readonly #parts: ClusterParts;
  readonly #live: LivePolicies;
  readonly #posture: Posture;
  readonly #records: FindingRecorder;
  readonly #modes: PolicyModes;
  readonly rollout: Rollout;
  readonly rights: RightsView;
  readonly #flows: LiveFlows;
  #governed: GovernedCluster | undefined;
  #reports: ReportWriter | undefined;
  #events: EventWriter | undefined;
  #leadership: Leadership | undefined;
  #exceptions: LiveExceptions | undefined;
  #entries: GlobalContext | undefined;
  #isSettled = false;
  #modesRefresh: NodeJS.Timeout | undefined;
  #objectsTold: NodeJS.Timeout | undefined;
  readonly #reach: ClusterReach | undefined;
  /** The attempts to begin, where the first one failed. */
  #beginning: Promise<void> | undefined;
  /** What ends that which was begun; the cluster may be one that is not reached. */
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(source: ClusterSource, parts: ClusterParts) {
    const { context, store, ledger, schemas, catalogue, defaultRbac, packs, results, tell, troubleOf } = parts;
    const { now } = context.io;
    this.#source = source;
    this.#parts = parts;
    if (source.type === "live")
      this.#reach = new ClusterReach({ client: source.client, now, onChange: (unreached) => this.#tellReach(unreached) });
    const complete = source.type === "live";
    const resources = () => this.resources;
    const host = nodeHost(context.io);
    this.#live =
      source.type === "files"
        ? new LivePolicies(source.resources)
        : new LivePolicies(schemas.resources(), source.webhook?.serving.timeoutSeconds);
    this.#live.onRevision(({ diagnostics }) => {
      writeDiagnostics(
        diagnostics.filter(({ severity }) => severity === "error"),
        context,
      );
      tell();
    });
    this.#records = new FindingRecorder(ledger, source.name, troubleOf("ledger"));
    this.#posture = new Posture({
      policies: this.#live,
      resources,
      schemas,
      catalogue,
      defaultRbac,
      components: builtInComponents,
      packs,
      host,
      complete,
      globalContext: (need) => this.#entries?.get(need),
      excuses: (action) => this.#exceptions?.excuseFor(action),
      onChange: (change) => {
        this.rights.changed();
        this.#flows.changed();
        this.#reports?.changed([...change.opened, ...change.closed]);
        tell();
        results.takeFindings(change.opened);
        // Of several replicas, which all see this, one tells it.
        const versionOf = this.#isSettled ? undefined : this.#posture.versionOf;
        if (this.#isSettled && this.#leads()) this.#events?.take(change.opened.filter(this.#isApplied));
        if (this.#leads()) this.#records.take(findingNotes(change, now(), versionOf));
      },
      onObjects: (objects) => this.#tellObjects(objects),
      onTrouble: troubleOf("other"),
    });
    this.rights = new RightsView(
      () => ({ documents: [...this.#posture.objects], namespace: "default", complete, defaults: defaultRbac, catalogue }),
      resources,
    );
    this.#flows = new LiveFlows({ catalogue, complete, documents: () => this.#posture.objects, now, onChange: tell });
    this.#live.setSource("files", parts.policies);
    this.#live.setSource("access", parts.access.documents);
    this.#modes = new PolicyModes({
      store,
      ledger,
      cluster: source.name,
      now,
      onChange: (changed) => this.#live.setModes(changed),
    });
    this.rollout = new Rollout({
      policies: this.#live,
      posture: this.#posture,
      modes: this.#modes,
      store,
      cluster: source.name,
      resources,
      host,
      complete,
    });
  }

  get name(): string {
    return this.#source.name;
  }

  readonly unreached = () => this.#reach?.unreached;
  readonly tokenEnds = () => (this.#source.type === "live" ? this.#source.tokenEnds?.() : undefined);
  readonly isKnown = () => this.#source.type === "files" || this.#isSettled;

  readonly webhooksHeld = () => this.#governed?.webhooksHeld;

  get resources(): ApiResources {
    return this.#source.type === "files"
      ? this.#source.resources
      : (this.#governed?.resources ?? this.#parts.schemas.resources());
  }

  readonly objects = (): number => this.#posture.size;
  readonly findings = () => this.#posture.findings();
  readonly objectOf: ClusterView["objectOf"] = (finding) => this.#posture.objectOf(finding);
  readonly policies = () =>
    policyRows(this.name, this.#live.current, {
      admitted: (policy) => this.#parts.results.atAdmission(this.name, policy),
      findings: this.#posture.findings(),
      costOf: (policy) => this.#posture.costs.costOf(policy),
    });
  readonly brokenPolicies = () => this.#live.current.broken;
  readonly policyCounts = () => {
    const { policies, broken } = this.#live.current;
    return { working: policies.length, broken: broken.length };
  };
  readonly flows = () => this.#flows.page();
  /** Those of files, in place of the ones before. */
  setPolicies(documents: readonly SourceDocument[]): void {
    this.#live.setSource("files", documents);
  }

  /** Guardrails and their schedules, of files, in place of the ones before. */
  setAccess(documents: readonly SourceDocument[]): void {
    this.#live.setSource("access", documents);
  }

  /** Everything that is under review. */
  get documents(): readonly ObjectDocument[] {
    return [...this.#posture.objects];
  }

  namespaceLabels(name: string): Labels | undefined {
    return this.#governed?.namespaceLabels(name) ?? this.#posture.namespaceLabels(name);
  }

  /** Takes lines of a flow log of this cluster. */
  takeFlows(lines: readonly string[]): void {
    writeDiagnostics(this.#flows.take(lines, `flows of ${this.name}`), this.#parts.context);
  }
  readonly networkPage = (): string =>
    networkHtml(
      networkView([...this.#posture.objects], this.#parts.catalogue, this.#source.type === "live", `Network of ${this.name}`),
    );

  /** Resolves when everything has been looked at once. Rejects with `ApiError` where that failed; it is then tried until we are stopped. */
  async start(): Promise<void> {
    const { troubleOf } = this.#parts;
    await this.#modes.refresh();
    // Another replica may promote a policy.
    this.#modesRefresh = setInterval(() => {
      this.#modes.refresh().catch(troubleOf("other"));
    }, modesMilliseconds);
    if (this.#source.type === "live") await this.#begin(this.#source);
    else this.#posture.change(scannedObjects(this.#source.documents, "default", this.#source.resources).objects);
    await this.#posture.settled();
  }

  async stop(): Promise<void> {
    clearInterval(this.#modesRefresh);
    await this.#reach?.stop();
    await this.#beginning;
    const mayUnregister = this.#isSettled && this.unreached() === undefined;
    const unregister = mayUnregister && this.#source.type === "live" && this.#source.unregister;
    await this.#end();
    // After all has stopped: a change of a policy on its way would register the webhooks again.
    if (unregister) await this.#governed?.unregister();
    await this.#posture.stop();
    clearTimeout(this.#objectsTold);
    await this.#records.stop();
  }

  async #begin(source: LiveSource): Promise<void> {
    try {
      await this.#govern(source);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#reach?.lost(error);
      const again = async () => {
        await this.#end();
        await this.#govern(source);
        const { working } = this.policyCounts();
        this.#parts.say(`castellan: governs ${this.name}: ${this.objects()} objects, ${working} policies`);
        this.#parts.tell();
      };
      this.#beginning = this.#reach?.until(again).catch(this.#parts.troubleOf("other"));
      throw error;
    }
  }

  async #end(): Promise<void> {
    for (const close of this.#closing.splice(0).toReversed()) await close();
  }

  #tellReach(unreached: Unreached | undefined): void {
    const { say, tell } = this.#parts;
    const known = this.#isSettled ? "what is shown of it grows old" : "nothing is known of it";
    if (unreached !== undefined) say(`castellan: ${this.name} is not reached: ${unreached.reason}; ${known}; tried again`);
    else say(`castellan: ${this.name} is reached again`);
    tell();
  }

  /** Who may do what, and who talks to whom, changes without any finding, too. */
  #tellObjects(objects: Iterable<KubernetesObject>): void {
    // What is asked next is answered by the rights of this moment; what else bears on them, as pods do, changes too often.
    if (Iterator.from(objects).some(isRbacObject)) this.rights.changed();
    this.#objectsTold ??= setTimeout(() => {
      this.#objectsTold = undefined;
      this.rights.changed();
      this.#flows.changed();
      this.#parts.tell();
    }, objectsMilliseconds);
  }

  /** Findings of policies that somebody applied, and not of what comes with us. */
  readonly #isApplied = ({ check }: Finding): boolean =>
    this.#live.current.policies.some(({ id }) => policyName(id) === check.policy);

  readonly #leads = (): boolean => this.#leadership?.leads ?? true;

  async #govern({ client, webhook, leaseNamespace }: LiveSource): Promise<void> {
    const { context, schemas, store, ledger, access, consoleUrl, troubleOf } = this.#parts;
    const { now } = context.io;
    const { live, desk, grantKey } = access;
    const exceptions = new LiveExceptions({
      desk,
      cluster: this.name,
      now,
      onObject: (object) => this.#posture.look(object),
      onTrouble: troubleOf("other"),
    });
    const rules = () => live.rules;
    const approvals = new AdmissionApprovals({
      cluster: this.name,
      store,
      key: grantKey,
      exceptions,
      rules,
      consoleUrl,
      now,
    });
    await exceptions.start();
    this.#exceptions = exceptions;
    this.#closing.push(async () => exceptions.stop());
    const resources = () => governed.resources;
    const policies = this.#live;
    const host = nodeHost(context.io);
    const writer = new DownstreamWriter(client, resources, recordWrites(ledger, this.name, now, troubleOf("ledger")));
    const { outside, registries } = this.#parts;
    const facts = () =>
      new ClusterFacts({ client, resources, now, outside, registries, globalContext: (need) => entries.get(need) });
    const judge = new RuleJudge(facts, resources, host);
    const isLoaded = () => governed.isLoaded && entries.isLoaded;
    const calling = { client, policies, governed: () => governed, isLoaded, approvals, facts: facts(), writer, judge };
    const attached = webhook?.serving.attach(calling, webhook.path, webhook.byUrl);
    // Where nobody answers, that is said once, and not by every watch.
    const onTrouble = (error: Error) => {
      if (this.unreached() !== undefined) return;
      const named = new Error(`${this.name}: ${error.message}`, { cause: error });
      void this.#reach?.look().then((reached) => reached && troubleOf("watch")(named));
    };
    const governed = new GovernedCluster({ client, now, policies, schemas, webhook: attached, onTrouble });
    this.#governed = governed;
    const posture = this.#posture;
    const entries = new GlobalContext({
      client,
      resources,
      calls: facts(),
      host,
      onChange: () => posture.lookAtAll(),
      onTrouble,
    });
    this.#entries = entries;
    const acted: ActedCluster = {
      cluster: this.name,
      writer,
      judge,
      policies,
      resources,
      host,
      namespaceLabels: (namespace) => this.namespaceLabels(namespace),
      *objects() {
        for (const { value } of posture.objects) yield value;
      },
      // Who looks at a cluster without deciding there, or beside somebody who does, changes nothing in it.
      leads: () => attached !== undefined && governed.webhooksHeld === undefined && this.#leads(),
      onTrouble: troubleOf("other"),
    };
    const downstreams = new Downstreams(acted);
    const deletions = new Deletions(acted);
    const objects = new LiveObjects(client, posture, (changes) => downstreams.take(changes), onTrouble);
    const clusterWriter = new ClusterWriter(client, resources);
    const events = new EventWriter({
      writer: clusterWriter,
      objectOf: (finding) => posture.objectOf(finding),
      instance: hostname(),
      now,
      onTrouble: troubleOf("reports"),
    });
    if (this.#parts.writesEvents) this.#events = events;
    const reports = new ReportWriter({
      writer: clusterWriter,
      findings: () => this.#posture.findings(),
      tool: { name: "castellan", version: context.version },
      now,
      onTrouble: troubleOf("reports"),
    });
    this.#closing.push(async () => {
      this.#entries = undefined;
      this.#events = undefined;
      const following = [governed, entries, objects, reports, events, downstreams, deletions];
      await Promise.all(following.map((one) => one.stop()));
    });
    const lead = async () => {
      downstreams.start();
      deletions.start();
      await reports.start();
      this.#reports = reports;
    };
    if (leaseNamespace !== undefined) {
      const leadership = new Leadership({
        client,
        namespace: leaseNamespace,
        name: "castellan",
        identity: `${hostname()}_${randomUUID()}`,
        ticks: () => performance.now(),
        now,
        onChange: (leads) => {
          if (!leads) this.#reports = undefined;
          else if (this.#isSettled) lead().catch(troubleOf("reports"));
        },
        onTrouble: troubleOf("other"),
      });
      this.#leadership = leadership;
      this.#closing.push(() => leadership.stop());
      await leadership.start();
    }
    await governed.start();
    governed.onResources((served) => entries.follow(served));
    governed.onResources((served) => objects.follow(served));
    await entries.follow(governed.resources);
    await objects.follow(governed.resources);
    // What it did not answer while it went away is not what it does not hold.
    if ((await this.#reach?.look()) === false) throw new ApiError(0, "", this.unreached()?.reason ?? "");
    await this.#posture.settled();
    this.#isSettled = true;
    if (this.#leads()) await lead().catch(troubleOf("reports"));
    const followed = await live.followCluster(client, governed.resources);
    governed.onResources((served) => followed.follow(served));
    governed.onResources(async () => this.#reports?.changed([]));
    this.#reach?.watch();
  }
}
