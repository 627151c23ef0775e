import { setTimeout as delay } from "node:timers/promises";

/** One that was done is not done again earlier: who writes against us is not fought as fast as it goes. */
const pauseMilliseconds = 1000;
/** After a failure, the first of the pauses, each twice the one before. */
const retryMilliseconds = 500;
const tries = 6;

/** Changes that come together are one, and a policy that was changed before them is known by then. */
const gatherMilliseconds = 250;

interface Item {
  readonly work: () => Promise<void>;
  readonly attempt: number;
}

/** Works things off one after the other; what waits already is not added again, and what fails is tried again. */
export class WorkQueue {
  readonly #onTrouble: (error: unknown) => void;
  readonly #waiting = new Map<string, Item>();
  readonly #done = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(onTrouble: (error: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  add(key: string, work: () => Promise<void>): void {
    this.#add(key, { work, attempt: 1 });
  }

  /** What is under way is finished, the rest is not begun. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#waiting.clear();
    await this.#running;
  }

  #add(key: string, item: Item): void {
    if (this.#stopped || this.#waiting.has(key)) return;
    this.#waiting.set(key, item);
    this.#running ??= this.#work();
  }

  async #work(): Promise<void> {
    await delay(gatherMilliseconds);
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [key, item] = next;
      this.#waiting.delete(key);
      await this.#do(key, item);
    }
    this.#running = undefined;
  }

  /** The first that may be done now; those that were done a moment ago come back when their pause is over. */
  #next(): readonly [string, Item] | undefined {
    const now = performance.now();
    for (const [key, at] of this.#done) if (now - at >= pauseMilliseconds) this.#done.delete(key);
    for (const [key, item] of this.#waiting) {
      const done = this.#done.get(key);
      if (done === undefined) return [key, item];
      this.#waiting.delete(key);
      this.#later(key, item, done + pauseMilliseconds - now);
    }
    return undefined;
  }

  async #do(key: string, { work, attempt }: Item): Promise<void> {
    try {
      await work();
      this.#done.set(key, performance.now());
    } catch (error) {
      if (attempt === tries) this.#onTrouble(error);
      else this.#later(key, { work, attempt: attempt + 1 }, retryMilliseconds * 2 ** (attempt - 1));
    }
  }

  #later(key: string, item: Item, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#add(key, item);
    }, milliseconds);
    this.#timers.add(timer);
  }
}
