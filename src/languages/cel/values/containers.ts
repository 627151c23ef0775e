import type { JsonObject } from "../../../core/json.ts";
import { CelList, CelMap, type CelValue, Double, Uint, type Value } from "./value.ts";

type Entry = readonly [key: CelValue, value: CelValue];

/** A map built by an expression: keys may be of any type, equal numbers of different types are one key. */
export class EntryMap extends CelMap {
  readonly entries: ReadonlyMap<unknown, Entry>;

  constructor(entries: ReadonlyMap<unknown, Entry>) {
    super();
    this.entries = entries;
  }

  override get size(): number {
    return this.entries.size;
  }

  find(key: CelValue): Value | undefined {
    return this.entries.get(mapKey(key))?.[1];
  }

  keys(): readonly CelValue[] {
    return Array.from(this.entries.values(), (entry) => entry[0]);
  }
}

/** Collects the entries of a new map; the last value of a key wins. */
export class MapBuilder {
  readonly #entries: Map<unknown, Entry>;

  constructor(from?: EntryMap) {
    this.#entries = new Map(from?.entries);
  }

  set(key: CelValue, value: CelValue): void {
    this.#entries.set(mapKey(key), [key, value]);
  }

  delete(key: CelValue): void {
    this.#entries.delete(mapKey(key));
  }

  has(key: CelValue): boolean {
    return this.#entries.has(mapKey(key));
  }

  build(): EntryMap {
    return new EntryMap(this.#entries);
  }
}

/** What JavaScript's Map has to compare: equal numbers of different types become one key. */
function mapKey(key: CelValue): unknown {
  if (key instanceof Uint) return Number.isSafeInteger(Number(key.value)) ? Number(key.value) : key.value;
  return key instanceof Double ? key.value : key;
}

/** The element at `index`, which is in range. */
export function elementAt(list: CelList | readonly CelValue[], index: number): Value {
  return list instanceof CelList ? list.at(index) : (list[index] ?? null);
}

export function mapSize(map: CelMap | JsonObject): number {
  if (map instanceof CelMap) return map.size ?? 0;
  let size = 0;
  for (const key in map) if (map[key] !== undefined) size++;
  return size;
}

/** The value at `key`; undefined where the map has none. */
export function mapFind(map: CelMap | JsonObject, key: CelValue): Value | undefined {
  if (map instanceof CelMap) return map.find(key);
  return typeof key === "string" && Object.hasOwn(map, key) ? map[key] : undefined;
}

export function mapKeys(map: CelMap | JsonObject): readonly CelValue[] {
  return map instanceof CelMap ? map.keys() : Object.keys(map).filter((key) => map[key] !== undefined);
}
