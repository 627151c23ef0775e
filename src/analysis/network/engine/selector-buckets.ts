import type { PodSelector } from "../rule.ts";
import type { EndpointClass } from "./endpoint-class.ts";

/** Selectors by what a class must have to be selected at all, so that a new class is held against few of them. */
export class SelectorBuckets<T> {
  readonly #byLabel = new Map<string, T[]>();
  readonly #byNamespace = new Map<string, T[]>();
  #others: T[] = [];

  add(selector: PodSelector, value: T): void {
    const { hint, namespaces } = selector;
    if (hint !== undefined) for (const wanted of hint.values) append(this.#byLabel, `${hint.label}=${wanted}`, value);
    else if (namespaces.kind === "one") append(this.#byNamespace, namespaces.name, value);
    else this.#others.push(value);
  }

  delete({ hint, namespaces }: PodSelector, value: T): void {
    if (hint !== undefined) for (const wanted of hint.values) remove(this.#byLabel, `${hint.label}=${wanted}`, value);
    else if (namespaces.kind === "one") remove(this.#byNamespace, namespaces.name, value);
    else this.#others = this.#others.filter((other) => other !== value);
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
    this.#others = [];
  }
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function remove<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)?.filter((other) => other !== value);
  if (list !== undefined) map.set(key, list);
}
