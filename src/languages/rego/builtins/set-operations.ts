import { RegoSet, type Value } from "../values/value.ts";

export function union(sets: Iterable<RegoSet>): RegoSet {
  const all = RegoSet.draft();
  // The first of equal elements stays: 1 and 1.0 are the same element, but print differently.
  for (const set of sets) for (const item of set.unordered()) all.add(item);
  return all;
}

export function intersection(a: RegoSet, b: RegoSet): RegoSet {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  return select(small, (item) => large.has(item));
}

export function difference(a: RegoSet, b: RegoSet): RegoSet {
  return select(a, (item) => !b.has(item));
}

function select(set: RegoSet, keep: (item: Value) => boolean): RegoSet {
  let kept: RegoSet | undefined;
  for (const item of set.unordered()) {
    if (!keep(item)) continue;
    kept ??= RegoSet.draft();
    kept.add(item);
  }
  return kept ?? RegoSet.empty;
}
