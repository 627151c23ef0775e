import { indexOf, isNumber, numberText } from "../values/number.ts";
import { RegoObject, RegoSet, type Value } from "../values/value.ts";

/** What stands at a key: an element, a member, or the key itself where it is in a set. */
export function lookup(collection: Value, key: Value): Value | undefined {
  if (collection instanceof RegoObject) return collection.get(key);
  if (isList(collection)) {
    if (typeof key === "number") return collection[key];
    const index = isNumber(key) ? indexOf(key) : undefined;
    return index === undefined ? undefined : collection[index];
  }
  if (collection instanceof RegoSet) return collection.has(key) ? key : undefined;
  return undefined;
}

/** As {@link lookup}, in base documents: references to them are paths of strings, so that `data[2]` finds "2". */
export function baseLookup(collection: Value, key: Value): Value | undefined {
  const found = lookup(collection, key);
  if (found !== undefined) return found;
  if (isNumber(key) && collection instanceof RegoObject) return collection.get(numberText(key));
  return typeof key === "string" && /^(0|[1-9]\d*)$/.test(key) && isList(collection) ? collection[Number(key)] : undefined;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isCollection(value: Value): boolean {
  return isList(value) || value instanceof RegoObject || value instanceof RegoSet;
}

/** Calls `visit` with each key and value in order, until it answers true. */
export function forEachMember(collection: Value, visit: (key: Value, value: Value) => boolean): boolean {
  if (isList(collection)) {
    for (let i = 0; i < collection.length; i++) {
      const item = collection[i];
      if (item !== undefined && visit(i, item)) return true;
    }
    return false;
  }
  if (collection instanceof RegoObject) return collection.some(visit);
  if (collection instanceof RegoSet) {
    for (const item of collection.sorted()) if (visit(item, item)) return true;
  }
  return false;
}

/** The value at a path of keys in a base document. */
export function valueAtPath(root: Value, path: readonly Value[]): Value | undefined {
  let value: Value | undefined = root;
  for (const key of path) {
    if (value === undefined) return undefined;
    value = baseLookup(value, key);
  }
  return value;
}

/** `a` with what `b` has besides, objects in objects merged; where neither can give way, `a` stays. */
export function mergeObjects(a: RegoObject, b: RegoObject): RegoObject {
  const merged: (readonly [Value, Value])[] = [];
  for (const { key, value } of a.sorted()) {
    const other = b.get(key);
    const both = value instanceof RegoObject && other instanceof RegoObject;
    merged.push([key, both ? mergeObjects(value, other) : value]);
  }
  for (const { key, value } of b.sorted()) if (!a.has(key)) merged.push([key, value]);
  return RegoObject.of(merged);
}

/** `root` with `value` at `path`; whatever is in the way gives way. */
export function withValueAt(root: Value | undefined, path: readonly Value[], value: Value): Value {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const object = root instanceof RegoObject ? root : RegoObject.empty;
  const members = object.sorted().map((member) => [member.key, member.value] as const);
  return RegoObject.of([...members, [key, withValueAt(object.get(key), rest, value)]]);
}
