import { isNumeric } from "./equality.ts";
import { compareNumbers } from "./numbers.ts";
import { compareText } from "./text.ts";
import { Bytes, CelError, type CelValue, Duration, noSuchOverload, Timestamp } from "./value.ts";

function order<T extends bigint | number>(a: T, b: T): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): -1 | 0 | 1 {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const byte = order(a[i] ?? 0, b[i] ?? 0);
    if (byte !== 0) return byte;
  }
  return order(a.length, b.length);
}

/** Whether values of this kind have an order at all. */
export function isComparable(value: CelValue): boolean {
  return (
    typeof value === "string" ||
    typeof value === "boolean" ||
    isNumeric(value) ||
    value instanceof Bytes ||
    value instanceof Timestamp ||
    value instanceof Duration
  );
}

/** The order of two values of the same kind; numbers of all types are one kind. */
export function compareValues(a: CelValue, b: CelValue): -1 | 0 | 1 | CelError {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b) ?? unordered();
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return order(Number(a), Number(b));
  if (a instanceof Timestamp && b instanceof Timestamp) return order(a.ns, b.ns);
  if (a instanceof Duration && b instanceof Duration) return order(a.ns, b.ns);
  if (a instanceof Bytes && b instanceof Bytes) return compareBytes(a.data, b.data);
  return typeof a === "number" && Number.isNaN(a) ? unordered() : noSuchOverload();
}

function unordered(): CelError {
  return new CelError("NaN values cannot be ordered");
}
