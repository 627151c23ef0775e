/**
 * A set of whole numbers as sorted, disjoint, half-open intervals, flat: `[80, 81, 443, 444]` is {80, 443}.
 * Half-open bounds make every operation a merge of bounds, for ports (number) and IPv6 addresses (bigint) alike.
 */
export type IntervalSet<T extends NonNullable<unknown>> = readonly T[];

/** The lower of two bounds, as far as there are any. */
function lower<T extends NonNullable<unknown>>(x: T | undefined, y: T | undefined): T | undefined {
  if (x === undefined) return y;
  return y === undefined || x < y ? x : y;
}

/** Keeps where `wanted(in a, in b)` holds; `wanted(false, false)` must be false. */
function combine<T extends NonNullable<unknown>>(
  a: IntervalSet<T>,
  b: IntervalSet<T>,
  wanted: (inA: boolean, inB: boolean) => boolean,
): IntervalSet<T> {
  const result: T[] = [];
  let [i, j] = [0, 0];
  let inside = false;
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    const at = lower(x, y);
    if (x === at) i++;
    if (y === at) j++;
    const now = wanted((i & 1) === 1, (j & 1) === 1);
    if (now !== inside && at !== undefined) result.push(at);
    inside = now;
  }
  return result;
}

export function unionOf<T extends NonNullable<unknown>>(a: IntervalSet<T>, b: IntervalSet<T>): IntervalSet<T> {
  if (a.length === 0 || a === b) return b;
  return b.length === 0 ? a : combine(a, b, (x, y) => x || y);
}

export function intersectionOf<T extends NonNullable<unknown>>(a: IntervalSet<T>, b: IntervalSet<T>): IntervalSet<T> {
  if (a.length === 0 || a === b) return a;
  return b.length === 0 ? b : combine(a, b, (x, y) => x && y);
}

/** What is in `a` and not in `b`. */
export function differenceOf<T extends NonNullable<unknown>>(a: IntervalSet<T>, b: IntervalSet<T>): IntervalSet<T> {
  return a.length === 0 || b.length === 0 ? a : combine(a, b, (x, y) => x && !y);
}

export function sameIntervals<T extends NonNullable<unknown>>(a: IntervalSet<T>, b: IntervalSet<T>): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));
}

/** Binary search: whether `value` is in the set. */
export function holds<T extends NonNullable<unknown>>(set: IntervalSet<T>, value: T): boolean {
  let [low, high] = [0, set.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const bound = set[middle];
    if (bound !== undefined && bound <= value) low = middle + 1;
    else high = middle;
  }
  return (low & 1) === 1;
}

/** The intervals as pairs `[from, end)`. */
export function intervalsOf<T extends NonNullable<unknown>>(set: IntervalSet<T>): (readonly [T, T])[] {
  const pairs: (readonly [T, T])[] = [];
  for (let i = 0; i + 1 < set.length; i += 2) {
    const [from, end] = [set[i], set[i + 1]];
    if (from !== undefined && end !== undefined) pairs.push([from, end]);
  }
  return pairs;
}
