import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { tokenClaims } from "../../adapters/kubernetes/token-claims.ts";
import type { Instant } from "../../core/host.ts";
import { requestToken } from "../registration/account-changes.ts";
import { Repeated } from "../repeated.ts";

export interface TokenRenewalOptions {
  /** Of the account itself. */
  readonly client: Pick<KubernetesClient, "context" | "send">;
  readonly namespace: string;
  /** The token in use; undefined: the cluster is not registered any more. */
  readonly current: () => Promise<string | undefined>;
  /** Keeps another in its place. */
  readonly keep: (token: string) => Promise<void>;
  readonly now: () => Instant;
  readonly onTrouble: (error: unknown) => void;
}

/** Somebody waits who has just registered a cluster anew; and the shortest tokens that API servers give last ten minutes. */
const lookMilliseconds = 15_000;
const retryMilliseconds = 600_000;

/**
 * Renews a service account's token by itself once half of its time is over, for as long again: a token that was copied somewhere is
 * worth nothing a while later, and nothing that lasts is stored in the cluster.
 */
export class TokenRenewal {
  readonly #options: TokenRenewalOptions;
  readonly #looks = new Repeated(() => this.#look().catch(this.#options.onTrouble), lookMilliseconds);
  #retryAt = 0;

  constructor(options: TokenRenewalOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#looks.startNow();
  }

  stop(): Promise<void> {
    return this.#looks.close();
  }

  async #look(): Promise<void> {
    const { client, namespace, current, keep, now } = this.#options;
    const { issued, ends } = tokenClaims((await current()) ?? "") ?? {};
    const at = now();
    // That it has ended is told by what is asked with it.
    if (issued === undefined || ends === undefined || at < (issued + ends) / 2 || at >= ends || at < this.#retryAt) return;
    try {
      await keep(await requestToken(client, namespace, Math.round((ends - issued) / 1000)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#retryAt = at + retryMilliseconds;
      const until = new Date(ends).toISOString();
      throw new Error(`the token of ${client.context}, which ends at ${until}, could not be renewed: ${error.message}`, {
        cause: error,
      });
    }
  }
}
