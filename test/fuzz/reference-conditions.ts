import { isArray, isObject, type JsonValue } from "../../src/core/json.ts";

/**
 * A slow and plain reading of Kyverno's conditions on small keys and values: texts with `*` and `?`, whole numbers,
 * durations in seconds (`5s`), ranges of whole numbers (`1-3`), booleans, null, lists and objects; no variables.
 */
export function referenceMet(conditions: JsonValue): boolean {
  if (isArray(conditions)) return conditions.every(met);
  if (!isObject(conditions)) return true;
  const any = conditions["any"];
  const all = conditions["all"];
  return (!isArray(any) || any.some(met)) && (!isArray(all) || all.every(met));
}

function met(condition: JsonValue): boolean {
  if (!isObject(condition)) return false;
  return operate(String(condition["operator"]), condition["key"] ?? null, condition["value"] ?? null);
}

function operate(operator: string, key: JsonValue, value: JsonValue): boolean {
  switch (operator) {
    case "Equals":
      return key !== null && same(key, value);
    case "NotEquals":
      return key !== null && !same(key, value);
    case "AnyIn":
      return search(key, value, (keys, has) => keys.some(has));
    case "AllIn":
      return search(key, value, (keys, has) => keys.every(has));
    case "AnyNotIn":
      return outside(key, value) ?? search(key, value, (keys, has) => keys.some((k) => !has(k)));
    case "AllNotIn":
      return search(key, value, (keys, has) => keys.every((k) => !has(k)));
    default:
      return compare(operator, key, value);
  }
}

/** A duration's seconds, `5s`. */
function seconds(value: JsonValue): number | undefined {
  const digits = typeof value === "string" ? /^(\d+)s$/.exec(value)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

function whole(value: JsonValue): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : undefined;
}

function glob(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`).test(text);
}

/** Both as seconds, if one is a duration and the other a duration or a number. */
function durations(key: JsonValue, value: JsonValue): readonly [number, number] | undefined {
  const [a, b] = [seconds(key), seconds(value)];
  if (a === undefined && b === undefined) return undefined;
  const [left, right] = [a ?? (typeof key === "number" ? key : undefined), b ?? (typeof value === "number" ? value : undefined)];
  return left === undefined || right === undefined ? undefined : [left, right];
}

function same(key: JsonValue, value: JsonValue): boolean {
  if (typeof key === "number") return whole(value) === key;
  if (typeof key === "string") {
    const pair = durations(key, value);
    if (pair !== undefined) return pair[0] === pair[1];
    if (typeof value !== "string") return false;
    return whole(key) === undefined ? glob(value, key) : whole(key) === whole(value);
  }
  return JSON.stringify(sorted(key)) === JSON.stringify(sorted(value));
}

function sorted(value: JsonValue): unknown {
  if (isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key] ?? null)]);
}

/** A list of keys is searched key by key; a single key is a list of one, but for a value that is no list and no text. */
function search(
  key: JsonValue,
  value: JsonValue,
  judge: (keys: readonly string[], has: (key: string) => boolean) => boolean,
): boolean {
  if (key === null || isObject(key)) return false;
  const many = isArray(key);
  const keys = many ? key.map(String) : [String(key)];
  if (isArray(value)) return judge(keys, (k) => value.some((v) => glob(String(v), k) || glob(k, String(v))));
  if (typeof value !== "string") return false;
  const range = rangeShape.exec(value);
  const within = (k: string) =>
    k === value || (/^\d+$/.test(k) && Number(k) >= Number(range?.[1]) && Number(k) <= Number(range?.[2]));
  if (range !== null) return judge(keys, within);
  return judge(keys, (k) => glob(value, k) || (many && glob(k, value)));
}

const rangeShape = /^(\d+)-(\d+)$/;

/** Of several keys, one has to lie below or above a range; a key that is no number does neither. */
function outside(key: JsonValue, value: JsonValue): boolean | undefined {
  const range = typeof value === "string" ? rangeShape.exec(value) : null;
  if (range === null || !isArray(key) || (key.length === 1 && key[0] === value)) return undefined;
  return key.some((k) => /^\d+$/.test(String(k)) && (Number(k) < Number(range[1]) || Number(k) > Number(range[2])));
}

function compare(operator: string, key: JsonValue, value: JsonValue): boolean {
  // A key that is a number in text counts as seconds against a duration; a value that is one does not.
  const pair = durations(whole(key) ?? key, value) ?? [whole(key), whole(value)];
  const [a, b] = pair;
  if (a === undefined || b === undefined) return false;
  switch (operator) {
    case "GreaterThan":
      return a > b;
    case "GreaterThanOrEquals":
      return a >= b;
    case "LessThan":
      return a < b;
    default:
      return a <= b;
  }
}
