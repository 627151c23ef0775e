import { setTimeout as delay } from "node:timers/promises";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Finding } from "../../core/finding.ts";
import type { Instant } from "../../core/host.ts";
import type { PostureChange } from "./posture.ts";

/** Between two attempts to write what the ledger refused, in milliseconds. */
const pauses = [100, 500, 2000, 10_000] as const;
/** Records in one call of the ledger, which takes no more at a time than it may hold. */
const atOnce = 1000;

/** Writes records in order, and tries again until the ledger has them: a ledger that is busy or away loses none. */
export class FindingRecorder {
  readonly #ledger: Pick<Ledger, "append">;
  readonly #onTrouble: (error: unknown) => void;
  readonly #stop = new AbortController();
  readonly #waiting: NewRecord[] = [];
  #running: Promise<void> | undefined;

  constructor(ledger: Pick<Ledger, "append">, onTrouble: (error: unknown) => void) {
    this.#ledger = ledger;
    this.#onTrouble = onTrouble;
  }

  take(records: readonly NewRecord[]): void {
    for (const record of records) this.#waiting.push(record);
    if (this.#waiting.length > 0) this.#running ??= this.#write();
  }

  /** Resolves when everything is written, or was tried once more in vain. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #write(): Promise<void> {
    for (let failures = 0; this.#waiting.length > 0; ) {
      const records = this.#waiting.slice(0, atOnce);
      try {
        await this.#ledger.append(records);
        this.#waiting.splice(0, records.length);
        failures = 0;
      } catch (error) {
        if (failures === 0) this.#onTrouble(error);
        if (this.#stop.signal.aborted) break;
        const pause = pauses[Math.min(failures++, pauses.length - 1)];
        await delay(pause, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
    this.#running = undefined;
  }
}

/**
 * The records that a change of the posture leaves: failures that are new, and those that are gone. At the first look after a
 * start everything is new: `versionOf` then answers the version of a finding's object, and who looks at it again after
 * another start tells nothing twice.
 */
export function findingRecords(
  { opened, closed }: PostureChange,
  cluster: string,
  at: Instant,
  versionOf?: (finding: Finding) => string,
): readonly NewRecord[] {
  const failures = (findings: readonly Finding[]) => findings.filter((finding) => finding.status === "fail");
  return [
    ...failures(opened).map((f) => recordOf("finding.opened", f, cluster, at, versionOf?.(f) ?? String(at))),
    ...failures(closed).map((f) => recordOf("finding.closed", f, cluster, at, String(at))),
  ];
}

function recordOf(
  kind: "finding.opened" | "finding.closed",
  finding: Finding,
  cluster: string,
  at: Instant,
  when: string,
): NewRecord {
  const { resource, check } = finding;
  return {
    kind,
    at,
    cluster,
    group: resource.group,
    resource: resource.kind,
    namespace: resource.namespace === "" ? undefined : resource.namespace,
    name: resource.name,
    outcome: finding.status,
    // Written again where nobody knows whether it was: then it is kept once.
    key: `${cluster}/${kind}/${finding.id}/${when}`,
    data: { id: finding.id, policy: check.policy, rule: check.rule, severity: finding.severity, message: finding.message },
  };
}
