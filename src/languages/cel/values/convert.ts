import { parseDuration } from "../../../core/duration.ts";
import { parseGoFloat } from "../../../core/go-format.ts";
import { decodeUtf8, encodeUtf8, isUtf8 } from "../../../core/utf8.ts";
import { formatDouble, formatSeconds } from "./format.ts";
import { doubleToInt, doubleToUint, makeDouble, makeInt, maxUint, uintToInt } from "./numbers.ts";
import { floorDivide, formatTimestamp, makeTimestamp, parseTimestamp } from "./time.ts";
import { typeOf } from "./type-of.ts";
import { Bytes, CelError, type CelValue, Double, Duration, Timestamp, TypeValue, Uint, type Value } from "./value.ts";

function cannot(value: CelValue, to: string): CelError {
  return new CelError(`type conversion error from '${typeOf(value).name}' to '${to}'`);
}

/** The number of a bare double or a {@link Double}; undefined for anything else. */
function asDouble(value: CelValue): number | undefined {
  if (value instanceof Double) return value.value;
  return typeof value === "number" && !Number.isSafeInteger(value) ? value : undefined;
}

export function toInt(value: CelValue): Value {
  const double = asDouble(value);
  if (double !== undefined) return doubleToInt(double);
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (value instanceof Uint) return uintToInt(value);
  if (value instanceof Timestamp) return makeInt(floorDivide(value.ns, 1_000_000_000n));
  if (value instanceof Duration) return makeInt(value.ns);
  if (typeof value === "string" && /^[-+]?\d+$/.test(value)) {
    const parsed = makeInt(BigInt(value.replace("+", "")));
    if (!(parsed instanceof CelError)) return parsed;
  }
  return cannot(value, "int");
}

export function toUint(value: CelValue): Value {
  const double = asDouble(value);
  if (double !== undefined) return doubleToUint(double);
  if (typeof value === "number" || typeof value === "bigint") {
    return value < 0 ? new CelError("unsigned integer overflow") : new Uint(BigInt(value));
  }
  if (value instanceof Uint) return value;
  if (typeof value === "string" && /^\d+$/.test(value) && BigInt(value) <= maxUint) return new Uint(BigInt(value));
  return cannot(value, "uint");
}

export function toDouble(value: CelValue): Value {
  if (asDouble(value) !== undefined) return value;
  if (typeof value === "number" || typeof value === "bigint") return makeDouble(Number(value));
  if (value instanceof Uint) return makeDouble(Number(value.value));
  const parsed = typeof value === "string" ? parseGoFloat(value) : undefined;
  return parsed === undefined ? cannot(value, "double") : makeDouble(parsed);
}

export function toText(value: CelValue): Value {
  const double = asDouble(value);
  if (double !== undefined) return formatDouble(double);
  if (value === null || typeof value !== "object") return String(value);
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatSeconds(value);
  if (value instanceof TypeValue) return value.of.name;
  if (value instanceof Bytes) {
    return isUtf8(value.data) ? decodeUtf8(value.data) : new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
  return cannot(value, "string");
}

export function toBytes(value: CelValue): Value {
  if (value instanceof Bytes) return value;
  return typeof value === "string" ? new Bytes(encodeUtf8(value)) : cannot(value, "bytes");
}

const truths = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

export function toBool(value: CelValue): Value {
  if (typeof value === "boolean") return value;
  return (typeof value === "string" ? truths.get(value) : undefined) ?? cannot(value, "bool");
}

export function toDuration(value: CelValue): Value {
  if (value instanceof Duration) return value;
  const parsed = typeof value === "string" ? parseDuration(value) : undefined;
  return parsed === undefined ? cannot(value, "google.protobuf.Duration") : new Duration(parsed);
}

export function toTimestamp(value: CelValue): Value {
  if (value instanceof Timestamp) return value;
  if ((typeof value === "number" && Number.isSafeInteger(value)) || typeof value === "bigint") {
    return makeTimestamp(BigInt(value) * 1_000_000_000n);
  }
  const parsed = typeof value === "string" ? parseTimestamp(value) : undefined;
  return parsed ?? cannot(value, "google.protobuf.Timestamp");
}
