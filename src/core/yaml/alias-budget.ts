/**
 * Stops alias bombs by go-yaml's rule: of the nodes that a document has once its aliases are expanded, 99 in 100 may
 * come from aliases up to 400,000 nodes, falling to 10 in 100 at 4,000,000.
 */
export class AliasBudget {
  #nodes = 0;
  #fromAliases = 0;
  readonly #sizes = new Map<string, number>();
  readonly #open = new Set<string>();

  /** One node was read. */
  count(): void {
    this.#nodes++;
  }

  /** An anchored node begins; the answer is to be called at its end. */
  open(name: string): () => void {
    const before = this.#nodes - 1;
    this.#sizes.delete(name);
    this.#open.add(name);
    return () => {
      this.#open.delete(name);
      this.#sizes.set(name, this.#nodes - before);
    };
  }

  isOpen(name: string): boolean {
    return this.#open.has(name);
  }

  /** An alias repeats an anchored node; false when that is one too many. */
  expand(name: string): boolean {
    const size = this.#sizes.get(name) ?? 1;
    this.#nodes += size;
    this.#fromAliases += size;
    return this.#fromAliases <= 100 || this.#nodes <= 1000 || this.#fromAliases / this.#nodes <= allowedShare(this.#nodes);
  }
}

const low = 400_000;
const high = 4_000_000;

function allowedShare(nodes: number): number {
  if (nodes <= low) return 0.99;
  if (nodes >= high) return 0.1;
  return 0.99 - (0.89 * (nodes - low)) / (high - low);
}
