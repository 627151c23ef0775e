import type { Duration } from "./duration.ts";
import { type LayoutPart, parseLayout } from "./go-layout.ts";
import { quoteGo } from "./go-quote.ts";

/** A moment with the offset of the zone that it was written in, as Go's time.Time. */
export interface GoTime {
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  readonly nanoseconds: bigint;
  /** Seconds east of UTC. */
  readonly offset: number;
}

export const rfc3339 = "2006-01-02T15:04:05Z07:00";

const monthNames = "January February March April May June July August September October November December".split(" ");
const dayNames = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Milliseconds since the epoch as a time in UTC. */
export function timeFromMilliseconds(milliseconds: number): GoTime {
  return { nanoseconds: BigInt(Math.floor(milliseconds)) * 1_000_000n, offset: 0 };
}

interface Fields {
  year: number;
  month: number | undefined;
  day: number | undefined;
  yearDay: number | undefined;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  half: "AM" | "PM" | undefined;
  /** A `Z` or `UTC`, which outranks offsets. */
  utc: boolean;
  offset: number | undefined;
  /** Hours of a `GMT+3`: Go shows the time at this offset but reads it as UTC. */
  gmtHours: number;
}

const noFields = (): Fields => ({
  year: 0,
  month: undefined,
  day: undefined,
  yearDay: undefined,
  hour: 0,
  minute: 0,
  second: 0,
  nanosecond: 0,
  half: undefined,
  utc: false,
  offset: undefined,
  gmtHours: 0,
});

/** Takes what it knows from the front of `value` and answers the rest; undefined where it does not fit. */
type Reader = (value: string, fields: Fields, part: LayoutPart, next: LayoutPart | undefined) => string | undefined;

/** Reads `value` as Go's time.Parse(layout, value) does; undefined where that fails. Without a zone the time is UTC. */
export function parseGoTime(layout: string, value: string): GoTime | undefined {
  const fields = noFields();
  let rest: string | undefined = value;
  const parts = parseLayout(layout);
  for (const [i, part] of parts.entries()) {
    const next = parts.slice(i + 1).find(({ kind }) => kind !== "text");
    rest = readers[part.kind](rest, fields, part, next);
    if (rest === undefined) return undefined;
  }
  return rest === "" ? assemble(fields) : undefined;
}

/** Why {@link parseGoTime} fails, in Go's words. */
export function goTimeProblem(layout: string, value: string): string {
  const fields = noFields();
  const told = (message: string) => `parsing time ${quoteGo(value)}${message}`;
  let rest = value;
  const parts = parseLayout(layout);
  for (const [i, part] of parts.entries()) {
    const next = parts.slice(i + 1).find(({ kind }) => kind !== "text");
    const after = readers[part.kind](rest, fields, part, next);
    if (after !== undefined) {
      rest = after;
      continue;
    }
    const ranged = /^(?:zero-|num-)?(month|day|hour|minute|second)(?:12)?$/.exec(part.kind)?.[1];
    const isNumber = number(rest, part.kind.startsWith("zero-")) !== undefined;
    if (ranged !== undefined && part.kind !== "month" && isNumber) return told(`: ${ranged} out of range`);
    const at = part.kind === "text" ? mismatch(rest, part.text) : rest;
    return told(` as ${quoteGo(layout)}: cannot parse ${quoteGo(at)} as ${quoteGo(part.text)}`);
  }
  return told(rest === "" ? ": day out of range" : `: extra text: ${quoteGo(rest)}`);
}

/** What is left of a value where it stops to follow a text of the layout. */
function mismatch(value: string, text: string): string {
  let at = 0;
  while (at < text.length && value.charAt(at) === text.charAt(at)) at++;
  return value.slice(at);
}

function assemble(fields: Fields): GoTime | undefined {
  if (fields.half === "PM" && fields.hour < 12) fields.hour += 12;
  else if (fields.half === "AM" && fields.hour === 12) fields.hour = 0;
  if (fields.yearDay !== undefined && !applyYearDay(fields, fields.yearDay)) return undefined;
  const { year, month = 1, day = 1 } = fields;
  if (day < 1 || day > daysIn(year, month)) return undefined;
  const days = daysBefore(year, month) + day - 1;
  const seconds = ((days * 24 + fields.hour) * 60 + fields.minute) * 60 + fields.second;
  const offset = fields.utc ? 0 : (fields.offset ?? 0);
  const shown = fields.utc || fields.offset !== undefined ? offset : fields.gmtHours * 3600;
  return { nanoseconds: BigInt(seconds - offset) * 1_000_000_000n + BigInt(fields.nanosecond), offset: shown };
}

function applyYearDay(fields: Fields, yearDay: number): boolean {
  const length = isLeap(fields.year) ? 366 : 365;
  if (yearDay < 1 || yearDay > length) return false;
  let month = 1;
  let day = yearDay;
  for (; day > daysIn(fields.year, month); month++) day -= daysIn(fields.year, month);
  const agrees = (fields.month ?? month) === month && (fields.day ?? day) === day;
  fields.month = month;
  fields.day = day;
  return agrees;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 to the first of a month; Date.UTC alone would read years below 100 as 19xx. */
function daysBefore(year: number, month: number): number {
  return Date.UTC(year + 400, month - 1, 1) / 86_400_000 - 146_097;
}

/** One or two digits; exactly two where `fixed`. */
function number(value: string, fixed: boolean): readonly [number, string] | undefined {
  const digits = /^\d{1,2}/.exec(value)?.[0];
  if (digits === undefined || (fixed && digits.length < 2)) return undefined;
  return [Number(digits), value.slice(digits.length)];
}

type NumberField = "month" | "day" | "hour" | "minute" | "second";

function readNumber(field: NumberField, low: number, high: number, fixed: boolean): Reader {
  return (value, fields) => {
    const read = number(value, fixed);
    if (read === undefined || read[0] < low || read[0] > high) return undefined;
    fields[field] = read[0];
    return read[1];
  };
}

function readName(names: readonly string[], length: number | undefined, field: "month" | undefined): Reader {
  return (value, fields) => {
    const index = names.findIndex((name) => {
      const wanted = name.slice(0, length).toLowerCase();
      return value.slice(0, wanted.length).toLowerCase() === wanted;
    });
    const name = names[index]?.slice(0, length);
    if (name === undefined) return undefined;
    if (field !== undefined) fields[field] = index + 1;
    return value.slice(name.length);
  };
}

/** Seconds may carry a fraction that the layout does not mention. */
function readSecond(fixed: boolean): Reader {
  const seconds = readNumber("second", 0, 59, fixed);
  return (value, fields, part, next) => {
    const rest = seconds(value, fields, part, next);
    if (rest === undefined || next?.kind === "fraction" || next?.kind === "optional-fraction") return rest;
    return readOptionalFraction(rest, fields);
  };
}

function readOptionalFraction(value: string, fields: Fields): string {
  const digits = /^[.,](\d+)/.exec(value)?.[1];
  if (digits === undefined) return value;
  fields.nanosecond = Number(digits.slice(0, 9).padEnd(9, "0"));
  return value.slice(digits.length + 1);
}

function readHalf(am: string, pm: string): Reader {
  return (value, fields) => {
    const half = value.slice(0, 2);
    if (half !== am && half !== pm) return undefined;
    fields.half = half === am ? "AM" : "PM";
    return value.slice(2);
  };
}

const offsetShapes: { readonly [text: string]: RegExp } = {
  "07": /^([-+])(\d\d)/,
  "0700": /^([-+])(\d\d)(\d\d)/,
  "07:00": /^([-+])(\d\d):(\d\d)/,
  "070000": /^([-+])(\d\d)(\d\d)(\d\d)/,
  "07:00:00": /^([-+])(\d\d):(\d\d):(\d\d)/,
};

const readOffset: Reader = (value, fields, part) => {
  const parts = offsetShapes[part.text.slice(1)]?.exec(value);
  if (parts === null || parts === undefined) return undefined;
  const [all, sign, hours = "0", minutes = "0", seconds = "0"] = parts;
  // Go lets 24 hours, 60 minutes and 60 seconds pass.
  if (Number(hours) > 24 || Number(minutes) > 60 || Number(seconds) > 60) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  fields.offset = sign === "-" ? -offset : offset;
  return value.slice(all.length);
};

/** An abbreviation: `UTC`, `GMT+3`, `+07`, or three to five capitals; only UTC and GMT say what they mean. */
const readZoneName: Reader = (value, fields) => {
  if (value.startsWith("UTC")) {
    fields.utc = true;
    return value.slice(3);
  }
  const name = zoneName(value);
  if (name === undefined) return undefined;
  fields.gmtHours = name.startsWith("GMT") ? Number(name.slice(3)) : 0;
  return value.slice(name.length);
};

function zoneName(value: string): string | undefined {
  if (value.startsWith("ChST") || value.startsWith("MeST")) return value.slice(0, 4);
  const offset = /^(GMT)?([-+]\d+)/.exec(value);
  if (offset !== null && Math.abs(Number(offset[2])) <= 23) return offset[0];
  if (value.startsWith("GMT")) return "GMT";
  const capitals = /^[A-Z]{3,6}/.exec(value)?.[0];
  if (capitals === undefined || capitals.length === 3) return capitals;
  const known = capitals === "WITA" || (capitals.length < 6 && capitals.endsWith("T"));
  return known ? capitals : undefined;
}

/** Spaces of the layout stand for any number of spaces. */
const readText: Reader = (value, _, part) => {
  let rest = value;
  for (let text = part.text; text !== ""; ) {
    if (text.startsWith(" ")) {
      if (rest !== "" && !rest.startsWith(" ")) return undefined;
      text = text.replace(/^ +/, "");
      rest = rest.replace(/^ +/, "");
    } else {
      if (!rest.startsWith(text.charAt(0))) return undefined;
      text = text.slice(1);
      rest = rest.slice(1);
    }
  }
  return rest;
};

function readYearDay(fixed: boolean): Reader {
  return (value, fields) => {
    const digits = /^\d{1,3}/.exec(fixed ? value : value.replace(/^ {1,2}/, ""))?.[0];
    if (digits === undefined || (fixed && digits.length < 3)) return undefined;
    fields.yearDay = Number(digits);
    return value.replace(/^ {1,2}/, "").slice(digits.length);
  };
}

const readers: { readonly [kind in LayoutPart["kind"]]: Reader } = {
  text: readText,
  "long-month": readName(monthNames, undefined, "month"),
  month: readName(monthNames, 3, "month"),
  "num-month": readNumber("month", 1, 12, false),
  "zero-month": readNumber("month", 1, 12, true),
  "long-weekday": readName(dayNames, undefined, undefined),
  weekday: readName(dayNames, 3, undefined),
  day: readNumber("day", 0, 99, false),
  "under-day": (value, fields, part, next) => readers.day(value.replace(/^ /, ""), fields, part, next),
  "zero-day": readNumber("day", 0, 99, true),
  "under-year-day": readYearDay(false),
  "zero-year-day": readYearDay(true),
  hour: readNumber("hour", 0, 23, false),
  hour12: readNumber("hour", 0, 12, false),
  "zero-hour12": readNumber("hour", 0, 12, true),
  minute: readNumber("minute", 0, 59, false),
  "zero-minute": readNumber("minute", 0, 59, true),
  second: readSecond(false),
  "zero-second": readSecond(true),
  "long-year": (value, fields) => {
    if (!/^\d{4}/.test(value)) return undefined;
    fields.year = Number(value.slice(0, 4));
    return value.slice(4);
  },
  year: (value, fields) => {
    if (!/^\d\d/.test(value)) return undefined;
    const year = Number(value.slice(0, 2));
    fields.year = year >= 69 ? year + 1900 : year + 2000;
    return value.slice(2);
  },
  PM: readHalf("AM", "PM"),
  pm: readHalf("am", "pm"),
  "zone-name": readZoneName,
  offset: readOffset,
  "offset-or-Z": (value, fields, part, next) => {
    if (!value.startsWith("Z")) return readOffset(value, fields, part, next);
    fields.utc = true;
    return value.slice(1);
  },
  fraction: (value, fields, part) => {
    const digits = value.slice(0, part.text.length);
    if (digits.length < part.text.length || !/^[.,]\d+$/.test(digits)) return undefined;
    readOptionalFraction(digits, fields);
    return value.slice(digits.length);
  },
  "optional-fraction": readOptionalFraction,
};

/** The calendar fields of a time at its own offset. */
export function calendarOf(time: GoTime): Date {
  const seconds = time.nanoseconds / 1_000_000_000n - (time.nanoseconds % 1_000_000_000n < 0n ? 1n : 0n);
  return new Date((Number(seconds) + time.offset) * 1000);
}

/** The time in RFC 3339 without fractions of a second. */
export function formatRfc3339(time: GoTime): string {
  const date = calendarOf(time);
  const year = date.getUTCFullYear();
  const text = date.toISOString().slice(-20, -5);
  const years = year < 0 ? `-${String(-year).padStart(4, "0")}` : String(year).padStart(4, "0");
  if (time.offset === 0) return `${years}${text}Z`;
  const minutes = Math.trunc(Math.abs(time.offset) / 60);
  const clock = `${String(Math.trunc(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return `${years}${text}${time.offset < 0 ? "-" : "+"}${clock}`;
}

export function addToTime(time: GoTime, duration: Duration): GoTime {
  return { nanoseconds: time.nanoseconds + duration, offset: time.offset };
}

const longest = (1n << 63n) - 1n;

/** From `earlier` to `later`; saturates at 2^63 nanoseconds (292 years). */
export function timeBetween(earlier: GoTime, later: GoTime): Duration {
  const difference = later.nanoseconds - earlier.nanoseconds;
  return difference > longest ? longest : difference < -longest - 1n ? -longest - 1n : difference;
}

/** Nanoseconds from January 1 of the year 1, where Go counts from, to 1970. */
const epoch = 62_135_596_800n * 1_000_000_000n;

/** Rounds down to a multiple of `unit` since the year 1; units that are not positive change nothing. */
export function truncateTime(time: GoTime, unit: Duration): GoTime {
  if (unit <= 0n) return time;
  const rest = (((time.nanoseconds + epoch) % unit) + unit) % unit;
  return { nanoseconds: time.nanoseconds - rest, offset: time.offset };
}
