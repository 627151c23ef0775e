import type { Ledger } from "../../adapters/store/ledger.ts";
import { type Pruned, pruneLedger } from "../../adapters/store/retention.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { Instant } from "../../core/host.ts";
import { Repeated } from "../repeated.ts";

export interface ScheduledRetentionOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  /** How long a record is kept, in milliseconds. */
  readonly keep: number;
  readonly now: () => Instant;
  /** Told where records were removed; `before`: when the oldest that may be left was taken. */
  readonly onPruned: (pruned: Pruned, before: Instant) => void;
  readonly onTrouble: (error: unknown) => void;
}

const lookMilliseconds = 3_600_000;
const dayMilliseconds = 86_400_000;

/**
 * Removes records that are older than they are to be kept, once a day. What was removed is in the ledger, which all replicas share: whoever
 * looks first does it, and who looks next finishes what was left undone.
 */
export class ScheduledRetention {
  readonly #options: ScheduledRetentionOptions;
  readonly #looks = new Repeated(() => this.#look().catch(this.#options.onTrouble), lookMilliseconds);

  constructor(options: ScheduledRetentionOptions) {
    this.#options = options;
  }

  /** The first look begins at once; nobody waits for it. */
  start(): void {
    void this.#looks.startNow();
  }

  /** Resolves when nothing of it is under way. */
  stop(): Promise<void> {
    return this.#looks.close();
  }

  async #look(): Promise<void> {
    const { store, ledger, keep, now, onPruned } = this.#options;
    const at = now();
    // By days, so that all replicas, and one that starts again, mean the same.
    const unlessSince = Math.floor(at / dayMilliseconds) * dayMilliseconds - 1;
    const pruned = await pruneLedger(store, ledger, at - keep, at, { unlessSince, isStopped: () => this.#looks.isClosed });
    if (pruned.removed > 0) onPruned(pruned, at - keep);
  }
}
