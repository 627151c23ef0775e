import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { UnusualUse } from "../../analysis/audit/unusual.ts";
import type { Finding } from "../../core/finding.ts";
import type { Instant } from "../../core/host.ts";
import { recordedFinding } from "../live/finding-records.ts";
import { Repeated } from "../repeated.ts";
import { UnusualUseReader, usualLearning } from "./unusual-use.ts";

export interface UsageWatchOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly now: () => Instant;
  readonly onChange: () => void;
  readonly onTrouble: (error: unknown) => void;
}

const kept = 7 * 86_400_000;
const pauseMilliseconds = 5000;

/** Keeps looking at new audit events of all replicas; what is unusual is a finding for a week, and a record for good. */
export class UsageWatch {
  readonly #options: UsageWatchOptions;
  readonly #reader: UnusualUseReader;
  readonly #rounds = new Repeated(() => this.#round().catch(this.#options.onTrouble), pauseMilliseconds);

  constructor(options: UsageWatchOptions) {
    this.#options = options;
    this.#reader = new UnusualUseReader(options.store.reading, usualLearning, options.now() - kept);
  }

  /** By the cluster in which it was. */
  findings(): ReadonlyMap<string, readonly Finding[]> {
    return this.#reader.findings();
  }

  /** Learns from what the ledger holds, then follows it; returns at once. */
  start(): void {
    void this.#rounds.startNow();
  }

  stop(): Promise<void> {
    return this.#rounds.close();
  }

  async #round(): Promise<void> {
    const { ledger, now, onChange } = this.#options;
    this.#reader.keepFrom(now() - kept);
    const news = await this.#reader.read();
    if (news.length === 0) return;
    onChange();
    await ledger.append(news.map(recordOf));
  }
}

/** The key names the audit record that shows it: another replica, or this one started again, tells it no second time. */
function recordOf({ at, cluster, finding }: UnusualUse): NewRecord {
  const { resource, evidence } = finding;
  return {
    kind: "finding.opened",
    at,
    cluster,
    group: resource.group,
    resource: resource.kind,
    namespace: resource.namespace === "" ? undefined : resource.namespace,
    name: resource.name,
    outcome: finding.status,
    key: `${cluster}/usage/${finding.id}/${String(evidence?.["record"])}`,
    data: { findings: [recordedFinding(finding)] },
  };
}
