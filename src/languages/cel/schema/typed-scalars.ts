import { parseDuration, wrapDuration } from "../../../core/duration.ts";
import { type GoTime, parseGoTime } from "../../../core/go-time.ts";
import type { JsonValue } from "../../../core/json.ts";
import { decodeBase64 } from "../../../core/utf8.ts";
import { isInt, makeDouble } from "../values/numbers.ts";
import { Bytes, CelError, Duration, Timestamp, type Value } from "../values/value.ts";
import type { CelSchema } from "./schema.ts";

/** The Go type of a JSON value, which Kubernetes' messages name. */
function goType(value: JsonValue): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "object") return "map[string]interface {}";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  return isInt(value) ? "int64" : "float64";
}

function unexpected(wanted: string, value: JsonValue): CelError {
  return new CelError(`invalid data, expected ${wanted}, got ${goType(value)}`);
}

const units: readonly (readonly [names: readonly string[], nanoseconds: bigint])[] = [
  [["ns", "nano"], 1n],
  [["us", "µs", "micro"], 1_000n],
  [["ms", "milli"], 1_000_000n],
  [["s", "sec"], 1_000_000_000n],
  [["m", "min"], 60_000_000_000n],
  [["h", "hr", "hour"], 3_600_000_000_000n],
  [["d", "day"], 86_400_000_000_000n],
  [["w", "wk", "week"], 604_800_000_000_000n],
];

/** As go-openapi/strfmt: Go's notation, or numbers of units in words: `2 weeks 1day`. */
function readDuration(text: string): bigint | undefined {
  const plain = parseDuration(text);
  if (plain !== undefined) return plain;
  let total: bigint | undefined;
  for (const [, count = "", word = ""] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    const unit = word.toLowerCase();
    for (const [names, nanoseconds] of units) {
      const times = names.filter((name, i) => name === unit || (i === names.length - 1 && unit.startsWith(name))).length;
      if (times > 0) total = wrapDuration((total ?? 0n) + BigInt(count) * nanoseconds * BigInt(times));
    }
  }
  return total;
}

const dateTimeLayouts = [
  "2006-01-02T15:04:05.000000Z07:00",
  "2006-01-02T15:04:05.000Z07:00",
  "2006-01-02T15:04:05Z07:00",
  "2006-01-02T15:04:05.999999999Z07:00",
  "2006-01-02T15:04:05",
];

function readDateTime(text: string): GoTime | undefined {
  if (text === "") return { nanoseconds: 0n, offset: 0 };
  for (const layout of dateTimeLayouts) {
    const time = parseGoTime(layout, text);
    if (time !== undefined) return time;
  }
  return undefined;
}

/** The URL alphabet, with padding. */
function readBytes(text: string): Uint8Array | undefined {
  if (/[+/]/.test(text)) return undefined;
  return decodeBase64(text.replace(/[-_]/g, (char) => (char === "-" ? "+" : "/")));
}

function timestamp(time: GoTime): Timestamp {
  return new Timestamp(time.nanoseconds, time.offset);
}

function typedString(text: string, format: string | undefined): Value {
  switch (format) {
    case "duration": {
      const duration = readDuration(text);
      return duration === undefined
        ? new CelError(`Invalid duration ${text}: unable to parse ${text} as duration`)
        : new Duration(duration);
    }
    case "date": {
      const time = parseGoTime("2006-01-02", text);
      return time === undefined ? new CelError(`Invalid date formatted string ${text}: not a date`) : timestamp(time);
    }
    case "date-time": {
      const time = readDateTime(text);
      return time === undefined ? new CelError(`Invalid date-time formatted string ${text}: not a time`) : timestamp(time);
    }
    case "byte": {
      const bytes = readBytes(text);
      return bytes === undefined ? new CelError(`Invalid byte formatted string ${text}: illegal base64 data`) : new Bytes(bytes);
    }
    default:
      return text;
  }
}

/** The value of a JSON scalar whose schema says what it is; undefined for schemas of other kinds. */
export function typedScalar(value: JsonValue, schema: CelSchema): Value | undefined {
  if (schema["x-kubernetes-int-or-string"] === true) {
    if (typeof value === "string" || isInt(value)) return value;
    return new CelError("invalid data, expected XIntOrString value to be either a string or integer");
  }
  switch (schema.type) {
    case "string":
      return typeof value === "string" ? typedString(value, schema.format) : unexpected("string", value);
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? makeDouble(Number(value)) : unexpected("float", value);
    case "integer":
      return isInt(value) ? value : unexpected("int", value);
    case "boolean":
      return typeof value === "boolean" ? value : unexpected("bool", value);
    default:
      return undefined;
  }
}
