import { type MapKey, mapKey } from "../values/map-key.ts";
import { RegoSet, type Value } from "../values/value.ts";

export function union(sets: Iterable<RegoSet>): RegoSet {
  const items = new Map<MapKey, Value>();
  for (const set of sets) {
    for (const item of set.unordered()) {
      const key = mapKey(item);
      // The first of equal elements stays: 1 and 1.0 are the same element, but print differently.
      if (!items.has(key)) items.set(key, item);
    }
  }
  return RegoSet.own(items);
}

export function intersection(a: RegoSet, b: RegoSet): RegoSet {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  return select(small, (item) => large.has(item));
}

export function difference(a: RegoSet, b: RegoSet): RegoSet {
  return select(a, (item) => !b.has(item));
}

function select(set: RegoSet, keep: (item: Value) => boolean): RegoSet {
  const items = new Map<MapKey, Value>();
  for (const item of set.unordered()) if (keep(item)) items.set(mapKey(item), item);
  return RegoSet.own(items);
}
