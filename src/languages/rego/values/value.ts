import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { isArray, isObject } from "../../../core/json.ts";
import { compareStrings, compareValues } from "./compare.ts";
import type { MapKey } from "./map-key.ts";
import { mapKey } from "./map-key.ts";
import type { RegoNumber } from "./number.ts";
import { bigintNumber } from "./number.ts";

/**
 * A Rego value; never changed once made.
 *
 * - Numbers: a JavaScript `number` stands for the decimal that it prints as; whatever it cannot carry (big integers,
 *   more digits, a spelling such as `1.0`) is a {@link RegoNumber}. `parseNumber` of number.ts chooses.
 * - Arrays are JavaScript arrays.
 * - Objects and sets keep insertion order inside and sort on demand: OPA's total order on values (compare.ts).
 */
export type Value = null | boolean | number | string | RegoNumber | readonly Value[] | RegoObject | RegoSet;

/** A member of an object. */
export interface Member {
  readonly key: Value;
  readonly value: Value;
}

const byKey = (a: Member, b: Member): number => compareValues(a.key, b.key);

/** Sorts members, most of which come in order. */
function inOrder(members: Member[]): Member[] {
  for (let i = 1; i < members.length; i++) {
    const before = members[i - 1];
    const member = members[i];
    if (before !== undefined && member !== undefined && byKey(before, member) > 0) return members.sort(byKey);
  }
  return members;
}

function keysInOrder(json: JsonObject): readonly string[] {
  const keys = Object.keys(json);
  for (let i = 1; i < keys.length; i++)
    if (compareStrings(keys[i - 1] ?? "", keys[i] ?? "") > 0) return keys.sort(compareStrings);
  return keys;
}

/** An object: keys are any values. Made from JSON it reads members only when they are asked for. */
export class RegoObject {
  static readonly empty: RegoObject = new RegoObject(undefined, new Map());

  readonly #json: JsonObject | undefined;
  /** All members; of `#json` those that were asked for and are composite, but for the first such. */
  #members: Map<MapKey, Member> | undefined;
  /** Mostly one composite member is asked for, for which a map is much. */
  #first: Member | undefined;
  #sorted: readonly Member[] | undefined;
  /** Of `#json`, in order. */
  #keys: readonly string[] | undefined;

  private constructor(json: JsonObject | undefined, members: Map<MapKey, Member> | undefined) {
    this.#json = json;
    this.#members = members;
  }

  static fromJson(json: JsonObject): RegoObject {
    return new RegoObject(json, undefined);
  }

  /** Later members replace earlier ones of the same key, which stays as it was first written (1 equals 1.0). */
  static of(members: Iterable<readonly [Value, Value]>): RegoObject {
    const map = new Map<MapKey, Member>();
    for (const [key, value] of members) {
      const at = mapKey(key);
      map.set(at, { key: map.get(at)?.key ?? key, value });
    }
    return new RegoObject(undefined, map);
  }

  /** Takes `members` over: the caller must not change it any more. */
  static own(members: Map<MapKey, Member>): RegoObject {
    return new RegoObject(undefined, members);
  }

  get(key: Value): Value | undefined {
    if (this.#json === undefined) return this.#members?.get(mapKey(key))?.value;
    return typeof key === "string" ? this.field(key) : undefined;
  }

  /** The member of a string key. */
  field(key: string): Value | undefined {
    const json = this.#json;
    if (json === undefined) return this.#members?.get(mapKey(key))?.value;
    const raw = json[key];
    if (raw === undefined || raw === null || typeof raw === "string" || typeof raw === "boolean") return raw;
    if (typeof raw === "number") return raw;
    // What every object inherits: functions, and what `__proto__` names.
    if (typeof raw === "function" || (key === "__proto__" && !Object.hasOwn(json, key))) return undefined;
    if (this.#first?.key === key) return this.#first.value;
    const known = this.#members?.get(key);
    if (known !== undefined) return known.value;
    const value = fromJson(raw);
    this.#keep({ key, value }, key);
    return value;
  }

  #keep(member: Member, key: string): void {
    if (this.#first === undefined) {
      this.#first = member;
      return;
    }
    this.#members ??= new Map();
    this.#members.set(key, member);
  }

  has(key: Value): boolean {
    return this.get(key) !== undefined;
  }

  get size(): number {
    return this.#json === undefined ? (this.#members?.size ?? 0) : this.sorted().length;
  }

  /** The members in the order of their keys. */
  sorted(): readonly Member[] {
    this.#sorted ??= inOrder(this.#unsorted());
    return this.#sorted;
  }

  #unsorted(): Member[] {
    const json = this.#json;
    if (json === undefined) return [...(this.#members?.values() ?? [])];
    const members: Member[] = [];
    for (const key of Object.keys(json)) {
      const value = this.field(key);
      if (value !== undefined) members.push({ key, value });
    }
    return members;
  }

  /** Calls `visit` with each key and value in the order of the keys, until it answers true; answers whether it did. */
  some(visit: (key: Value, value: Value) => boolean): boolean {
    const json = this.#json;
    if (json === undefined || this.#sorted !== undefined) {
      for (const { key, value } of this.sorted()) if (visit(key, value)) return true;
      return false;
    }
    this.#keys ??= keysInOrder(json);
    for (const key of this.#keys) {
      const value = this.field(key);
      if (value !== undefined && visit(key, value)) return true;
    }
    return false;
  }
}

/** Fewer elements are looked through one by one, which costs less than their keys. */
const few = 16;

/** A set. */
export class RegoSet {
  static readonly empty: RegoSet = new RegoSet([]);

  /** A few elements as they came, equal ones among them; undefined: they are in `#items`. */
  #list: Value[] | undefined;
  #items: Map<MapKey, Value> | undefined;
  #sorted: readonly Value[] | undefined;

  private constructor(list: Value[] | undefined, items?: Map<MapKey, Value>) {
    this.#list = list;
    this.#items = items;
  }

  /** Of equal values the first stays (1 equals 1.0). */
  static of(values: Iterable<Value>): RegoSet {
    const set = RegoSet.draft();
    for (const value of values) set.add(value);
    return set;
  }

  /** Takes `items` over: the caller must not change it any more. */
  static own(items: Map<MapKey, Value>): RegoSet {
    return new RegoSet(undefined, items);
  }

  /** A set that whoever made it may {@link add} to until somebody else sees it. */
  static draft(): RegoSet {
    return new RegoSet([]);
  }

  add(value: Value): void {
    if (this.#list === undefined) put(this.#byKey(), value);
    else if (this.#list.push(value) > few) this.#byKey();
  }

  #byKey(): Map<MapKey, Value> {
    if (this.#items !== undefined) return this.#items;
    const items = new Map<MapKey, Value>();
    for (const value of this.#list ?? []) put(items, value);
    this.#items = items;
    this.#list = undefined;
    return items;
  }

  has(value: Value): boolean {
    // A text equals itself only.
    if (this.#list !== undefined && (typeof value === "string" || this.#list.length === 0)) return this.#list.includes(value);
    return this.#byKey().has(mapKey(value));
  }

  get size(): number {
    return this.#list !== undefined && this.#list.length < 2 ? this.#list.length : this.#byKey().size;
  }

  /** The elements in order. */
  sorted(): readonly Value[] {
    this.#sorted ??= this.#list === undefined ? [...this.#byKey().values()].sort(compareValues) : distinct(this.#list);
    return this.#sorted;
  }

  /** The elements in no particular order: for work whose outcome does not depend on it. */
  unordered(): Iterable<Value> {
    return this.#list !== undefined && this.#list.length < 2 ? this.#list : this.#byKey().values();
  }
}

function put(items: Map<MapKey, Value>, value: Value): void {
  const key = mapKey(value);
  // What is its own key is equal to nothing else.
  if (key === value || !items.has(key)) items.set(key, value);
}

/** In order, and the first of those that are equal. */
function distinct(values: readonly Value[]): readonly Value[] {
  const sorted = values.toSorted(compareValues);
  return sorted.filter((value, i) => i === 0 || compareValues(sorted[i - 1] ?? null, value) !== 0);
}

/** The Rego value of JSON. Objects are read when they are asked for, so `json` must not change afterwards. */
export function fromJson(json: JsonValue): Value {
  if (typeof json === "bigint") return bigintNumber(json);
  if (isArray(json)) return json.map(fromJson);
  return isObject(json) ? RegoObject.fromJson(json) : json;
}
