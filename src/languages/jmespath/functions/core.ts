import { formatGoJson, parseGoFloat } from "../../../core/go-format.ts";
import { isArray, type JsonObject, type JsonValue, jsonEquals } from "../../../core/json.ts";
import { isNumber, memberValues } from "../compile.ts";
import { JmesPathError, NotFound } from "../errors.ts";
import { define, defineVariadic, type Functions } from "./call.ts";

type Key = (item: JsonValue) => JsonValue | NotFound;

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first of the largest (`sign` 1) or smallest (-1) items; null for none. */
function extreme<T extends number | string>(items: readonly T[], sign: 1 | -1): T | null {
  let best: T | null = null;
  for (const item of items) if (best === null || compare(item, best) * sign > 0) best = item;
  return best;
}

/** The sort keys of all items: all numbers or all strings. */
function keysOf(items: readonly JsonValue[], key: Key): (number | string)[] {
  const keys = items.map((item) => {
    const value = key(item);
    if (typeof value === "string" || typeof value === "number") return value;
    if (typeof value === "bigint") return Number(value);
    throw new JmesPathError("invalid type, must be number of string");
  });
  const type = typeof keys[0];
  if (keys.some((k) => typeof k !== type)) throw new JmesPathError(`invalid type, must be ${type}`);
  return keys;
}

function extremeBy(items: readonly JsonValue[], key: Key, sign: 1 | -1): JsonValue {
  if (items.length === 1) return items[0] ?? null;
  const keys = keysOf(items, key);
  const best = extreme(keys, sign);
  return best === null ? null : (items[keys.indexOf(best)] ?? null);
}

function sortBy(items: readonly JsonValue[], key: Key): JsonValue {
  if (items.length < 2) return items;
  const keys = keysOf(items, key);
  const order = keys.map((value, index) => ({ value, index })).sort((a, b) => compare(a.value, b.value));
  return order.map(({ index }) => items[index] ?? null);
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

function typeOf(value: JsonValue): string {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  return isNumber(value) ? "number" : typeof value;
}

function toNumber(value: JsonValue): JsonValue {
  if (isNumber(value)) return value;
  return typeof value === "string" ? (parseGoFloat(value) ?? null) : null;
}

/** The functions of jmespath.org's specification. */
export const coreFunctions: Functions = {
  abs: define(["number"], ([n]) => Math.abs(n)),
  avg: define(["numbers"], ([items]) => (items.length === 0 ? null : total(items) / items.length)),
  ceil: define(["number"], ([n]) => Math.ceil(n)),
  contains: define([["array", "string"], "any"], ([where, what]) => {
    if (typeof where === "string") return typeof what === "string" && where.includes(what);
    return where.some((item) => jsonEquals(item, what));
  }),
  ends_with: define(["string", "string"], ([text, suffix]) => text.endsWith(suffix)),
  floor: define(["number"], ([n]) => Math.floor(n)),
  join: define(["string", "strings"], ([separator, items]) => items.join(separator)),
  keys: define(["object"], ([object]) => Object.keys(object)),
  length: define([["string", "array", "object"]], ([value]) => {
    if (typeof value === "string") return Array.from(value).length;
    return isArray(value) ? value.length : Object.keys(value).length;
  }),
  map: define(["expression", "array"], ([body, items]) =>
    items.map((item) => {
      const value = body(item);
      return value instanceof NotFound ? null : value;
    }),
  ),
  max: define([["numbers", "strings"]], ([items]) => extreme<number | string>(items, 1)),
  max_by: define(["array", "expression"], ([items, key]) => extremeBy(items, key, 1)),
  merge: defineVariadic("object", (objects) => Object.assign({}, ...objects) as JsonObject),
  min: define([["numbers", "strings"]], ([items]) => extreme<number | string>(items, -1)),
  min_by: define(["array", "expression"], ([items, key]) => extremeBy(items, key, -1)),
  not_null: defineVariadic("any", (values) => values.find((value) => value !== null) ?? null),
  reverse: define([["array", "string"]], ([value]) =>
    typeof value === "string" ? Array.from(value).reverse().join("") : value.toReversed(),
  ),
  sort: define([["strings", "numbers"]], ([items]) => [...(items as readonly (number | string)[])].sort(compare)),
  sort_by: define(["array", "expression"], ([items, key]) => sortBy(items, key)),
  starts_with: define(["string", "string"], ([text, prefix]) => text.startsWith(prefix)),
  sum: define(["numbers"], ([items]) => total(items)),
  to_array: define(["any"], ([value]) => (isArray(value) ? value : [value])),
  to_number: define(["any"], ([value]) => toNumber(value)),
  to_string: define(["any"], ([value]) => (typeof value === "string" ? value : formatGoJson(value))),
  type: define(["any"], ([value]) => typeOf(value)),
  values: define(["object"], ([object]) => memberValues(object)),
};
