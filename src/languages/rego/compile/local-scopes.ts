/** How a variable first occurred in a scope. */
export type Occurrence = "seen" | "assigned" | "declared" | "argument";

interface Entry {
  /** The unique name; the name itself where the variable was only seen. */
  readonly unique: string;
  readonly occurrence: Occurrence;
  count: number;
}

/** The variables of nested bodies, the innermost last. */
export class LocalScopes {
  readonly #scopes: Map<string, Entry>[] = [new Map()];

  /** A copy of which all scopes are one. */
  copy(): LocalScopes {
    const copy = new LocalScopes();
    for (const scope of this.#scopes) for (const [name, entry] of scope) copy.#top().set(name, { ...entry });
    return copy;
  }

  #top(): Map<string, Entry> {
    return this.#scopes.at(-1) ?? new Map();
  }

  within<T>(work: () => T): T {
    this.#scopes.push(new Map());
    const result = work();
    this.#scopes.pop();
    return result;
  }

  insert(name: string, unique: string, occurrence: Occurrence): void {
    this.#top().set(name, { unique, occurrence, count: 1 });
  }

  #find(name: string): Entry | undefined {
    return this.#scopes.findLast((scope) => scope.has(name))?.get(name);
  }

  unique(name: string): string | undefined {
    return this.#find(name)?.unique;
  }

  /** In the innermost scope. */
  occurrence(name: string): Occurrence | undefined {
    return this.#top().get(name)?.occurrence;
  }

  /** In whatever scope. */
  anyOccurrence(name: string): Occurrence | undefined {
    return this.#find(name)?.occurrence;
  }

  markSeen(name: string): void {
    const entry = this.#find(name);
    if (entry !== undefined) entry.count++;
  }

  count(name: string): number {
    return this.#find(name)?.count ?? 0;
  }

  /** Names and unique names of the innermost scope that occurred so. */
  ofTop(occurrence: Occurrence): readonly (readonly [name: string, unique: string])[] {
    return [...this.#top()].flatMap(([name, e]) => (e.occurrence === occurrence ? [[name, e.unique] as const] : []));
  }

  /** All of the innermost scope. */
  top(): ReadonlyMap<string, string> {
    return new Map([...this.#top()].map(([name, entry]) => [name, entry.unique]));
  }
}
