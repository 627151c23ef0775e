import type { JsonPatch, JsonPatchOperation } from "./finding.ts";
import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, jsonEquals, toPointer } from "./json.ts";

/** Lists whose changed middles multiply to more cells than this are compared position by position. */
const maxCells = 40_000;

/** An RFC 6902 patch (add, remove, replace) that turns `before` into `after`, touching as little as it can. */
export function diffJson(before: JsonValue, after: JsonValue): JsonPatch {
  const patch: JsonPatchOperation[] = [];
  diff(before, after, [], patch);
  return patch;
}

function diff(before: JsonValue, after: JsonValue, path: JsonPath, patch: JsonPatchOperation[]): void {
  if (jsonEquals(before, after)) return;
  if (isArray(before) && isArray(after)) diffLists(before, after, path, patch);
  else if (isObject(before) && isObject(after)) diffObjects(before, after, path, patch);
  else patch.push({ op: "replace", path: toPointer(path), value: after });
}

function diffObjects(before: JsonObject, after: JsonObject, path: JsonPath, patch: JsonPatchOperation[]): void {
  const own = (object: JsonObject, key: string) => (Object.hasOwn(object, key) ? object[key] : undefined);
  for (const key of Object.keys(before)) {
    const old = before[key];
    const now = own(after, key);
    if (old === undefined) continue;
    if (now === undefined) patch.push({ op: "remove", path: toPointer([...path, key]) });
    else diff(old, now, [...path, key], patch);
  }
  for (const [key, value] of Object.entries(after)) {
    if (value !== undefined && own(before, key) === undefined) {
      patch.push({ op: "add", path: toPointer([...path, key]), value });
    }
  }
}

function diffLists(before: readonly JsonValue[], after: readonly JsonValue[], path: JsonPath, patch: JsonPatchOperation[]): void {
  let start = 0;
  while (start < before.length && start < after.length && jsonEquals(before[start], after[start])) start++;
  let end = 0;
  const room = Math.min(before.length, after.length) - start;
  while (end < room && jsonEquals(before[before.length - 1 - end], after[after.length - 1 - end])) end++;
  const old = before.slice(start, before.length - end);
  const now = after.slice(start, after.length - end);

  // Between two items that stay, what went and what came are paired by position; the rest is removed or added.
  let at = start;
  let oldFrom = 0;
  let nowFrom = 0;
  for (const [oldTo, nowTo] of [...commonItems(old, now), [old.length, now.length] as const]) {
    at = replaceRun(old.slice(oldFrom, oldTo), now.slice(nowFrom, nowTo), path, at, patch) + 1;
    oldFrom = oldTo + 1;
    nowFrom = nowTo + 1;
  }
}

/** Turns the items of `old` at position `at` into `now`; answers the position behind them. */
function replaceRun(
  old: readonly JsonValue[],
  now: readonly JsonValue[],
  path: JsonPath,
  at: number,
  patch: JsonPatchOperation[],
): number {
  const paired = Math.min(old.length, now.length);
  for (let i = 0; i < paired; i++) diff(old[i] ?? null, now[i] ?? null, [...path, at + i], patch);
  for (let i = old.length - 1; i >= paired; i--) patch.push({ op: "remove", path: toPointer([...path, at + i]) });
  for (const [i, value] of now.entries()) {
    if (i >= paired) patch.push({ op: "add", path: toPointer([...path, at + i]), value });
  }
  return at + now.length;
}

/** Index pairs of a longest common subsequence; none where the lists are too long to compare. */
function commonItems(old: readonly JsonValue[], now: readonly JsonValue[]): readonly (readonly [number, number])[] {
  if (old.length * now.length > maxCells) return [];
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const cell = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      lengths[i * width + j] = jsonEquals(old[i], now[j]) ? cell(i + 1, j + 1) + 1 : Math.max(cell(i + 1, j), cell(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < old.length && j < now.length; ) {
    if (cell(i, j) === 0) break;
    if (jsonEquals(old[i], now[j])) pairs.push([i++, j++]);
    else if (cell(i + 1, j) >= cell(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}
