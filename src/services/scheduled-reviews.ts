import type { Instant } from "../core/host.ts";
import type { AccessReviews } from "./access-review-campaigns.ts";
import { Repeated } from "./repeated.ts";

export interface ScheduledReviewsOptions {
  readonly reviews: Pick<AccessReviews, "start">;
  readonly clusters: readonly string[];
  /** Milliseconds from one review to the next. */
  readonly every: number;
  readonly now: () => Instant;
  readonly onTrouble: (error: unknown) => void;
}

const lookMilliseconds = 3_600_000;
const dayMilliseconds = 86_400_000;
/** How far back it is looked whether a binding was used. */
const usesMilliseconds = 90 * dayMilliseconds;

/**
 * Begins an access review whenever its time has come. Each has the name of the day on which its period began, and begins once whoever
 * begins it: replicas, and restarts, ask for the same one. Bindings that are made within the period are taken up by it.
 */
export class ScheduledReviews {
  readonly #options: ScheduledReviewsOptions;
  readonly #looks = new Repeated(() => this.#look().catch(this.#options.onTrouble), lookMilliseconds);

  constructor(options: ScheduledReviewsOptions) {
    this.#options = options;
  }

  /** Resolves after the first look. */
  start(): Promise<void> {
    return this.#looks.startNow();
  }

  stop(): Promise<void> {
    return this.#looks.close();
  }

  async #look(): Promise<void> {
    const { reviews, clusters, every, now } = this.#options;
    const at = now();
    const began = new Date(Math.floor(at / every) * every);
    const name = `scheduled-${began.toISOString().slice(0, 10)}`;
    for (const cluster of clusters) await reviews.start({ cluster, name }, "castellan", at - usesMilliseconds);
  }
}
