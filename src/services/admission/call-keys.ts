import { createHmac, timingSafeEqual } from "node:crypto";
import type { Instant } from "../../core/host.ts";
import { remembered } from "../../core/remembered.ts";

/** Under which name the store keeps the secret, so that replicas have the same. */
export const callKeysName = "admission calls";

/** How long a key is registered. */
const hour = 3_600_000;

/**
 * Keys in the paths under which an API server calls us. Only it, and who may read webhook configurations, knows them: nobody else
 * in the cluster can have requests judged and recorded that were never made. As the API server names the path to people where it
 * cannot reach us, each key is good for its hour, the one before and, where clocks differ, the one after. Replicas that share the
 * secret have the same keys.
 */
export class CallKeys {
  readonly #now: () => Instant;
  /** Whoever asks for many prefixes that do not exist fills no memory. */
  readonly #keyOf: (about: string) => Buffer;

  constructor(secret: string, now: () => Instant) {
    this.#now = now;
    this.#keyOf = remembered(1000, (about) =>
      Buffer.from(createHmac("sha256", secret).update(`admission calls ${about}`).digest("hex"), "latin1"),
    );
  }

  /** The path to be registered now for what is answered under `prefix`; it begins with that and a key. */
  path(prefix: string): string {
    return `${prefix}/${this.#key(prefix, this.#period()).toString("latin1")}`;
  }

  /** The path under `prefix` without its key; undefined where that is missing, wrong, or no longer good. */
  open(path: string): string | undefined {
    const [, prefix = "", given = "", rest] = pathForm.exec(path) ?? [];
    if (rest === undefined) return undefined;
    const key = Buffer.from(given, "latin1");
    const period = this.#period();
    const isGood = [period, period - 1, period + 1].some((one) => timingSafeEqual(this.#key(prefix, one), key));
    return isGood ? prefix + rest : undefined;
  }

  #period(): number {
    return Math.floor(this.#now() / hour);
  }

  #key(prefix: string, period: number): Buffer {
    return this.#keyOf(`${period} ${prefix}`);
  }
}

/** Of several clusters each has a prefix of its own. A key is 32 bytes in hex: API servers take only small letters on the way to a Service. */
const pathForm = /^(\/clusters\/[^/]+)?\/([0-9a-f]{64})(\/.+)$/;
