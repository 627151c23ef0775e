import { parseDuration } from "../../../core/duration.ts";
import { goTimeProblem, parseGoTime, rfc3339 } from "../../../core/go-time.ts";
import { anyOf, fn, numberType, stringType, tuple } from "../types/type.ts";
import { isWhole, parseBigFloat, truncate } from "../values/big-float.ts";
import { bigintNumber, isNumber, numberText } from "../values/number.ts";
import { quote } from "../values/print.ts";
import type { Value } from "../values/value.ts";
import { type Builtin, BuiltinError, type BuiltinResult } from "./builtin.ts";
import { any, binary, failure, integer, isArray, quaternary, string, typeError, unary } from "./operand.ts";
import { dayNames, formatTime, type LocalTime, namedLayouts } from "./time-format.ts";
import { utc, type Zone, zoneOf } from "./time-zone.ts";

const longest = 1n << 63n;

/** A time of an argument: a number of nanoseconds, or that with a zone and perhaps a layout. */
interface ZonedTime {
  readonly nanoseconds: bigint;
  readonly zone: Zone;
  readonly layout: string;
}

const eitherForm = "either number (ns) or [number (ns), string (tz)]";

function readTime(value: Value): ZonedTime | BuiltinError {
  if (!isArray(value)) {
    return isNumber(value) ? timeIn(value, utc, "") : typeError(1, value, eitherForm);
  }
  const [moment, zoneName = "", layout = ""] = value;
  if (moment === undefined) return typeError(1, value, eitherForm);
  if (!isNumber(moment)) return typeError(1, moment, "number");
  if (typeof zoneName !== "string") return typeError(1, zoneName, "string");
  const zone = zoneOf(zoneName);
  if (zone === undefined) return failure(`unknown time zone ${zoneName}`);
  return typeof layout === "string" ? timeIn(moment, zone, layout) : typeError(1, layout, "string");
}

function timeIn(moment: Value, zone: Zone, layout: string): ZonedTime | BuiltinError {
  const float = isNumber(moment) ? parseBigFloat(numberText(moment)) : parseBigFloat("0");
  const nanoseconds = truncate(float);
  if (!isWhole(float) || nanoseconds >= longest || nanoseconds < -longest) return failure("timestamp too big");
  return { nanoseconds, zone, layout };
}

const billion = 1_000_000_000n;

/** Whole seconds, rounded down. */
const secondsOf = (nanoseconds: bigint): bigint => (nanoseconds - (((nanoseconds % billion) + billion) % billion)) / billion;

function localTime({ nanoseconds, zone }: ZonedTime): LocalTime {
  const seconds = Number(secondsOf(nanoseconds));
  const offset = zone.offsetAt(seconds);
  return {
    date: new Date((seconds + offset) * 1000),
    nanosecond: Number(nanoseconds - BigInt(seconds) * billion),
    offset,
    zoneName: () => zone.nameAt(seconds),
  };
}

function safeNanoseconds(nanoseconds: bigint): BuiltinResult {
  if (nanoseconds >= longest || nanoseconds < -longest) return failure("time outside of valid range");
  return bigintNumber(nanoseconds);
}

function parse(layout: string, text: string): BuiltinResult {
  const parsed = parseGoTime(layout, text);
  if (parsed !== undefined) return safeNanoseconds(parsed.nanoseconds);
  return failure(goTimeProblem(layout, text));
}

const hoursOf: { readonly [unit: string]: number } = { d: 24, w: 7 * 24, y: 365 * 24 };

/** Go's durations with days, weeks and years of 365 days. */
function parseLongDuration(text: string): BuiltinResult {
  const invalid = failure(`time: invalid duration ${quote(text)}`);
  let plain = text;
  if (/[dwy]/.test(text)) {
    const [, sign = "", segments = ""] = /^([-+]?)((?:[0-9.]+(?:ms|us|µs|ns|[a-z]))+)$/.exec(text) ?? [];
    if (segments === "") return invalid;
    plain = sign;
    for (const [, digits = "", unit = ""] of segments.matchAll(/([0-9.]+)(ms|us|µs|ns|[a-z])/g)) {
      const hours = hoursOf[unit];
      if (hours !== undefined && !/^(?:\d+\.?\d*|\.\d+)$/.test(digits)) return invalid;
      plain += hours === undefined ? digits + unit : `${Number(digits) * hours}h`;
    }
  }
  const duration = parseDuration(plain);
  if (duration !== undefined) return bigintNumber(duration);
  return /^[-+]?(?:\d+\.?\d*|\.\d+)$/.test(text) ? failure(`time: missing unit in duration ${quote(text)}`) : invalid;
}

function reading(name: string, type: Builtin["type"], run: (time: ZonedTime) => BuiltinResult): Builtin {
  const call: Builtin["call"] = ([value = null]) => {
    const time = readTime(value);
    return time instanceof BuiltinError ? time : run(time);
  };
  return { name, type, call };
}

/** Calendar fields moved on, in the zone of the time; days beyond a month's end run into the next. */
function addDate(value: Value, years: number, months: number, days: number): BuiltinResult {
  const time = readTime(value);
  if (time instanceof BuiltinError) return time;
  const { date, nanosecond } = localTime(time);
  const moved = new Date(date.getTime());
  moved.setUTCFullYear(date.getUTCFullYear() + years, date.getUTCMonth() + months, date.getUTCDate() + days);
  const local = moved.getTime() / 1000;
  if (!Number.isFinite(local)) return failure("time outside of valid range");
  const guess = time.zone.offsetAt(local);
  // Near a change of the offset the guess holds only where it also holds at the time that it leads to.
  const seconds = local - (guess === 0 ? 0 : time.zone.offsetAt(local - guess));
  return safeNanoseconds(BigInt(seconds) * billion + BigInt(nanosecond));
}

/** Years, months, days, hours, minutes and seconds between two times, by the calendar of the first one's zone. */
function difference(first: ZonedTime, second: ZonedTime): Value {
  const ordered = [first.nanoseconds, second.nanoseconds].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const [from, to] = ordered.map((nanoseconds) => {
    const { date } = localTime({ ...first, nanoseconds });
    return [
      date.getUTCFullYear(),
      date.getUTCMonth(),
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
      date.getUTCSeconds(),
    ];
  });
  if (from === undefined || to === undefined) return [];
  const parts = to.map((value, i) => value - (from[i] ?? 0));
  const daysInMonth = new Date(Date.UTC(from[0] ?? 0, (from[1] ?? 0) + 1, 0)).getUTCDate();
  const sizes = [0, 12, daysInMonth, 24, 60, 60];
  for (let i = 5; i > 0; i--) {
    const part = parts[i] ?? 0;
    if (part >= 0) continue;
    parts[i] = part + (sizes[i] ?? 0);
    parts[i - 1] = (parts[i - 1] ?? 0) - 1;
  }
  return parts;
}

const momentType = anyOf(numberType, tuple(numberType, stringType));
const formattedType = anyOf(numberType, tuple(numberType, stringType), tuple(numberType, stringType, stringType));
const three = tuple(numberType, numberType, numberType);
const six = tuple(numberType, numberType, numberType, numberType, numberType, numberType);
const moment = { ...any, type: momentType };

export const timeBuiltins: readonly Builtin[] = [
  {
    name: "time.now_ns",
    type: fn([], numberType),
    nondeterministic: true,
    call: (_, context) => bigintNumber(context.nowNanoseconds),
  },
  binary("time.parse_ns", [string, string], numberType, (layout, text) => parse(namedLayouts.get(layout) ?? layout, text)),
  unary("time.parse_rfc3339_ns", string, numberType, (text) => parse(rfc3339, text)),
  unary("time.parse_duration_ns", string, numberType, parseLongDuration),
  reading("time.format", fn([formattedType], stringType), (time) => {
    const layout = time.layout === "" ? "RFC3339Nano" : time.layout;
    return formatTime(localTime(time), namedLayouts.get(layout) ?? layout);
  }),
  reading("time.date", fn([momentType], three), (time) => {
    const { date } = localTime(time);
    return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  }),
  reading("time.clock", fn([momentType], three), (time) => {
    const { date } = localTime(time);
    return [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  }),
  reading("time.weekday", fn([momentType], stringType), (time) => dayNames[localTime(time).date.getUTCDay()]),
  quaternary("time.add_date", [{ ...any, type: numberType }, integer, integer, integer], numberType, addDate),
  binary("time.diff", [moment, moment], six, (a, b) => {
    const first = readTime(a);
    if (first instanceof BuiltinError) return first;
    const second = readTime(b);
    return second instanceof BuiltinError ? second : difference(first, second);
  }),
];
