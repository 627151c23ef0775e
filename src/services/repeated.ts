/** Work that is done again and again, never twice at once. */
export class Repeated {
  readonly #work: () => Promise<void>;
  readonly #pauseMilliseconds: number;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `work` never rejects. */
  constructor(work: () => Promise<void>, pauseMilliseconds: number) {
    this.#work = work;
    this.#pauseMilliseconds = pauseMilliseconds;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** For the first time at once: resolves after it. */
  async startNow(): Promise<void> {
    await this.now();
    this.start();
  }

  /** For the first time after a pause. */
  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.now().then(() => this.start()), this.#pauseMilliseconds).unref();
  }

  /** Does it from its beginning: at once, or when what is under way is over. */
  now(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#closed) return Promise.resolve();
    if (this.#running === undefined) return this.#begin();
    this.#next = this.#running.then(() => {
      this.#next = undefined;
      return this.#closed ? undefined : this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#running = this.#work().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#next;
    await this.#running;
  }
}
