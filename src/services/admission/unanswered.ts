import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { type Ledger, LedgerLate, type LedgerUnavailable } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";

const retryMilliseconds = 1000;
/** A database that fails in the middle of its commits for long would fill the memory. */
const mostPending = 20_000;
/** So few that a busy ledger takes them beside its reviews. */
const mostAtOnce = 500;

/**
 * Records that may say what was not answered: an API server was told of an error, as the decision was not on the disk in time, and then it
 * may be there in the end. A record that says so follows each of them, as soon as one can be written.
 */
export class UnansweredReviews {
  readonly #ledger: Pick<Ledger, "append">;
  #pending: NewRecord[] = [];
  #following: Promise<void> | undefined;

  constructor(ledger: Pick<Ledger, "append">) {
    this.#ledger = ledger;
  }

  /** Call with what was to be kept for the review `uid`, and why its answer was an error. */
  note(uid: string, record: NewRecord, why: LedgerLate | LedgerUnavailable): void {
    const follow = (mayBeKept: boolean) => {
      if (!mayBeKept || this.#pending.length >= mostPending) return;
      const error = `the API server was told of an error: ${why.message}`;
      const data = { error, stage: record.data["stage"] ?? null, uid };
      // The key, as the record that follows may not be known to be kept either.
      this.#pending.push({ ...record, outcome: "error", key: `admission/unanswered/${uid}`, data });
      this.#following ??= this.#follow();
    };
    if (why instanceof LedgerLate) void why.mayBeKept.then(follow);
    else follow(why.mayBeKept);
  }

  async #follow(): Promise<void> {
    // Those of one batch share one.
    await setImmediate();
    while (this.#pending.length > 0) {
      const records = this.#pending.slice(0, mostAtOnce);
      try {
        await this.#ledger.append(records);
        this.#pending = this.#pending.slice(records.length);
      } catch {
        await sleep(retryMilliseconds, undefined, { ref: false });
      }
    }
    this.#following = undefined;
  }
}
