import { elementAt, mapFind, mapKeys, mapSize } from "./containers.ts";
import { compareNumbers, type Numeric } from "./numbers.ts";
import {
  Bytes,
  type CelError,
  CelList,
  CelMap,
  CelObject,
  type CelValue,
  Double,
  Duration,
  Failure,
  isList,
  isMap,
  isPlainObject,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
} from "./value.ts";

export function isNumeric(value: CelValue): value is Numeric {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Double || value instanceof Uint;
}

/**
 * Equality as CEL defines it: across numeric types, deep, false for values of different types.
 * Values that only their own functions read (URLs, quantities ...) give an error against anything else.
 */
export function equalValues(a: CelValue, b: CelValue): boolean | CelError {
  if (a === null || b === null || typeof a === "boolean" || typeof a === "string") return a === b;
  if (isNumeric(a)) return isNumeric(b) && compareNumbers(a, b) === 0;
  if (Array.isArray(a)) return isList(b) && equalLists(a, b);
  if (isPlainObject(a)) return isMap(b) && equalMaps(a, b);
  if (a instanceof CelObject) return a.equals(b);
  if (a instanceof CelList) return a.equals(b) ?? (isList(b) && equalLists(a, b));
  if (a instanceof CelMap) return a.equals(b) ?? (isMap(b) && equalMaps(a, b));
  if (a instanceof Bytes) return b instanceof Bytes && a.size === b.size && a.data.every((byte, i) => byte === b.data[i]);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ns === b.ns;
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.of.name === b.of.name;
  if (a instanceof Optional && b instanceof Optional) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equalValues(a.value, b.value);
  }
  return false;
}

/** Only an unequal pair makes lists unequal: a pair that cannot be compared does not, as in cel-go. */
function equalLists(a: CelList | readonly CelValue[], b: CelList | readonly CelValue[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const left = elementAt(a, i);
    const right = elementAt(b, i);
    if (left instanceof Failure || right instanceof Failure) continue;
    if (equalValues(left, right) === false) return false;
  }
  return true;
}

function equalMaps(a: Parameters<typeof mapSize>[0], b: Parameters<typeof mapSize>[0]): boolean {
  if (mapSize(a) !== mapSize(b)) return false;
  for (const key of mapKeys(a)) {
    const left = mapFind(a, key);
    const right = mapFind(b, key);
    if (right === undefined) return false;
    if (left === undefined || left instanceof Failure || right instanceof Failure) continue;
    if (equalValues(left, right) === false) return false;
  }
  return true;
}
