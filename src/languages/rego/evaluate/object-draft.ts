import { equalValues } from "../values/compare.ts";
import { type MapKey, mapKey } from "../values/map-key.ts";
import { type Member, RegoObject, RegoSet, type Value } from "../values/value.ts";

interface DraftMember {
  readonly key: Value;
  readonly value: Value | ObjectDraft | SetDraft;
}

class SetDraft {
  readonly items = new Map<MapKey, Value>();
}

/** The object that partial rules make, while they make it. */
export class ObjectDraft {
  readonly #members = new Map<MapKey, DraftMember>();

  /** Puts a value at a path; false: something else is there, or above or below. */
  put(path: readonly Value[], value: Value): boolean {
    return this.#put(path, 0, value);
  }

  #put(path: readonly Value[], i: number, value: Value): boolean {
    const key = path[i];
    if (key === undefined) return false;
    const id = mapKey(key);
    const known = this.#members.get(id)?.value;
    if (i === path.length - 1) {
      if (known === undefined) this.#members.set(id, { key, value });
      return known === undefined || equalValues(finished(known), value);
    }
    const inner = this.#enter(id, key, known);
    return inner === undefined ? false : inner.#put(path, i + 1, value);
  }

  /** Adds to the set at a path; false: what is there is none. */
  add(path: readonly Value[], item: Value): boolean {
    return this.#add(path, 0, item);
  }

  #add(path: readonly Value[], i: number, item: Value): boolean {
    const key = path[i];
    if (key === undefined) return false;
    const id = mapKey(key);
    const known = this.#members.get(id)?.value;
    if (i < path.length - 1) {
      const inner = this.#enter(id, key, known);
      return inner === undefined ? false : inner.#add(path, i + 1, item);
    }
    const set = known ?? new SetDraft();
    if (!(set instanceof SetDraft)) return false;
    if (known === undefined) this.#members.set(id, { key, value: set });
    set.items.set(mapKey(item), item);
    return true;
  }

  #enter(id: MapKey, key: Value, known: DraftMember["value"] | undefined): ObjectDraft | undefined {
    if (known instanceof ObjectDraft) return known;
    if (known !== undefined) return undefined;
    const inner = new ObjectDraft();
    this.#members.set(id, { key, value: inner });
    return inner;
  }

  finish(): RegoObject {
    const members = new Map<MapKey, Member>();
    for (const [id, { key, value }] of this.#members) members.set(id, { key, value: finished(value) });
    return RegoObject.own(members);
  }
}

function finished(value: DraftMember["value"]): Value {
  if (value instanceof ObjectDraft) return value.finish();
  return value instanceof SetDraft ? RegoSet.own(new Map(value.items)) : value;
}
