import type { AccessRequest } from "../../access/request.ts";
import { accessLocksChanged } from "../../adapters/store/access-locks.ts";
import { accessChannel, accessRequestsChanged, lastAccessChange } from "../../adapters/store/access-requests.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { AccessLockRow } from "../../adapters/store/tables.ts";
import { requestOf } from "./request-rows.ts";

/** Where nothing announces a change, it is found after so long. */
const pollMilliseconds = 400;
const pageSize = 500;

export interface ChangeFeedOptions {
  readonly store: Store;
  readonly onRequest: (request: AccessRequest) => void;
  readonly onLock: (lock: AccessLockRow) => void;
  /** The database did not answer; undefined: it does again. */
  readonly onTrouble: (error: Error | undefined) => void;
}

/**
 * What changed, on whichever replica. Changes are numbered by the ledger, whose lock orders all commits, so one that is read
 * hides none before it. PostgreSQL announces them, and is asked too in case an announcement was lost; the embedded database
 * has one process, which wakes the feed itself.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  #last = -1;
  #reading: Promise<void> | undefined;
  #again = false;
  #failing = false;
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => Promise<void>) | undefined;
  #closed = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** Changes from here on are told; all locks are, as they are. Rejects where the database fails. */
  async start(): Promise<void> {
    const { store, onLock } = this.#options;
    this.#last = await lastAccessChange(store.reading);
    for (const lock of await accessLocksChanged(store.reading, -1, this.#last)) onLock(lock);
    if (store.engine !== "postgres") return;
    this.#unlisten = store.listen(accessChannel, () => this.wake());
    this.#poll();
  }

  /** Something may have changed. */
  wake(): void {
    if (this.#closed) return;
    if (this.#reading !== undefined) {
      this.#again = true;
      return;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#unlisten?.();
    await this.#reading;
  }

  #poll(): void {
    this.#timer = setTimeout(() => {
      this.wake();
      this.#poll();
    }, pollMilliseconds).unref();
  }

  async #read(): Promise<void> {
    try {
      do {
        this.#again = false;
        while (await this.#page()) {}
      } while (this.#again && !this.#closed);
      if (this.#failing) this.#options.onTrouble(undefined);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing && !this.#closed) this.#options.onTrouble(error instanceof Error ? error : new Error(String(error)));
      this.#failing = true;
    }
  }

  /** Tells of what changed; answers whether there may be more. */
  async #page(): Promise<boolean> {
    const { store, onRequest, onLock } = this.#options;
    // Everything up to this number is there to be read: what is kept later has greater ones.
    const newest = await lastAccessChange(store.reading);
    if (newest <= this.#last) return false;
    const requests = await accessRequestsChanged(store.reading, this.#last, newest, pageSize);
    const full = requests.length === pageSize;
    const upTo = full ? (requests.at(-1)?.changed ?? newest) : newest;
    const locks = await accessLocksChanged(store.reading, this.#last, upTo);
    if (this.#closed) return false;
    for (const lock of locks) onLock(lock);
    for (const row of requests) onRequest(requestOf(row));
    this.#last = upTo;
    return full;
  }
}
