import type { AccessLockRow } from "../../adapters/store/tables.ts";
import type { Instant } from "../../core/host.ts";
import { holds } from "./request-store.ts";

type Lock = Pick<AccessLockRow, "human" | "until">;

/** Who is locked out, as this process knows it. */
export class Locks {
  readonly #now: () => Instant;
  readonly #locks = new Map<string, Lock>();
  readonly #listeners = new Set<(human: string) => void>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** The newest state of somebody's lock, set or lifted; listeners hear of those that hold. */
  take({ human, until }: Lock): void {
    this.#locks.set(human, { human, until });
    if (!this.holds(human)) {
      this.#locks.delete(human);
      return;
    }
    for (const listener of [...this.#listeners]) listener(human);
  }

  holds(human: string): boolean {
    const lock = this.#locks.get(human);
    return lock !== undefined && holds(lock, this.#now());
  }

  onLock(listener: (human: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
