/** How many calls may wait for an approval at once. */
export interface HeldLimits {
  readonly perPerson: number;
  readonly inAll: number;
}

export const usualHeld: HeldLimits = { perPerson: 10, inAll: 200 };

/** Calls that wait for an approval keep their sockets and bodies meanwhile: nobody may take all that there is of these. */
export class HeldCalls {
  readonly #limits: HeldLimits;
  readonly #perHuman = new Map<string, number>();
  #all = 0;

  constructor(limits: HeldLimits) {
    this.#limits = limits;
  }

  /** Room for one more call of this person; the answer gives it back, once. Undefined: there is none. */
  take(human: string): (() => void) | undefined {
    const own = this.#perHuman.get(human) ?? 0;
    if (own >= this.#limits.perPerson || this.#all >= this.#limits.inAll) return undefined;
    this.#perHuman.set(human, own + 1);
    this.#all++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#all--;
      const left = (this.#perHuman.get(human) ?? 0) - 1;
      if (left > 0) this.#perHuman.set(human, left);
      else this.#perHuman.delete(human);
    };
  }
}
