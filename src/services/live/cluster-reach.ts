import { setTimeout as delay } from "node:timers/promises";
import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import type { Instant } from "../../core/host.ts";

/** An API server that does not answer, or not to us. */
export interface Unreached {
  readonly since: Instant;
  readonly reason: string;
}

export interface ClusterReachOptions {
  readonly client: Pick<KubernetesClient, "get">;
  readonly now: () => Instant;
  /** Told when it is reached no more, and when it is again. */
  readonly onChange: (unreached: Unreached | undefined) => void;
  /** In milliseconds; for tests. */
  readonly times?: ReachTimes;
}

export interface ReachTimes {
  readonly answer: number;
  readonly look: number;
  readonly firstPause: number;
  readonly longestPause: number;
}

const usualTimes: ReachTimes = { answer: 10_000, look: 10_000, firstPause: 1000, longestPause: 60_000 };

/** Whether a cluster's API server answers: looked at all the time, since what is known of a cluster that is gone grows old. */
export class ClusterReach {
  readonly #options: ClusterReachOptions;
  readonly #times: ReachTimes;
  readonly #stop = new AbortController();
  #unreached: Unreached | undefined;
  #looking: Promise<boolean> | undefined;
  #watching: Promise<void> | undefined;

  constructor(options: ClusterReachOptions) {
    this.#options = options;
    this.#times = options.times ?? usualTimes;
  }

  /** Undefined: it answers, or has not been asked yet. */
  get unreached(): Unreached | undefined {
    return this.#unreached;
  }

  /** Whether it answers now; who asks meanwhile hears the same. */
  look(): Promise<boolean> {
    this.#looking ??= this.#ask().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Does `work` once the cluster answers, and again with growing pauses until it succeeds or we are stopped. */
  async until(work: () => Promise<void>): Promise<void> {
    const { firstPause, longestPause } = this.#times;
    for (let failures = 0; !this.#stop.signal.aborted; failures++) {
      await this.#pause(Math.min(firstPause * 2 ** failures, longestPause));
      if (this.#stop.signal.aborted || !(await this.look())) continue;
      try {
        await work();
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.lost(error);
      }
    }
  }

  /** Goes on looking until it is stopped. */
  watch(): void {
    this.#watching ??= this.#watch();
  }

  /** Something that was asked of it failed. */
  lost(error: Error): void {
    if (this.#unreached !== undefined) return;
    this.#unreached = { since: this.#options.now(), reason: error.message };
    this.#options.onChange(this.#unreached);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await this.#looking;
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#pause(this.#times.look);
      if (!this.#stop.signal.aborted) await this.look();
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return delay(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  async #ask(): Promise<boolean> {
    const { client, onChange } = this.#options;
    const { answer } = this.#times;
    const patience = new AbortController();
    const silent = delay(answer, undefined, { signal: patience.signal }).then(() => {
      throw new ApiError(0, "", `no answer within ${answer / 1000} s`);
    });
    try {
      await Promise.race([client.get("/version"), silent]);
    } catch (error) {
      // Who may not ask for the version is answered all the same.
      if (!(error instanceof ApiError && (error.status === 403 || error.status === 404))) {
        this.lost(error instanceof Error ? error : new Error(String(error)));
        return false;
      }
    } finally {
      patience.abort();
      silent.catch(() => {});
    }
    if (this.#unreached !== undefined) {
      this.#unreached = undefined;
      onChange(undefined);
    }
    return true;
  }
}
