/** Thrown when an evaluation has used up its budget; the engine turns it into an error result. */
export class BudgetExceeded extends Error {
  constructor() {
    super("evaluation stopped: it used up its budget");
  }
}

/** Counts steps of one evaluation, so that no policy can hang its caller. */
export class Budget {
  readonly #steps: number;
  #left: number;

  constructor(steps: number) {
    this.#steps = steps;
    this.#left = steps;
  }

  /** Takes `steps` units. @throws BudgetExceeded */
  spend(steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0) throw new BudgetExceeded();
  }

  /** Starts over, for the next rule. */
  refill(): void {
    this.#left = this.#steps;
  }
}
