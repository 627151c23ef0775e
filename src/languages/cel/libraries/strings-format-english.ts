import { quoteGo } from "../../../core/go-quote.ts";
import { elementAt, mapFind, mapKeys } from "../values/containers.ts";
import { toText } from "../values/convert.ts";
import { formatSeconds } from "../values/format.ts";
import { doubleValue, isDouble } from "../values/numbers.ts";
import { compareText } from "../values/text.ts";
import { formatTimestamp } from "../values/time.ts";
import { Bytes, type CelList, type CelValue, Duration, Failure, isList, isMap, Timestamp, type Value } from "../values/value.ts";
import type { Formatter, Formatters } from "./strings-format.ts";
import { binary, fixedPoint, hex, integerOf, octal, scientific } from "./strings-format-plain.ts";

const defaultPrecision = 6;

function text(value: CelValue): string | undefined {
  if (value === null) return "null";
  if (isList(value)) return listText(value);
  if (isMap(value)) return mapText(value);
  const converted = toText(value);
  return typeof converted === "string" ? converted : undefined;
}

/** A value within a list or map: strings are quoted, doubles have six decimals. */
function inner(value: Value | undefined): string | undefined {
  if (value === undefined || value instanceof Failure) return undefined;
  if (typeof value === "string") return quoteGo(value);
  if (value instanceof Timestamp) return `timestamp(${quoteGo(formatTimestamp(value))})`;
  if (value instanceof Duration) return `duration(${quoteGo(formatSeconds(value))})`;
  if (isDouble(value)) return goName(doubleValue(value)) ?? fixedPoint(doubleValue(value), defaultPrecision);
  const plain = text(value);
  return value instanceof Bytes && plain !== undefined ? `b${quoteGo(plain)}` : plain;
}

/** In quotes, as they stand within lists. */
function goName(value: number): string | undefined {
  if (Number.isNaN(value)) return '"NaN"';
  return Number.isFinite(value) ? undefined : value < 0 ? '"-Inf"' : '"+Inf"';
}

function listText(list: CelList | readonly CelValue[]): string | undefined {
  const items = Array.from({ length: list.length }, (_, i) => inner(elementAt(list, i)));
  return items.every((item) => item !== undefined) ? `[${items.join(", ")}]` : undefined;
}

function mapText(map: Parameters<typeof mapKeys>[0]): string | undefined {
  const entries: [string, string][] = [];
  for (const key of mapKeys(map)) {
    const isKey = typeof key === "string" || typeof key === "boolean" || integerOf(key) !== undefined;
    const name = isKey ? inner(key) : undefined;
    const value = inner(mapFind(map, key));
    if (name === undefined || value === undefined) return undefined;
    entries.push([name, value]);
  }
  entries.sort((a, b) => compareText(a[0], b[0]));
  return `{${entries.map(([name, value]) => `${name}:${value}`).join(", ")}}`;
}

/** The double that `%f` and `%e` take: also written as one of the three names. */
function doubleOf(value: CelValue): number | undefined {
  if (isDouble(value)) return doubleValue(value);
  if (value === "NaN") return Number.NaN;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  return value === "-Infinity" ? Number.NEGATIVE_INFINITY : undefined;
}

function symbol(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? undefined : value < 0 ? "-\u221e" : "\u221e";
}

/** With a comma between thousands. */
function grouped(digits: string): string {
  const [whole = "", fraction] = digits.split(".");
  const commas = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? commas : `${commas}.${fraction}`;
}

const superscripts = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

const fixed: Formatter = (value, precision = defaultPrecision) => {
  const number = doubleOf(value);
  // `+ 0` takes the sign off a zero.
  return number === undefined ? undefined : (symbol(number) ?? grouped(fixedPoint(number + 0, precision)));
};

/** `1.234568x10^03` in print; the precision is taken for a width, and six decimals are always shown. */
const english: Formatter = (value, precision = defaultPrecision) => {
  const number = doubleOf(value);
  if (number === undefined) return undefined;
  const special = symbol(number);
  if (special !== undefined) return special.padStart(precision);
  const [mantissa = "", exponent = ""] = scientific(number + 0, defaultPrecision).split("e");
  const power = Array.from(exponent, (char) =>
    char === "+" ? "" : char === "-" ? "\u207b" : (superscripts[Number(char)] ?? ""),
  );
  return `${mantissa}\u00d710${power.join("")}`.padStart(precision);
};

/** Versions before 4 of the string functions: numbers as they are printed in English. */
export const englishFormatters: Formatters = {
  s: text,
  d: (value) => integerOf(value)?.toString(),
  f: fixed,
  e: english,
  b: binary,
  x: hex,
  X: (value, precision) => hex(value, precision)?.toUpperCase(),
  o: octal,
};
