/** The variables of a rule (or query): a slot each, and which of them are bound at the present place. */
export class Scope {
  readonly #slots: Map<string, number>;
  #bound: Set<string>;
  /** Shared by all scopes of one rule. */
  readonly #size: { slots: number };

  constructor(slots = new Map<string, number>(), bound = new Set<string>(), size = { slots: 0 }) {
    this.#slots = slots;
    this.#bound = bound;
    this.#size = size;
  }

  /** How many slots the rule needs. */
  get size(): number {
    return this.#size.slots;
  }

  /** A scope within this one: what it binds stays unbound here. */
  inner(): Scope {
    return new Scope(this.#slots, new Set(this.#bound), this.#size);
  }

  slot(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.temporary();
    this.#slots.set(name, slot);
    return slot;
  }

  /** A slot of no variable. */
  temporary(): number {
    return this.#size.slots++;
  }

  isBound(name: string): boolean {
    return this.#bound.has(name);
  }

  /** Marks a variable bound, and answers its slot. */
  bind(name: string): number {
    this.#bound.add(name);
    return this.slot(name);
  }
}
