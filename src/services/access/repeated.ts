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

  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.now().then(() => this.start()), this.#pauseMilliseconds).unref();
  }

  /** Does it from its beginning, once what is under way is over. */
  now(): Promise<void> {
    this.#next ??= (this.#running ?? Promise.resolve()).then(() => {
      this.#next = undefined;
      if (this.#closed) return undefined;
      this.#running = this.#work().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    });
    return this.#next;
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#next;
    await this.#running;
  }
}
