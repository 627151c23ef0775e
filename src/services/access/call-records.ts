import { appendFile, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import type { JsonValue } from "../../core/json.ts";
import { type RecordKind, recordKinds } from "../../ledger/record.ts";

export interface CallRecordsOptions {
  readonly ledger: Pick<Ledger, "append">;
  /** Where records wait while the database is down. */
  readonly directory: string;
  readonly trouble: (error: unknown) => void;
  /** Of the file in which they wait, bytes. */
  readonly spoolBytes?: number | undefined;
  /** How long records of reads gather before they are written, milliseconds: each time costs a transaction. */
  readonly gatherMilliseconds?: number | undefined;
  /** How long a write may wait for the disk before its call is refused, milliseconds. */
  readonly keepMilliseconds?: number | undefined;
}

const usualGatherMilliseconds = 1000;
const flushRecords = 500;
const mostPending = 20_000;
const usualSpoolBytes = 64 * 1024 * 1024;
const usualKeepMilliseconds = 5_000;
const retryMilliseconds = 2_000;
/** Of refusals of who has proven nothing, in a minute. */
const strangersMinutely = 600;
const minuteMilliseconds = 60_000;
const spoolName = "gateway-spool.jsonl";

/**
 * The gateway's records: those of writes, streams and grants are durable when `keep` resolves; those of reads follow in batches, and
 * wait in a bounded file while the database is down. Every record has a key, so that none is kept twice.
 */
export class CallRecords {
  readonly #options: CallRecordsOptions;
  readonly #spool: string;
  #pending: NewRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #spooled = 0;
  #retryAt = 0;
  #closed = false;
  #minute = Number.NEGATIVE_INFINITY;
  #strangers = 0;
  #unrecorded = 0;

  constructor(options: CallRecordsOptions) {
    this.#options = options;
    this.#spool = join(options.directory, spoolName);
  }

  /** Takes up what an earlier run left waiting. */
  async start(): Promise<void> {
    this.#spooled = await sizeOf(this.#spool);
    if (this.#spooled > 0) this.#schedule();
  }

  /** Whether records of reads can be taken; where not, reads are refused too. */
  get accepts(): boolean {
    return this.#pending.length < mostPending && this.#spooled < (this.#options.spoolBytes ?? usualSpoolBytes);
  }

  /** Bytes that wait for the database to come back. */
  get spooledBytes(): number {
    return this.#spooled;
  }

  /** Rejects where the record is not durable in time. */
  async keep(record: NewRecord): Promise<void> {
    const milliseconds = this.#options.keepMilliseconds ?? usualKeepMilliseconds;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the ledger did not answer within ${milliseconds} ms`)), milliseconds);
    });
    try {
      await Promise.race([this.#options.ledger.append([record]), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Kept soon. */
  note(record: NewRecord): void {
    this.#pending.push(record);
    if (this.#pending.length >= flushRecords) this.#flush();
    else this.#schedule();
  }

  /**
   * Of a refused call, kept soon. Anybody can have any number of calls refused: of who has proven nothing so many are kept in a minute, of
   * others as many as there is room for, and the next record says how many were not.
   */
  noteRefusal(record: NewRecord): void {
    const now = performance.now();
    if (now - this.#minute >= minuteMilliseconds) {
      this.#minute = now;
      this.#strangers = 0;
    }
    const isTooMany = record.actor === undefined && ++this.#strangers > strangersMinutely;
    if (isTooMany || !this.accepts) {
      this.#unrecorded++;
      return;
    }
    const unrecorded = this.#unrecorded;
    this.#unrecorded = 0;
    this.note(unrecorded === 0 ? record : { ...record, data: { ...record.data, refusalsNotRecorded: unrecorded } });
  }

  /** Writes what waits, to the ledger or to the file. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#flushing;
    await this.#write();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, this.#options.gatherMilliseconds ?? usualGatherMilliseconds);
  }

  #flush(): void {
    this.#flushing ??= this.#write()
      .catch(this.#options.trouble)
      .finally(() => {
        this.#flushing = undefined;
        if (!this.#closed && (this.#pending.length > 0 || this.#spooled > 0)) this.#schedule();
      });
  }

  async #write(): Promise<void> {
    const isDown = performance.now() < this.#retryAt;
    if (!isDown && this.#spooled > 0) await this.#replay();
    const records = this.#pending.splice(0);
    if (records.length === 0) return;
    if (this.#spooled > 0) return this.#keepInFile(records);
    try {
      await this.#options.ledger.append(records);
    } catch (error) {
      this.#options.trouble(error);
      this.#retryAt = performance.now() + retryMilliseconds;
      await this.#keepInFile(records);
    }
  }

  async #keepInFile(records: readonly NewRecord[]): Promise<void> {
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    await appendFile(this.#spool, text, { mode: 0o600, flush: true });
    this.#spooled += Buffer.byteLength(text);
  }

  /** What waits goes to the ledger in order; a part that it has already is not kept twice, by its keys. */
  async #replay(): Promise<void> {
    const lines = (await readFile(this.#spool, "utf8")).split("\n").filter((line) => line !== "");
    try {
      for (let i = 0; i < lines.length; i += flushRecords) {
        await this.#options.ledger.append(lines.slice(i, i + flushRecords).flatMap(recordOf));
      }
    } catch (error) {
      this.#options.trouble(error);
      this.#retryAt = performance.now() + retryMilliseconds;
      return;
    }
    await rename(this.#spool, `${this.#spool}.done`);
    await rm(`${this.#spool}.done`, { force: true });
    this.#spooled = 0;
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Nothing of a line that was cut off by a crash. */
function recordOf(line: string): readonly NewRecord[] {
  let value: JsonValue;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  return isRecord(value) ? [value] : [];
}

function isRecord(value: unknown): value is NewRecord {
  const kinds: readonly string[] = recordKinds satisfies readonly RecordKind[];
  const candidate: { readonly [key: string]: unknown } = typeof value === "object" && value !== null ? { ...value } : {};
  const { kind, at, cluster, data } = candidate;
  return (
    typeof kind === "string" && kinds.includes(kind) && typeof at === "number" && typeof cluster === "string" && isData(data)
  );
}

const isData = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
