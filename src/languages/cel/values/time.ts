import { remembered } from "../../../core/remembered.ts";
import { maxInt, minInt } from "./numbers.ts";
import { CelError, Duration, Timestamp } from "./value.ts";

const second = 1_000_000_000n;
const day = 86_400n * second;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z in seconds. */
const minSeconds = -62_135_596_800n;
const maxSeconds = 253_402_300_799n;

const timestampOverflow = "timestamp overflow";

/** A timestamp, or an error outside the years 1 to 9999. */
export function makeTimestamp(ns: bigint, offset = 0): Timestamp | CelError {
  const seconds = floorDivide(ns, second);
  return seconds < minSeconds || seconds > maxSeconds ? new CelError(timestampOverflow) : new Timestamp(ns, offset);
}

export function makeDuration(ns: bigint): Duration | CelError {
  return ns > maxInt || ns < minInt ? new CelError("integer overflow") : new Duration(ns);
}

export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

export interface Civil {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** From 1. */
  readonly yearDay: number;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's days_from_civil). */
function daysFromCivil(year: number, month: number, date: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + date - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** What clocks `offset` seconds east of UTC show. */
export function civilOf(ns: bigint, offset: number): Civil {
  const local = ns + BigInt(offset) * second;
  const days = Number(floorDivide(local, day));
  const rest = local - BigInt(days) * day;
  const seconds = Number(rest / second);
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return {
    year,
    month,
    day: dayOfYear - Math.floor((153 * mp + 2) / 5) + 1,
    hour: Math.floor(seconds / 3600),
    minute: Math.floor((seconds % 3600) / 60),
    second: seconds % 60,
    nanosecond: Number(rest % second),
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: days - daysFromCivil(year, 1, 1) + 1,
  };
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Reads what Go's time.Parse(time.RFC3339, text) reads; undefined where that fails, an error outside the years 1 to 9999. */
export function parseTimestamp(text: string): Timestamp | CelError | undefined {
  const parts = rfc3339.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0, seconds = 0] = parts.slice(1, 7).map(Number);
  const offsetHours = Number(parts[9] ?? 0);
  const offsetMinutes = Number(parts[10] ?? 0);
  if (month < 1 || month > 12 || date < 1 || date > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || seconds > 59 || offsetHours > 24 || offsetMinutes > 60) return undefined;
  const offset = (parts[8] === "-" ? -1 : 1) * (offsetHours * 3600 + offsetMinutes * 60);
  const total = daysFromCivil(year, month, date) * 86_400 + hour * 3600 + minute * 60 + seconds - offset;
  const fraction = BigInt((parts[7] ?? "").slice(0, 9).padEnd(9, "0"));
  return makeTimestamp(BigInt(total) * second + fraction, offset);
}

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** As Go's RFC3339Nano: in the offset it was written in, without trailing zeros of the fraction. */
export function formatTimestamp({ ns, offset }: Timestamp): string {
  const t = civilOf(ns, offset);
  const fraction = t.nanosecond === 0 ? "" : `.${String(t.nanosecond).padStart(9, "0").replace(/0+$/, "")}`;
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const zone = offset === 0 ? "Z" : `${offset < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
  const date = `${String(t.year).padStart(4, "0")}-${two(t.month)}-${two(t.day)}`;
  return `${date}T${two(t.hour)}:${two(t.minute)}:${two(t.second)}${fraction}${zone}`;
}

/** Undefined where there is no such zone. */
const formatterOf = remembered(500, (zone): Intl.DateTimeFormat | undefined => {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
});

/** Seconds east of UTC of a named zone (IANA) at a moment; undefined for an unknown name. */
function namedOffset(zone: string, ns: bigint): number | undefined {
  if (zone === "" || zone === "UTC" || zone === "Local") return 0;
  // Here numbers and small letters would be taken, too.
  const formatter = /^[A-Z]/.test(zone) ? formatterOf(zone) : undefined;
  if (formatter === undefined) return undefined;
  const moment = new Date(Number(floorDivide(ns, 1_000_000n)));
  const name = formatter.formatToParts(moment).find((part) => part.type === "timeZoneName")?.value ?? "";
  const parts = /^GMT([+-])(\d+):(\d\d)(?::(\d\d))?$/.exec(name);
  if (parts === null) return 0;
  const size = Number(parts[2]) * 3600 + Number(parts[3]) * 60 + Number(parts[4] ?? 0);
  return parts[1] === "-" ? -size : size;
}

/** Seconds east of UTC of a zone written as a name or as `+hh:mm`; an error for anything else. */
export function zoneOffset(zone: string, ns: bigint): number | CelError {
  const colon = zone.indexOf(":");
  if (colon < 0) return namedOffset(zone, ns) ?? new CelError(`unknown time zone ${zone}`);
  const hourText = zone.slice(0, colon);
  const minuteText = zone.slice(colon + 1);
  for (const text of [hourText, minuteText]) {
    if (!/^[-+]?\d{1,9}$/.test(text)) return new CelError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const hours = Number(hourText);
  const minutes = Number(minuteText);
  return (zone.startsWith("-") ? hours * 60 - minutes : hours * 60 + minutes) * 60;
}
