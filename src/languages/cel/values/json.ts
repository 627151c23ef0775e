import type { JsonValue } from "../../../core/json.ts";
import { encodeBase64 } from "../../../core/utf8.ts";
import { elementAt, mapFind, mapKeys } from "./containers.ts";
import { formatSeconds } from "./format.ts";
import { formatTimestamp } from "./time.ts";
import {
  Bytes,
  CelError,
  type CelList,
  CelObject,
  type CelValue,
  Double,
  Duration,
  Failure,
  isList,
  isMap,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from "./value.ts";

/** A value as JSON, as protobuf's JSON mapping has it; an error for what JSON cannot say. */
export function toJson(value: Value): JsonValue | CelError {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof CelError) return value;
  if (value instanceof Failure) return new CelError("outside data is missing");
  if (value instanceof Double) return value.value;
  if (value instanceof Uint) return integer(value.value);
  if (value instanceof Bytes) return encodeBase64(value.data);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatSeconds(value);
  if (value instanceof TypeValue) return value.of.name;
  if (value instanceof Optional) return value.value === undefined ? null : toJson(value.value);
  if (isList(value)) return listToJson(value);
  if (isMap(value)) return mapToJson(value);
  return value instanceof CelObject ? value.toJson() : new CelError("value has no JSON form");
}

function integer(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function listToJson(list: CelList | readonly CelValue[]): JsonValue | CelError {
  const items: JsonValue[] = [];
  for (let i = 0; i < list.length; i++) {
    const item = toJson(elementAt(list, i));
    if (item instanceof CelError) return item;
    items.push(item);
  }
  return items;
}

function mapToJson(map: Parameters<typeof mapKeys>[0]): JsonValue | CelError {
  const members: [string, JsonValue][] = [];
  for (const key of mapKeys(map)) {
    const name = typeof key === "string" ? key : toJson(key);
    if (typeof name !== "string" && typeof name !== "number" && typeof name !== "bigint" && typeof name !== "boolean") {
      return new CelError("map key has no JSON form");
    }
    const member = toJson(mapFind(map, key) ?? null);
    if (member instanceof CelError) return member;
    members.push([String(name), member]);
  }
  // `fromEntries` defines members, so that a key `__proto__` stays a key.
  return Object.fromEntries(members);
}
