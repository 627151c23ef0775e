import { type Fact, type Facts, type Need, needKey } from "../../core/facts.ts";

/** Looks up what policies ask for. It never rejects: what it cannot have is a fact that says why. */
export interface FactSource {
  /** From memory; undefined where it has to be fetched. */
  known(need: Need): Fact | undefined;
  fetch(need: Need, signal: AbortSignal): Promise<Fact>;
}

/** The facts that one evaluation gathers, round by round. */
export class GatheredFacts implements Facts {
  readonly #source: FactSource;
  readonly #answers = new Map<string, Fact>();

  constructor(source: FactSource) {
    this.#source = source;
  }

  get(need: Need): Fact | undefined {
    return this.#answers.get(needKey(need)) ?? this.#source.known(need);
  }

  /** Resolves when every need has its answer, or once it is aborted. */
  async gather(needs: readonly Need[], signal: AbortSignal): Promise<void> {
    const answered = Promise.all(
      needs.map(async (need) => {
        this.#answers.set(needKey(need), await this.#source.fetch(need, signal));
      }),
    );
    // A source may not heed the signal.
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([answered, aborted]);
  }
}
