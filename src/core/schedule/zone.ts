import type { Instant } from "../host.ts";

/** What a clock on the wall shows. `month` from 1, `weekday` 0 is Sunday. */
export interface WallClock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const minuteMilliseconds = 60_000;
export const dayMilliseconds = 24 * 60 * minuteMilliseconds;

/** A wall clock's reading as if it were UTC: days and differences are counted with it. */
export function wallMilliseconds({ year, month, day, hour, minute, second }: Omit<WallClock, "weekday">): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

export function wallClockOf(milliseconds: number): WallClock {
  const date = new Date(milliseconds);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/** A named zone of the IANA time zone database, with all its changes. */
export class TimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  #last: { readonly minute: number; readonly offset: number } | undefined;

  private constructor(name: string, format: Intl.DateTimeFormat) {
    this.name = name;
    this.#format = format;
  }

  /** Undefined: there is no such zone. Offsets (`+02:00`) are none: they know no summer. */
  static named(name: string): TimeZone | undefined {
    if (!/^[A-Za-z]/.test(name)) return undefined;
    try {
      const options = {
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      } as const;
      return new TimeZone(name, new Intl.DateTimeFormat("en-US", { ...options, timeZone: name, hourCycle: "h23", era: "short" }));
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** Milliseconds east of UTC at a moment. */
  offset(at: Instant): number {
    const minute = Math.floor(at / minuteMilliseconds);
    if (this.#last?.minute === minute) return this.#last.offset;
    const parts = new Map(this.#format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
    const offset = wall - Math.floor(at / 1000) * 1000;
    this.#last = { minute, offset };
    return offset;
  }

  wallClock(at: Instant): WallClock {
    return wallClockOf(at + this.offset(at));
  }

  /**
   * When a wall clock shows this (`wallMilliseconds`). A time that occurs twice is the first of both; one that clocks skip
   * is read as before the jump, so an hour later (RFC 5545, 3.3.5).
   */
  instantOf(wall: number): Instant {
    const before = this.offset(wall - dayMilliseconds);
    const after = this.offset(wall + dayMilliseconds);
    const first = wall - Math.max(before, after);
    if (first + this.offset(first) === wall) return first;
    const second = wall - Math.min(before, after);
    return second + this.offset(second) === wall ? second : wall - before;
  }
}

const localTime = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?)?$/;

/** `2026-12-20T18:00` or `2026-12-20` as wall milliseconds; undefined for anything else, and for days that there are not. */
export function parseLocalTime(text: string): number | undefined {
  const match = localTime.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const read = wallClockOf(wall);
  const exists = read.month === month && read.day === day && read.hour === hour && read.minute === minute && second < 60;
  return exists ? wall : undefined;
}

const twoDigits = (value: number): string => String(value).padStart(2, "0");
const dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** `Mon 2026-03-30 09:00 Europe/Berlin` */
export function formatInZone(zone: TimeZone, at: Instant): string {
  const { year, month, day, weekday, hour, minute } = zone.wallClock(at);
  return `${dayNames[weekday]} ${year}-${twoDigits(month)}-${twoDigits(day)} ${twoDigits(hour)}:${twoDigits(minute)} ${zone.name}`;
}
