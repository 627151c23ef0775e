import { toSeconds } from "../../../core/duration.ts";
import { decodeUtf8, encodeUtf8 } from "../../../core/utf8.ts";
import { elementAt, mapFind, mapKeys } from "../values/containers.ts";
import { formatDecimal } from "../values/format.ts";
import { doubleValue, isDouble, isInt } from "../values/numbers.ts";
import { compareText } from "../values/text.ts";
import { formatTimestamp } from "../values/time.ts";
import {
  Bytes,
  type CelValue,
  Duration,
  Failure,
  isList,
  isMap,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from "../values/value.ts";
import type { Formatter, Formatters } from "./strings-format.ts";

const defaultPrecision = 6;

/** NaN and infinities have names of their own. */
function named(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return undefined;
  return value < 0 ? "-Infinity" : "Infinity";
}

/** The integer that an int or uint is; undefined for anything else. */
export function integerOf(value: CelValue): bigint | undefined {
  if (isInt(value)) return BigInt(value);
  return value instanceof Uint ? value.value : undefined;
}

function text(value: Value | undefined): string | undefined {
  if (value === undefined || value instanceof Failure) return undefined;
  if (value === null) return "null";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (isDouble(value)) return named(doubleValue(value)) ?? formatDecimal(doubleValue(value));
  const integer = integerOf(value);
  if (integer !== undefined) return integer.toString();
  if (value instanceof Bytes) return decodeUtf8(value.data);
  if (value instanceof Duration) return `${formatDecimal(toSeconds(value.ns))}s`;
  if (value instanceof Timestamp) return formatTimestamp(new Timestamp(value.ns));
  if (value instanceof TypeValue) return value.of.name;
  if (isList(value)) {
    const list = value;
    const items = Array.from({ length: list.length }, (_, i) => text(elementAt(list, i)));
    return items.every((item) => item !== undefined) ? `[${items.join(", ")}]` : undefined;
  }
  return isMap(value) ? mapText(value) : undefined;
}

function mapText(map: Parameters<typeof mapKeys>[0]): string | undefined {
  const entries: [string, string][] = [];
  for (const key of mapKeys(map)) {
    const name = text(key);
    const value = text(mapFind(map, key));
    if (name === undefined || value === undefined) return undefined;
    entries.push([name, value]);
  }
  entries.sort((a, b) => compareText(a[0], b[0]));
  return `{${entries.map(([name, value]) => `${name}: ${value}`).join(", ")}}`;
}

/** The number of an int, uint or double. */
function numberOf(value: CelValue): number | undefined {
  if (isDouble(value)) return doubleValue(value);
  const integer = integerOf(value);
  return integer === undefined ? undefined : Number(integer);
}

/** As Go's `%.<precision>f`: the exact value, halves to even. */
export function fixedPoint(value: number, precision: number): string {
  const [whole = "0", fraction = ""] = exactDecimal(Math.abs(value)).split(".");
  const digits = roundDigits(whole + fraction.padEnd(precision, "0"), whole.length + precision);
  const point = digits.length - precision;
  return withSign(value, precision === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`);
}

/** The first `keep` of the digits, rounded half to even; one more where that carries. */
function roundDigits(digits: string, keep: number): string {
  const head = digits.slice(0, keep);
  const next = digits.charAt(keep);
  const half = next === "5" && /^0*$/.test(digits.slice(keep + 1));
  const up = half ? Number(head.at(-1) ?? "0") % 2 === 1 : next >= "5";
  return up ? (BigInt(head) + 1n).toString().padStart(keep, "0") : head;
}

function withSign(value: number, digits: string): string {
  return value < 0 || Object.is(value, -0) ? `-${digits}` : digits;
}

/** Every digit of a float64. */
function exactDecimal(value: number): string {
  if (Number.isInteger(value)) return BigInt(value).toString();
  let scale = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    scale++;
  }
  const digits = (BigInt(scaled) * 5n ** BigInt(scale)).toString().padStart(scale + 1, "0");
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** As Go's `%.<precision>e`: the exact value, halves to even. */
export function scientific(value: number, precision: number): string {
  const [whole = "0", fraction = ""] = exactDecimal(Math.abs(value)).split(".");
  const all = whole + fraction;
  const first = value === 0 ? 0 : all.search(/[1-9]/);
  const rounded = roundDigits(all.slice(first).padEnd(precision + 1, "0"), precision + 1);
  const power = (value === 0 ? 0 : whole.length - 1 - first) + (rounded.length - precision - 1);
  const mantissa = precision === 0 ? rounded.charAt(0) : `${rounded.charAt(0)}.${rounded.slice(1, precision + 1)}`;
  return withSign(value, `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`);
}

export const binary: Formatter = (value) => (typeof value === "boolean" ? (value ? "1" : "0") : integerOf(value)?.toString(2));

export const octal: Formatter = (value) => integerOf(value)?.toString(8);

export const hex: Formatter = (value) => {
  if (typeof value === "string") return hexBytes(encodeUtf8(value));
  return value instanceof Bytes ? hexBytes(value.data) : integerOf(value)?.toString(16);
};

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function onNumber(formatNumber: (value: number, precision: number) => string): Formatter {
  return (value, precision = defaultPrecision) => {
    const number = numberOf(value);
    return number === undefined ? undefined : (named(number) ?? formatNumber(number, precision));
  };
}

/** Version 4 and later of the string functions. */
export const plainFormatters: Formatters = {
  s: text,
  d: (value) => integerOf(value)?.toString() ?? (isDouble(value) ? text(value) : undefined),
  f: onNumber(fixedPoint),
  e: onNumber(scientific),
  b: binary,
  x: hex,
  X: (value, precision) => hex(value, precision)?.toUpperCase(),
  o: octal,
};
