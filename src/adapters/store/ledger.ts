import type { Transaction } from "kysely";
import type { Instant } from "../../core/host.ts";
import type { CheckpointSigner } from "../../ledger/checkpoint.ts";
import type { NewRecord, Receipt } from "./ledger-batch.ts";
import { type LedgerWriter, ledgerWriter, writeBatch } from "./ledger-writer.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** So many records wait for the disk that another would not be safe; nothing of the call was kept. */
export class LedgerBusy extends Error {
  readonly code = "LEDGER_BUSY";
  constructor(waiting: number) {
    super(`${waiting} records already wait to be written`);
  }
}

/** The ledger is closed, or its database failed: whether the records are there is unknown unless they have keys. */
export class LedgerUnavailable extends Error {
  readonly code = "LEDGER_UNAVAILABLE";
}

interface Waiting {
  readonly records: readonly NewRecord[];
  resolve(receipts: readonly Receipt[]): void;
  reject(error: Error): void;
}

/** What became of one group of records. */
export interface LedgerBatch {
  readonly records: number;
  readonly milliseconds: number;
  readonly written: boolean;
}

export interface LedgerLimits {
  /** Records in one transaction. */
  readonly batch: number;
  /** Records that may wait; one call is always taken when nothing waits. */
  readonly waiting: number;
}

/**
 * Appends records in groups: all that wait share one transaction, and each caller hears of its records only once
 * they are on the disk.
 */
export class Ledger {
  private readonly store: Store;
  private readonly signer: CheckpointSigner;
  private readonly now: () => Instant;
  private readonly write: LedgerWriter;
  private readonly limits: LedgerLimits;
  private readonly queue: Waiting[] = [];
  private waiting = 0;
  private running: Promise<void> | undefined;
  private closed = false;
  private listener: ((batch: LedgerBatch) => void) | undefined;

  constructor(
    store: Store,
    signer: CheckpointSigner,
    now: () => Instant,
    limits: LedgerLimits = { batch: 2000, waiting: 20_000 },
  ) {
    this.store = store;
    this.signer = signer;
    this.now = now;
    this.write = ledgerWriter(store, signer);
    this.limits = limits;
  }

  /** Records that wait for the disk. */
  get backlog(): number {
    return this.waiting;
  }

  /** Told of each group after it was written or failed. */
  onBatch(listener: (batch: LedgerBatch) => void): void {
    this.listener = listener;
  }

  /** Receipts in the records' order. Rejects with `LedgerBusy` or `LedgerUnavailable`. */
  append(records: readonly NewRecord[]): Promise<readonly Receipt[]> {
    if (this.closed) return Promise.reject(new LedgerUnavailable("the ledger is closed"));
    if (this.waiting > 0 && this.waiting + records.length > this.limits.waiting) {
      return Promise.reject(new LedgerBusy(this.waiting));
    }
    this.waiting += records.length;
    return new Promise((resolve, reject) => {
      this.queue.push({ records, resolve, reject });
      this.running ??= this.run();
    });
  }

  /**
   * Runs `work` in one transaction with the records that it writes: all of it is on the disk, or none. `write` takes the lock
   * that orders all writers and holds it to the end, so it comes after every other lock. Rejects with what `work` throws.
   */
  async transact<T>(
    work: (on: Transaction<Tables>, write: (records: readonly NewRecord[]) => Promise<readonly Receipt[]>) => Promise<T>,
  ): Promise<T> {
    if (this.closed) throw new LedgerUnavailable("the ledger is closed");
    const { db, engine } = this.store;
    return db.transaction().execute((on) => work(on, (records) => writeBatch(on, engine, records, this.signer, this.now())));
  }

  /** Writes what waits, then takes no more. The store stays open. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    // Calls of the same turn of the event loop join the first batch.
    await new Promise(setImmediate);
    while (this.queue.length > 0) {
      const group = this.nextGroup();
      const records = group.flatMap((waiting) => waiting.records);
      const start = performance.now();
      let written = false;
      try {
        const receipts = await this.write(records, this.now());
        written = true;
        let at = 0;
        for (const waiting of group) {
          waiting.resolve(receipts.slice(at, at + waiting.records.length));
          at += waiting.records.length;
        }
      } catch (error) {
        const failure = new LedgerUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
        for (const waiting of group) waiting.reject(failure);
      }
      this.waiting -= records.length;
      this.listener?.({ records: records.length, milliseconds: performance.now() - start, written });
    }
    this.running = undefined;
  }

  private nextGroup(): Waiting[] {
    const group: Waiting[] = [];
    let size = 0;
    for (;;) {
      const next = this.queue[0];
      if (next === undefined || (group.length > 0 && size + next.records.length > this.limits.batch)) return group;
      group.push(next);
      size += next.records.length;
      this.queue.shift();
    }
  }
}
