import { InvalidArgumentError } from "commander";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import { count } from "../report/text.ts";
import type { ServerMetrics } from "../server/metrics/metrics.ts";
import { ScheduledRetention } from "../services/audit/scheduled-retention.ts";
import type { Io } from "./io.ts";

export interface RetentionFlags {
  /** How long records are kept, in days; undefined: for ever. */
  readonly retain?: number;
}

const dayMilliseconds = 86_400_000;

/** Of `365d`, the days: one at least, or a slip would take away what nobody has looked at yet. */
export function retentionDays(text: string): number {
  const days = Number(/^(\d{1,5})d$/.exec(text)?.[1]);
  if (!(days >= 1)) throw new InvalidArgumentError("write how many days records are kept, 1d at least: 365d");
  return days;
}

export interface RetentionParts {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly io: Pick<Io, "now">;
  readonly metrics: ServerMetrics;
  readonly say: (text: string) => void;
  readonly trouble: (error: unknown) => void;
}

/** Removes what is older than `retain` from now on; the answer ends it. */
export function startRetention({ retain }: RetentionFlags, parts: RetentionParts): () => Promise<void> {
  if (retain === undefined) return async () => {};
  const { store, ledger, io, metrics, say, trouble } = parts;
  const retention = new ScheduledRetention({
    store,
    ledger,
    keep: retain * dayMilliseconds,
    now: io.now,
    onPruned: ({ removed, first }, before) => {
      metrics.pruned(removed);
      const what = `${count(removed, "record")} taken before ${new Date(before).toISOString()} removed`;
      say(`castellan: retention (--retain ${retain}d): ${what}; the first that is left is ${first}`);
    },
    onTrouble: trouble,
  });
  retention.start();
  return () => retention.stop();
}
