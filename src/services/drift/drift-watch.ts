import { describeSkipped } from "../../adapters/files/loaded-paths.ts";
import { type LoadedState, WatchedPaths } from "../../adapters/files/watched-paths.ts";
import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { discover } from "../../adapters/kubernetes/discovery.ts";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Store } from "../../adapters/store/store.ts";
import { apiResources } from "../../core/api-resources.ts";
import type { Finding } from "../../core/finding.ts";
import type { Instant } from "../../core/host.ts";
import { formatRef, isKubernetesObject, type KubernetesObject, uidOf, versionOf } from "../../core/kubernetes.ts";
import { recordedFinding } from "../live/finding-records.ts";
import { Repeated } from "../repeated.ts";
import type { DriftProblem } from "./declared.ts";
import { driftEvidence, driftFinding } from "./drift-finding.ts";
import { type Drift, findDrift, RememberedComparisons } from "./find-drift.ts";
import { type LastChange, lastChange } from "./last-change.ts";

export interface DriftWatchOptions {
  /** As the ledger names it. */
  readonly cluster: string;
  readonly client: KubernetesClient;
  /** Files, directories, Git checkouts: followed as they change. */
  readonly paths: readonly string[];
  /** Where objects that name no namespace are. */
  readonly namespace: string;
  /** The roles and bindings that the API server makes at its start. */
  readonly defaults: readonly KubernetesObject[];
  readonly store: Pick<Store, "reading">;
  readonly ledger: Pick<Ledger, "append">;
  readonly now: () => Instant;
  readonly onChange: () => void;
  readonly onTrouble: (error: unknown) => void;
}

const pauseMilliseconds = 15_000;
/** API servers send audit events in batches. */
const lateMilliseconds = 300_000;

/** What is known of one drift. */
interface Known {
  readonly drift: Drift;
  readonly by: LastChange | undefined;
  readonly finding: Finding;
  /** Tells this drift of the object from the next. */
  readonly state: string;
  /** When it was first seen in this state. */
  readonly since: Instant;
}

/** Keeps comparing a cluster with what was declared for it: what differs is a finding while it does, and a record for good. */
export class DriftWatch {
  readonly #options: DriftWatchOptions;
  readonly #paths: WatchedPaths;
  readonly #remembered = new RememberedComparisons();
  /** By the finding's id. */
  #known: ReadonlyMap<string, Known> = new Map();
  #desired: readonly KubernetesObject[] = [];
  #commit: string | undefined;
  #told: ReadonlySet<string> = new Set();
  readonly #looks = new Repeated(() => this.#look(), pauseMilliseconds);

  constructor(options: DriftWatchOptions) {
    this.#options = options;
    const { paths, onTrouble } = options;
    this.#paths = new WatchedPaths(paths, { onChange: (state) => this.#take(state), onTrouble });
  }

  /** By the cluster in which it is. */
  findings(): readonly [cluster: string, findings: readonly Finding[]] {
    return [this.#options.cluster, [...this.#known.values()].map(({ finding }) => finding)];
  }

  /** Reads what is declared; looks at once, and again and again. */
  async start(): Promise<void> {
    this.#take(await this.#paths.start(this.#options.paths));
    void this.#looks.startNow();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#paths.stop(), this.#looks.close()]);
  }

  /** What cannot all be read replaces nothing: all that is not in it would be undeclared. */
  #take({ documents, diagnostics, skipped, commit }: LoadedState): void {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length > 0) {
      const why = errors.map(({ message }) => message).join("; ");
      this.#options.onTrouble(new Error(`what is declared for ${this.#options.cluster} cannot all be read: ${why}`));
      return;
    }
    for (const line of describeSkipped(skipped))
      this.#options.onTrouble(new Error(`of what is declared for ${this.#options.cluster}, ${line}`));
    this.#desired = documents.map(({ value }) => value).filter(isKubernetesObject);
    this.#commit = commit;
  }

  async #look(): Promise<void> {
    try {
      await this.#round();
    } catch (error) {
      // That a cluster is not reached is told elsewhere; what is known of it stays.
      if (!(error instanceof ApiError && error.status === 0)) this.#options.onTrouble(error);
    }
  }

  async #round(): Promise<void> {
    const { client, namespace, defaults, cluster, ledger, onChange, onTrouble } = this.#options;
    const resources = apiResources((await discover(client)).resources);
    const question = { resources, desired: this.#desired, namespace, defaults };
    const { drifts, problems } = await findDrift(client, question, this.#remembered);
    const texts = problems.map(({ resource, message }) => `${formatRef(resource)} of ${cluster} cannot be compared: ${message}`);
    for (const text of texts) if (!this.#told.has(text)) onTrouble(new Error(text));
    this.#told = new Set(texts);
    const found: Known[] = [];
    for (const drift of drifts) found.push(await this.#knownOf(drift));
    const before = this.#known;
    const now = new Map(found.map((known) => [known.finding.id, known]));
    // What nobody could look at is not over.
    for (const [id, known] of before) if (!now.has(id) && isAmong(problems, known.drift)) now.set(id, known);
    this.#known = now;
    const opened = [...this.#known].filter(([id]) => !before.has(id)).map(([, known]) => known);
    const closed = [...before].filter(([id]) => !this.#known.has(id)).map(([, known]) => known);
    const isSame = ([id, { finding }]: readonly [string, Known]) => before.get(id)?.finding.message === finding.message;
    if (opened.length + closed.length > 0 || ![...this.#known].every(isSame)) onChange();
    const records = [
      ...opened.map((known) => this.#recordOf("drift.detected", known)),
      ...closed.map((known) => this.#recordOf("drift.healed", known)),
    ];
    if (records.length > 0) await ledger.append(records);
  }

  /** The ledger is asked while the audit event of a change may still come, and no longer: it may be long. */
  async #knownOf(drift: Drift): Promise<Known> {
    const { cluster, store, paths, now } = this.#options;
    const state = drift.type === "missing" ? "missing" : `${uidOf(drift.live)}/${versionOf(drift.live)}`;
    const before = this.#known.get(driftFinding(drift, undefined, paths).id);
    const since = before?.state === state ? before.since : now();
    const isOld = before?.state === state && (before.by !== undefined || now() - since > lateMilliseconds);
    const by = isOld ? before.by : await lastChange(store.reading, [cluster], drift);
    return { drift, by, state, since, finding: driftFinding(drift, by, paths) };
  }

  /** The key names the state of the object: of several replicas, and after a restart, it is told once. */
  #recordOf(kind: "drift.detected" | "drift.healed", { drift, by, finding, state, since }: Known): NewRecord {
    const { cluster, now } = this.#options;
    const { group, namespace, name } = drift.resource;
    // Of what is missing its last change, or the minute, is all that tells one time from another.
    const when = drift.type === "missing" ? (by?.at ?? Math.floor(since / 60_000)) : state;
    const commit = this.#commit === undefined ? {} : { commit: this.#commit };
    return {
      kind,
      at: now(),
      cluster,
      ...(kind === "drift.detected" && by !== undefined ? { actor: by.actor, verb: by.verb } : {}),
      group,
      resource: drift.served.resource,
      namespace: namespace === "" ? undefined : namespace,
      name,
      outcome: drift.type,
      key: `${cluster}/${kind}/${finding.id}/${when}`,
      data: { ...commit, ...driftEvidence(drift), finding: recordedFinding(finding) },
    };
  }
}

/** Whether one of the problems is about the object, or about all of its kind at its place. */
function isAmong(problems: readonly DriftProblem[], { resource: { group, kind, namespace, name } }: Drift): boolean {
  return problems.some(({ resource: one }) => {
    const isPlace = one.group === group && one.kind === kind && one.namespace === namespace;
    return isPlace && (one.name === name || one.name === "*");
  });
}
