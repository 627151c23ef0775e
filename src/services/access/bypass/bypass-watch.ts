import { hash } from "node:crypto";
import type { Ledger } from "../../../adapters/store/ledger.ts";
import { queryLedger } from "../../../adapters/store/ledger-reading.ts";
import type { Store } from "../../../adapters/store/store.ts";
import type { LedgerRecordRow } from "../../../adapters/store/tables.ts";
import type { Finding } from "../../../core/finding.ts";
import type { Instant } from "../../../core/host.ts";
import { asString, isArray, type JsonValue, member } from "../../../core/json.ts";
import { recordedFinding } from "../../live/finding-records.ts";
import { Repeated } from "../../repeated.ts";
import { type AuditedCall, BypassFinder } from "./find-bypass.ts";

export interface BypassWatchOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  /** The user name of the gateway's own account in a cluster; undefined where there is no gateway to it. */
  readonly gatewayUser: (cluster: string) => string | undefined;
  readonly now: () => Instant;
  readonly onChange: () => void;
  readonly onTrouble: (error: unknown) => void;
}

const pauseMilliseconds = 5_000;
const pageSize = 1000;
const keptMilliseconds = 7 * 86_400_000;
/** Calls of the time before are known, so that none is taken for a bypass at the start. */
const learnMilliseconds = 600_000;

/** Keeps comparing the clusters' audit events with the gateway's records of all replicas; what went around it is a finding for a week. */
export class BypassWatch {
  readonly #options: BypassWatchOptions;
  readonly #finder: BypassFinder;
  /** By rule, cluster and caller: one finding tells of many calls, by the latest. */
  readonly #found = new Map<string, { readonly at: Instant; readonly cluster: string; readonly finding: Finding }>();
  readonly #since: Instant;
  readonly #rounds = new Repeated(() => this.round().catch(this.#options.onTrouble), pauseMilliseconds);
  #next = 0;

  constructor(options: BypassWatchOptions) {
    this.#options = options;
    this.#finder = new BypassFinder(options.gatewayUser);
    this.#since = options.now() - learnMilliseconds;
  }

  /** By the cluster in which it was. */
  findings(): ReadonlyMap<string, readonly Finding[]> {
    const found = Map.groupBy(this.#found.values(), ({ cluster }) => cluster);
    return new Map([...found].map(([cluster, calls]) => [cluster, calls.map(({ finding }) => finding)]));
  }

  start(): void {
    void this.#rounds.startNow();
  }

  stop(): Promise<void> {
    return this.#rounds.close();
  }

  /** One look at what is new. */
  async round(): Promise<void> {
    const { store, ledger, now, onChange } = this.#options;
    for (;;) {
      const filter = { kinds: ["audit.event", "access.call"], since: this.#since };
      const rows = await queryLedger(store.reading, filter, { limit: pageSize, from: this.#next });
      for (const row of rows) this.#take(row);
      const last = rows.at(-1);
      if (last === undefined) break;
      this.#next = last.seq + 1;
    }
    const at = now();
    for (const [key, known] of this.#found) if (known.at < at - keptMilliseconds) this.#found.delete(key);
    const records = this.#finder.settle(at).flatMap(({ call, finding }) => {
      const key = `${finding.check.rule}/${call.cluster}/${call.caller}`;
      const isNew = !this.#found.has(key);
      this.#found.set(key, { at: call.at, cluster: call.cluster, finding });
      return isNew ? [recordOf(call, finding)] : [];
    });
    if (records.length === 0) return;
    onChange();
    await ledger.append(records);
  }

  #take(row: LedgerRecordRow): void {
    const body: JsonValue = JSON.parse(row.body);
    const data = member(body, "data");
    const auditId = asString(member(data, "auditID"));
    if (auditId === undefined) return;
    if (row.kind === "access.call") this.#finder.forwarded(row.cluster, auditId, row.at);
    else if (member(data, "stage") !== "RequestReceived") this.#finder.audited(auditedCall(row, data, auditId));
  }
}

function auditedCall(row: LedgerRecordRow, data: JsonValue | undefined, auditId: string): AuditedCall {
  const sources = member(data, "sourceIPs");
  return {
    auditId,
    received: asString(member(data, "requestReceivedTimestamp")) ?? "",
    at: row.at,
    cluster: row.cluster,
    caller: asString(member(member(data, "user"), "username")) ?? "",
    impersonated: asString(member(member(data, "impersonatedUser"), "username")),
    verb: row.verb ?? "",
    resource: row.resource ?? "",
    namespace: row.namespace ?? "",
    name: row.name ?? "",
    sources: isArray(sources) ? sources.filter((source) => typeof source === "string") : [],
    userAgent: asString(member(data, "userAgent")) ?? "",
  };
}

/** The key names the call that shows it: another replica tells it no second time. A digest, as audit IDs have any length. */
function recordOf({ at, cluster, auditId, received }: AuditedCall, finding: Finding) {
  const { id, resource, status } = finding;
  return {
    kind: "finding.opened",
    at,
    cluster,
    group: resource.group,
    resource: resource.kind,
    name: resource.name,
    outcome: status,
    key: `${cluster}/bypass/${id}/${hash("sha256", JSON.stringify([auditId, received]), "base64url")}`,
    data: { findings: [recordedFinding(finding)] },
  } as const;
}
