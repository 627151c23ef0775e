import { toSeconds } from "../../core/duration.ts";
import { parseGoFloat } from "../../core/go-format.ts";
import { isArray, isObject, type JsonValue, jsonEquals } from "../../core/json.ts";
import { compareQuantities, parseQuantity } from "../../core/quantity.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import { durationPair } from "./operator-order.ts";

/** Equality of durations, quantities and numbers by what they mean; a text value may hold wildcards. False for a null key. */
export function equals(key: JsonValue, value: JsonValue): boolean {
  return isEqual(key, value) === true;
}

/** The opposite of `equals`, but for a null key, which is neither equal nor unequal to anything. */
export function notEquals(key: JsonValue, value: JsonValue): boolean {
  return isEqual(key, value) === false;
}

/** Undefined for a key that cannot be compared. */
function isEqual(key: JsonValue, value: JsonValue): boolean | undefined {
  switch (typeof key) {
    case "boolean":
      return key === value;
    case "number":
    case "bigint":
      if (typeof value === "string") return parseGoFloat(value) === Number(key);
      return jsonEquals(key, value);
    case "string":
      return equalsText(key, value);
    default:
      if (key === null) return undefined;
      return (isArray(key) ? isArray(value) : isObject(value)) && jsonEquals(key, value);
  }
}

function equalsText(key: string, value: JsonValue): boolean {
  const durations = durationPair(key, value);
  if (durations !== undefined) return toSeconds(durations[0]) === toSeconds(durations[1]);
  if (typeof value !== "string") return false;
  const quantity = parseQuantity(key);
  // A key that is a quantity is compared as one: no wildcard of the value can match it.
  if (quantity !== undefined) {
    const other = parseQuantity(value);
    return other !== undefined && compareQuantities(quantity, other) === 0;
  }
  return matchWildcard(value, key);
}
