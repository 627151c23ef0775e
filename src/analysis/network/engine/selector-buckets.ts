import type { PodSelector } from "../rule.ts";
import type { EndpointClass } from "./endpoint-class.ts";

/** Selectors by what a class must have to be selected at all, so that a new class is held against few of them. */
export class SelectorBuckets<T> {
  readonly #byLabel = new Map<string, Set<T>>();
  readonly #byNamespace = new Map<string, Set<T>>();
  readonly #others = new Set<T>();

  add(selector: PodSelector, value: T): void {
    for (const bucket of this.#bucketsOf(selector)) bucket.add(value);
  }

  delete(selector: PodSelector, value: T): void {
    for (const bucket of this.#bucketsOf(selector)) bucket.delete(value);
  }

  #bucketsOf({ hint, namespaces }: PodSelector): readonly Set<T>[] {
    if (hint !== undefined) return hint.values.map((value) => bucket(this.#byLabel, `${hint.label}=${value}`));
    return [namespaces.kind === "one" ? bucket(this.#byNamespace, namespaces.name) : this.#others];
  }

  /** A superset of the values whose selector means the class. */
  *candidates({ facts }: EndpointClass): Generator<T> {
    yield* this.#others;
    yield* this.#byNamespace.get(facts.namespace) ?? [];
    for (const label of Object.keys(facts.labels)) yield* this.#byLabel.get(`${label}=${facts.labels[label]}`) ?? [];
  }

  clear(): void {
    this.#byLabel.clear();
    this.#byNamespace.clear();
    this.#others.clear();
  }
}

function bucket<T>(map: Map<string, Set<T>>, key: string): Set<T> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Set<T>();
  map.set(key, made);
  return made;
}
