import { isObject, type JsonValue } from "../../../src/core/json.ts";
import { decodeBase64 } from "../../../src/core/utf8.ts";
import { structType } from "../../../src/languages/cel/types.ts";
import { elementAt, MapBuilder, mapFind, mapKeys } from "../../../src/languages/cel/values/containers.ts";
import { equalValues } from "../../../src/languages/cel/values/equality.ts";
import {
  compareNumbers,
  doubleValue,
  isDouble,
  isInt,
  makeDouble,
  makeInt,
  makeUint,
} from "../../../src/languages/cel/values/numbers.ts";
import { typeOf } from "../../../src/languages/cel/values/type-of.ts";
import { Bytes, type CelValue, Failure, isList, isMap, TypeValue, type Value } from "../../../src/languages/cel/values/value.ts";
import { field, repeated } from "./spec-types.ts";

function sound(value: Value): CelValue {
  if (value instanceof Failure) throw new Error("the case holds a value that is out of range");
  return value;
}

function decodeDouble(value: JsonValue): number {
  if (typeof value === "number") return value;
  const text = String(value).toLowerCase();
  if (text.includes("inf")) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return text === "nan" ? Number.NaN : Number(text);
}

/** cel.expr.Value in JSON; undefined for values of message types. */
export function decodeValue(value: JsonValue | undefined): CelValue | undefined {
  if (!isObject(value)) return undefined;
  const entry = Object.entries(value)[0];
  if (entry === undefined) return undefined;
  const [kind, content = null] = entry;
  switch (kind.replace(/_(\w)/g, (_, char: string) => char.toUpperCase())) {
    case "nullValue":
      return null;
    case "boolValue":
      return content === true;
    case "stringValue":
      return String(content);
    case "int64Value":
      return sound(makeInt(BigInt(String(content))));
    case "uint64Value":
      return sound(makeUint(BigInt(String(content))));
    case "doubleValue":
      return makeDouble(decodeDouble(content));
    case "bytesValue":
      return new Bytes(decodeBase64(isObject(content) ? String(content["$b64"]) : String(content)) ?? new Uint8Array());
    case "typeValue":
      return new TypeValue(structType(String(content)));
    case "listValue": {
      const items = repeated(content, "values").map(decodeValue);
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case "mapValue": {
      const map = new MapBuilder();
      for (const item of repeated(content, "entries")) {
        const key = decodeValue(field(item, "key"));
        const member = decodeValue(field(item, "value"));
        if (key === undefined || member === undefined) return undefined;
        map.set(key, member);
      }
      return map.build();
    }
    default:
      return undefined;
  }
}

/** Whether two values are the same, types included: `1` is not `1.0` here, and NaN is NaN. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined || a instanceof Failure || b instanceof Failure) return false;
  if (typeOf(a).name !== typeOf(b).name) return false;
  if (isDouble(a) && isDouble(b)) {
    return compareNumbers(a, b) === 0 || (Number.isNaN(doubleValue(a)) && Number.isNaN(doubleValue(b)));
  }
  if (isInt(a)) return a === b;
  if (isList(a) && isList(b)) {
    const other = b;
    return (
      a.length === b.length &&
      Array.from({ length: a.length }, (_, i) => sameValue(elementAt(a, i), elementAt(other, i))).every(Boolean)
    );
  }
  if (isMap(a) && isMap(b)) {
    const keys = mapKeys(a);
    const other = b;
    return keys.length === mapKeys(b).length && keys.every((key) => sameValue(mapFind(a, key), mapFind(other, key)));
  }
  return equalValues(a, b) === true;
}
