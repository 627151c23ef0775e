import { elementAt, mapFind } from "../values/containers.ts";
import { equalValues } from "../values/equality.ts";
import { toJson } from "../values/json.ts";
import { typeOf } from "../values/type-of.ts";
import { CelError, CelList, type CelValue, Failure, isList, isMap, noSuchOverload, type Value } from "../values/value.ts";

/** The elements of a list, converted when they are read, and once. */
export class ListElements {
  readonly length: number;
  readonly #make: (index: number) => Value;
  readonly #made: Value[] = [];

  constructor(length: number, make: (index: number) => Value) {
    this.length = length;
    this.#make = make;
  }

  static of(values: readonly Value[]): ListElements {
    return new ListElements(values.length, (index) => values[index] ?? null);
  }

  at(index: number): Value {
    const known = this.#made[index];
    if (known !== undefined) return known;
    const made = this.#make(index);
    this.#made[index] = made;
    return made;
  }

  all(): Value[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i));
  }
}

function elementsOf(list: CelList | readonly CelValue[]): Value[] {
  return Array.from({ length: list.length }, (_, i) => elementAt(list, i));
}

/** A list of a schema, whose order counts. */
export class TypedList extends CelList {
  protected readonly elements: ListElements;

  constructor(elements: ListElements) {
    super();
    this.elements = elements;
  }

  get length(): number {
    return this.elements.length;
  }

  at(index: number): Value {
    return this.elements.at(index);
  }

  concat(other: CelValue): Value {
    if (!isList(other)) return noSuchOverload();
    const joined: CelValue[] = [];
    for (const element of [...this.elements.all(), ...elementsOf(other)]) {
      if (element instanceof Failure) return element;
      joined.push(element);
    }
    return joined;
  }

  override equals(other: CelValue): boolean | CelError {
    if (!isList(other)) return noSuchOverload();
    if (this.length !== other.length) return false;
    for (let i = 0; i < this.length; i++) {
      const equal = equalElements(this.at(i), elementAt(other, i));
      if (equal !== true) return equal;
    }
    return true;
  }

  /** An element that cannot be compared is an error, unless another one is the item. */
  override contains(item: CelValue): boolean | CelError {
    let error: CelError | undefined;
    for (let i = 0; i < this.length; i++) {
      const equal = equalElements(this.at(i), item);
      if (equal === true) return true;
      if (equal instanceof CelError) error ??= equal;
    }
    return error ?? false;
  }
}

function equalElements(a: Value, b: Value): boolean | CelError {
  if (a instanceof CelError) return a;
  if (b instanceof CelError) return b;
  return a instanceof Failure || b instanceof Failure ? false : equalValues(a, b);
}

/** A text that two values have in common if Go's maps take them for one key. */
function keyText(value: Value | undefined): string {
  if (value === undefined || value === null || value instanceof Failure) return "nil";
  const json = toJson(value);
  return `${typeOf(value).name}:${JSON.stringify(json, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v))}`;
}

/** Whether two lists hold the same under every key; `keyOf` gives an error for what has no key. */
function equalByKey(
  mine: readonly Value[],
  others: readonly Value[],
  keyOf: (value: Value) => string | CelError,
  compare: boolean,
): boolean | CelError {
  if (mine.length !== others.length) return false;
  const byKey = new Map<string, Value>();
  for (const element of mine) {
    const key = keyOf(element);
    if (key instanceof CelError) return key;
    byKey.set(key, element);
  }
  const seen = new Set<string>();
  for (const element of others) {
    const key = keyOf(element);
    if (key instanceof CelError) return key;
    const known = byKey.get(key);
    if (known === undefined) return false;
    const equal = !compare || equalElements(known, element);
    if (equal !== true) return equal;
    seen.add(key);
  }
  return seen.size === byKey.size;
}

/** `x-kubernetes-list-type: set`: order does not count, and no element is there twice. */
export class SetList extends TypedList {
  static #keyOf(element: Value): string | CelError {
    if (isList(element) || isMap(element)) {
      return new CelError("listSet operations are only supported on lists of scalar values");
    }
    return keyText(element);
  }

  override equals(other: CelValue): boolean | CelError {
    return isList(other) ? equalByKey(this.elements.all(), elementsOf(other), SetList.#keyOf, false) : noSuchOverload();
  }

  /** The union; what is new comes last. */
  override concat(other: CelValue): Value {
    if (!isList(other)) return noSuchOverload();
    const union = this.elements.all();
    const known = new Set<string>();
    for (const element of union) {
      const key = SetList.#keyOf(element);
      if (key instanceof CelError) return key;
      known.add(key);
    }
    for (const element of elementsOf(other)) {
      const key = SetList.#keyOf(element);
      if (key instanceof CelError) return key;
      if (!known.has(key)) union.push(element);
      known.add(key);
    }
    return new SetList(ListElements.of(union));
  }
}

/** `x-kubernetes-list-type: map`: elements go by the values of their keys. */
export class MapList extends TypedList {
  readonly #keys: readonly string[];

  constructor(elements: ListElements, keys: readonly string[]) {
    super(elements);
    this.#keys = keys;
  }

  #keyOf(element: Value): string {
    const map = isMap(element) ? element : undefined;
    return JSON.stringify(this.#keys.map((key) => keyText(map === undefined ? undefined : mapFind(map, key))));
  }

  override equals(other: CelValue): boolean | CelError {
    if (!isList(other)) return noSuchOverload();
    return equalByKey(this.elements.all(), elementsOf(other), (element) => this.#keyOf(element), true);
  }

  /** Elements of `other` take the place of those with their key; the others come last. */
  override concat(other: CelValue): Value {
    if (!isList(other)) return noSuchOverload();
    const merged = this.elements.all();
    const places = new Map(merged.map((element, i) => [this.#keyOf(element), i]));
    for (const element of elementsOf(other)) {
      const place = places.get(this.#keyOf(element));
      if (place === undefined) merged.push(element);
      else merged[place] = element;
    }
    return new MapList(ListElements.of(merged), this.#keys);
  }
}
