import { RegoNumber } from "./number.ts";
import { RegoObject, type Value } from "./value.ts";

/** OPA's total order: null, booleans, numbers, strings, arrays, objects, sets. */
export function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : 1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  const order = rank(a) - rank(b);
  if (order !== 0) return order;
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b);
  if (a instanceof RegoObject && b instanceof RegoObject) {
    const flat = (o: RegoObject): Value[] => o.sorted().flatMap((m) => [m.key, m.value]);
    return compareLists(flat(a), flat(b));
  }
  if (a instanceof RegoNumber || b instanceof RegoNumber) return asNumber(a) - asNumber(b);
  if (typeof a === "boolean") return a ? 1 : -1;
  return "sorted" in Object(a) && "sorted" in Object(b) ? compareLists(itemsOf(a), itemsOf(b)) : 0;
}

export function equalValues(a: Value, b: Value): boolean {
  return a === b || compareValues(a, b) === 0;
}

function itemsOf(value: Value): readonly Value[] {
  return typeof value === "object" && value !== null && "unordered" in value ? value.sorted() : [];
}

const asNumber = (value: Value): number => (value instanceof RegoNumber ? Number(value.text) : Number(value));

function rank(value: Value): number {
  if (value === null) return 0;
  if (typeof value === "boolean") return 1;
  if (typeof value === "number" || value instanceof RegoNumber) return 2;
  if (typeof value === "string") return 3;
  if (Array.isArray(value)) return 4;
  return value instanceof RegoObject ? 5 : 6;
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
