/** Work that is done again and again, never twice at once. */
export class Repeated {
  readonly #work: () => Promise<void>;
  readonly #pauseMilliseconds: number;
  #running: Promise<void> | undefined;
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

  /** Does it at once, or joins who does. */
  now(): Promise<void> {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
