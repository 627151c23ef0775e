import type { Transaction } from "kysely";
import type { Instant } from "../../core/host.ts";
import type { CheckpointSigner } from "../../ledger/checkpoint.ts";
import type { NewRecord, Receipt } from "./ledger-batch.ts";
import { type LedgerWriter, ledgerWriter, NotKept, writeBatch } from "./ledger-writer.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** So many records wait for the disk that another would not be safe; nothing of the call was kept. */
export class LedgerBusy extends Error {
  readonly code = "LEDGER_BUSY";
  constructor(waiting: number) {
    super(`${waiting} records already wait to be written`);
  }
}

/** The ledger is closed, or its database failed. */
export class LedgerUnavailable extends Error {
  readonly code = "LEDGER_UNAVAILABLE";
  /** Whether the records may be there all the same: the database was asked to commit them, and did not say that it has. */
  readonly mayBeKept: boolean;
  constructor(message: string, mayBeKept: boolean, cause?: unknown) {
    super(message, { cause });
    this.mayBeKept = mayBeKept;
  }
}

/** The records were not on the disk when their sender had to know. */
export class LedgerLate extends Error {
  readonly code = "LEDGER_LATE";
  /** Whether they may be there in the end: they were being written. Those that only waited are not written any more. */
  readonly mayBeKept: Promise<boolean>;
  constructor(mayBeKept: Promise<boolean>) {
    super("the database did not answer in time");
    this.mayBeKept = mayBeKept;
  }
}

interface Waiting {
  readonly records: readonly NewRecord[];
  /** The moment of `performance.now()` at which its sender waits no longer. */
  readonly until: number;
  resolve(receipts: readonly Receipt[]): void;
  reject(error: Error): void;
}

/** What is being written. */
interface Writing {
  /** Those who still wait for it. */
  group: readonly Waiting[];
  /** Whether its records may be there, once that is known. */
  readonly mayBeKept: Promise<boolean>;
}

/** How much later than it wanted a sender may be told; one timer serves all of them. */
const lookMilliseconds = 50;

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
  private queue: Waiting[] = [];
  private writing: Writing | undefined;
  private looking: NodeJS.Timeout | undefined;
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

  /**
   * Receipts in the records' order. Rejects with `LedgerBusy` or `LedgerUnavailable`, and, at the moment `until` of `performance.now()`,
   * with `LedgerLate`.
   */
  append(records: readonly NewRecord[], until: number = Number.POSITIVE_INFINITY): Promise<readonly Receipt[]> {
    if (this.closed) return Promise.reject(new LedgerUnavailable("the ledger is closed", false));
    if (this.waiting > 0 && this.waiting + records.length > this.limits.waiting) {
      return Promise.reject(new LedgerBusy(this.waiting));
    }
    if (performance.now() >= until) return Promise.reject(new LedgerLate(Promise.resolve(false)));
    this.waiting += records.length;
    return new Promise((resolve, reject) => {
      this.queue.push({ records, until, resolve, reject });
      this.running ??= this.run();
      if (until < Number.POSITIVE_INFINITY) this.look();
    });
  }

  /**
   * Runs `work` in one transaction with the records that it writes: all of it is on the disk, or none. `write` takes the lock
   * that orders all writers and holds it to the end, so it comes after every other lock. Rejects with what `work` throws.
   */
  async transact<T>(
    work: (on: Transaction<Tables>, write: (records: readonly NewRecord[]) => Promise<readonly Receipt[]>) => Promise<T>,
  ): Promise<T> {
    if (this.closed) throw new LedgerUnavailable("the ledger is closed", false);
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
      const { promise: mayBeKept, resolve: known } = Promise.withResolvers<boolean>();
      this.writing = { group, mayBeKept };
      try {
        const receipts = await this.write(records, this.now());
        written = true;
        known(true);
        let at = 0;
        for (const waiting of group) {
          waiting.resolve(receipts.slice(at, at + waiting.records.length));
          at += waiting.records.length;
        }
      } catch (error) {
        const unknown = !(error instanceof NotKept);
        known(unknown);
        const failure = new LedgerUnavailable(error instanceof Error ? error.message : String(error), unknown, error);
        for (const waiting of group) waiting.reject(failure);
      }
      this.writing = undefined;
      this.waiting -= records.length;
      this.listener?.({ records: records.length, milliseconds: performance.now() - start, written });
    }
    this.running = undefined;
  }

  /** Looks again and again whose time is over, as long as somebody waits whose time ends. */
  private look(): void {
    this.looking ??= setTimeout(() => {
      this.looking = undefined;
      const now = performance.now();
      const { writing } = this;
      if (writing !== undefined) {
        const [late, others] = split(writing.group, now);
        writing.group = others;
        for (const { reject } of late) reject(new LedgerLate(writing.mayBeKept));
      }
      const [late, others] = split(this.queue, now);
      this.queue = others;
      for (const { records, reject } of late) {
        this.waiting -= records.length;
        reject(new LedgerLate(Promise.resolve(false)));
      }
      const left = [...(writing?.group ?? []), ...others];
      if (left.some(({ until }) => until < Number.POSITIVE_INFINITY)) this.look();
    }, lookMilliseconds);
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

/** Those whose time is over, and the others, each in their order. */
function split(all: readonly Waiting[], now: number): readonly [late: readonly Waiting[], others: Waiting[]] {
  return [all.filter(({ until }) => until <= now), all.filter(({ until }) => until > now)];
}
