import { compareNumbers, RegoNumber } from "./number.ts";
import { RegoObject, type RegoSet, type Value } from "./value.ts";

/** OPA's total order: null, booleans, numbers, strings, arrays, objects, sets. */
export function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (typeof a === "number" && typeof b === "number") return a - b;
  const order = rank(a) - rank(b);
  if (order !== 0) return order;
  if (typeof a === "boolean") return a ? 1 : -1;
  if (isList(a) && isList(b)) return compareLists(a, b);
  if (a instanceof RegoObject && b instanceof RegoObject) return compareObjects(a, b);
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  return isSet(a) && isSet(b) ? compareLists(a.sorted(), b.sorted()) : 0;
}

export function equalValues(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return (a instanceof RegoNumber || b instanceof RegoNumber) && compareValues(a, b) === 0;
  }
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => equalValues(item, b[i] ?? null));
  if (a instanceof RegoObject) {
    if (!(b instanceof RegoObject)) return false;
    if (a.size !== b.size) return false;
    return a.sorted().every(({ key, value }) => {
      const other = b.get(key);
      return other !== undefined && equalValues(value, other);
    });
  }
  if (isSet(a)) {
    if (!isSet(b) || a.size !== b.size) return false;
    for (const item of a.unordered()) if (!b.has(item)) return false;
    return true;
  }
  return b instanceof RegoNumber && compareNumbers(a, b) === 0;
}

/** The order of the UTF-8 bytes, which is that of the code points: surrogates stand for what lies above U+FFFF. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (x < 0xd800 || y < 0xd800) return x - y;
    return lifted(x) - lifted(y);
  }
  return a.length - b.length;
}

const lifted = (unit: number): number => (unit < 0xe000 ? unit + 0x10000 : unit);

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
const isNumber = (value: Value): value is number | RegoNumber => typeof value === "number" || value instanceof RegoNumber;
const isSet = (value: Value): value is RegoSet =>
  typeof value === "object" && value !== null && !isList(value) && "unordered" in value;

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

/** Keys and values by turns, in the order of the keys. */
function compareObjects(a: RegoObject, b: RegoObject): number {
  const left = a.sorted();
  const right = b.sorted();
  for (const [i, x] of left.entries()) {
    const y = right[i];
    if (y === undefined) return 1;
    const order = compareValues(x.key, y.key) || compareValues(x.value, y.value);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
