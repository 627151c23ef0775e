import { hash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { Finding } from "../../core/finding.ts";
import type { Instant } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";
import type { PostureChange } from "./posture.ts";

/** Between two attempts to write what the ledger refused, in milliseconds. */
const pauses = [100, 500, 2000, 10_000] as const;
/** Records in one call of the ledger, which takes no more at a time than it may hold. */
const atOnce = 1000;

/**
 * What is to be recorded of one object's findings, which share a record: most objects of a cluster that is looked at for the first time
 * have several. The record is made when it is written, as tens of thousands may wait.
 */
export interface FindingNote {
  readonly kind: "finding.opened" | "finding.closed";
  /** Of one object; not empty. */
  readonly findings: readonly [Finding, ...Finding[]];
  readonly at: Instant;
  /** Tells one opening, or closing, of the same findings from the next. */
  readonly when: string;
}

/** Writes records in order, and tries again until the ledger has them: a ledger that is busy or away loses none. */
export class FindingRecorder {
  readonly #ledger: Pick<Ledger, "append">;
  readonly #cluster: string;
  readonly #onTrouble: (error: unknown) => void;
  readonly #stop = new AbortController();
  #waiting: FindingNote[] = [];
  #running: Promise<void> | undefined;

  constructor(ledger: Pick<Ledger, "append">, cluster: string, onTrouble: (error: unknown) => void) {
    this.#ledger = ledger;
    this.#cluster = cluster;
    this.#onTrouble = onTrouble;
  }

  take(notes: readonly FindingNote[]): void {
    for (const note of notes) this.#waiting.push(note);
    if (this.#waiting.length > 0) this.#running ??= this.#write();
  }

  /** Resolves when everything is written, or was tried once more in vain. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #write(): Promise<void> {
    let isGivenUp = false;
    while (this.#waiting.length > 0 && !isGivenUp) {
      const notes = this.#waiting;
      this.#waiting = [];
      for (let from = 0; from < notes.length && !isGivenUp; from += atOnce) {
        const records = notes.slice(from, from + atOnce).map((note) => recordOf(note, this.#cluster));
        isGivenUp = !(await this.#append(records));
      }
    }
    this.#running = undefined;
  }

  /** Whether the ledger has them in the end. */
  async #append(records: readonly NewRecord[]): Promise<boolean> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#ledger.append(records);
        return true;
      } catch (error) {
        if (failures === 0) this.#onTrouble(error);
        if (this.#stop.signal.aborted) return false;
        const pause = pauses[Math.min(failures, pauses.length - 1)];
        await delay(pause, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }
}

/**
 * What a change of the posture leaves in the ledger: failures that are new, and those that are gone. At the first look after a
 * start everything is new: `versionOf` then answers the version of a finding's object, and who looks at it again by the same policies
 * after another start tells nothing twice.
 */
export function findingNotes(
  { opened, closed }: PostureChange,
  at: Instant,
  versionOf: (finding: Finding) => string = () => String(at),
): readonly FindingNote[] {
  return [...notesOf("finding.opened", opened, at, versionOf), ...notesOf("finding.closed", closed, at, () => String(at))];
}

function notesOf(
  kind: FindingNote["kind"],
  findings: readonly Finding[],
  at: Instant,
  versionOf: (finding: Finding) => string,
): readonly FindingNote[] {
  const notes = new Map<string, { readonly when: string; readonly findings: [Finding, ...Finding[]] }>();
  for (const finding of findings) {
    if (finding.status !== "fail") continue;
    const { group, kind: resource, namespace, name } = finding.resource;
    const object = `${group}/${resource}/${namespace}/${name}`;
    const known = notes.get(object);
    if (known === undefined) notes.set(object, { when: versionOf(finding), findings: [finding] });
    else known.findings.push(finding);
  }
  return [...notes.values()].map((note) => ({ kind, at, ...note }));
}

export function recordOf({ kind, findings, at, when }: FindingNote, cluster: string): NewRecord {
  const [{ resource, status }] = findings;
  const ids = findings.map(({ id }) => id).sort();
  return {
    kind,
    at,
    cluster,
    group: resource.group,
    resource: resource.kind,
    namespace: resource.namespace === "" ? undefined : resource.namespace,
    name: resource.name,
    outcome: status,
    // Written again where nobody knows whether it was: then it is kept once.
    key: `${cluster}/${kind}/${hash("sha256", ids.join("\n"))}/${when}`,
    data: { findings: findings.map(recordedFinding) },
  };
}

/** What the ledger keeps of a finding. */
export function recordedFinding({ id, check, severity, message }: Finding): JsonObject {
  return { id, policy: check.policy, rule: check.rule, severity, message };
}
