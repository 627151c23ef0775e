import ICAL from "ical.js";
import type { Instant } from "../host.ts";
import { EventTimes, instantOf, type Length, type Occurrence, type Place } from "./calendar-event.ts";
import { dayMilliseconds, TimeZone } from "./zone.ts";

export interface Calendar {
  /** The event that takes a moment; undefined: none. @throws RangeError when that cannot be said */
  covering(at: Instant): Occurrence | undefined;
}

export type CompiledCalendar =
  | { readonly ok: true; readonly calendar: Calendar }
  | { readonly ok: false; readonly message: string };

/** What is wrong with a calendar's text. */
class CalendarProblem extends Error {}

/** By how often: the parts of a rule that say which days. Others mean nothing there (RFC 5545), or days that never come. */
const dayParts: { readonly [frequency: string]: readonly string[] } = {
  DAILY: ["BYDAY", "BYMONTH"],
  WEEKLY: ["BYDAY", "BYMONTH"],
  MONTHLY: ["BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"],
  YEARLY: ["BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"],
};

const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether some month has one of the days. */
function namesSomeDay({ parts: { BYMONTH: months, BYMONTHDAY: days } }: ICAL.Recur): boolean {
  if (months === undefined || days === undefined) return true;
  return months.some((month) => days.some((day) => Math.abs(day) <= (longestMonths[month - 1] ?? 0)));
}

/** Why a rule is not understood; freezes last hours or days, so rules of seconds would only cost time. */
function ruleProblem(rule: ICAL.Recur): string | undefined {
  const known = dayParts[rule.freq];
  if (known === undefined) return `recurs ${rule.freq}; freezes recur daily, weekly, monthly or yearly`;
  const { parts }: { readonly parts: { readonly [part: string]: unknown } } = rule;
  const other = Object.keys(parts).find((part) => !known.includes(part));
  if (other !== undefined) return `has ${other}, which a ${rule.freq} rule cannot have here`;
  if (!namesSomeDay(rule)) return "recurs on days that there are not";
  const days = parts["BYDAY"];
  const counted = Array.isArray(days) && days.some((day) => /\d/.test(String(day)));
  return counted && (rule.freq === "DAILY" || rule.freq === "WEEKLY")
    ? `counts days, which a ${rule.freq} rule cannot`
    : undefined;
}

/** Leap days come every eighth year at the latest. */
const maximumMisses = 1000;

/** Reads the events of one calendar; times without a zone are in `own`. */
class Reader {
  readonly #own: TimeZone;

  constructor(own: TimeZone) {
    this.#own = own;
  }

  events(component: ICAL.Component): readonly EventTimes[] {
    const all = component.getAllSubcomponents("vevent");
    const moved = new Map<string, Instant[]>();
    for (const event of all) {
      const id = event.getFirstProperty("recurrence-id");
      if (id !== null) moved.set(uidOf(event), [...(moved.get(uidOf(event)) ?? []), ...this.#instants(id)]);
    }
    return all.flatMap((event) => {
      if (event.getFirstPropertyValue("status") === "CANCELLED") return [];
      const isMoved = event.getFirstProperty("recurrence-id") !== null;
      return [this.#event(event, isMoved ? undefined : (moved.get(uidOf(event)) ?? []))];
    });
  }

  /** `moved`: starts that have an event of their own; undefined: this is one. */
  #event(event: ICAL.Component, moved: readonly Instant[] | undefined): EventTimes {
    const start = event.getFirstProperty("dtstart");
    const begin = start?.getFirstValue();
    if (start === null || start === undefined || !(begin instanceof ICAL.Time))
      throw new CalendarProblem(`${labelOf(event)} has no DTSTART`);
    const first = this.#placed(begin, start);
    const rules = moved === undefined ? [] : event.getAllProperties("rrule");
    if (rules.length > 1) throw new CalendarProblem(`${labelOf(event)} has several RRULEs`);
    if (event.getFirstProperty("exrule") !== null)
      throw new CalendarProblem(`${labelOf(event)} has an EXRULE, which RFC 5545 does not know`);
    const rule = rules[0]?.getFirstValue();
    const added = moved === undefined ? [] : event.getAllProperties("rdate").flatMap((property) => this.#instants(property));
    const excluded = event.getAllProperties("exdate");
    const skipped = new Set([...excluded.flatMap((p) => this.#instants(p)), ...(moved ?? [])]);
    const days = new Set(
      excluded.flatMap((p) => p.getValues()).flatMap((v) => (v instanceof ICAL.Time && v.isDate ? [v.toString()] : [])),
    );
    const zone = this.#zoneOf(start);
    const dayOf = (at: Instant) => new Date(at + zone.offset(at)).toISOString().slice(0, 10);
    const without = (at: Instant) => skipped.has(at) || (days.size > 0 && days.has(dayOf(at)));
    return new EventTimes({
      summary: summaryOf(event),
      length: this.#length(event, begin, first),
      zone,
      starts: rule instanceof ICAL.Recur ? this.#starts(rule, begin, start, event) : [first].values(),
      added: added.filter((at) => !without(at)),
      without,
    });
  }

  /** The end of a rule is compared as a moment, since its zone is often another than that of the start. */
  *#starts(rule: ICAL.Recur, begin: ICAL.Time, start: ICAL.Property, event: ICAL.Component): Generator<Instant, undefined> {
    const problem = ruleProblem(rule);
    if (problem !== undefined) throw new CalendarProblem(`${labelOf(event)} ${problem}`);
    const { until } = rule;
    const last = until === null ? Number.POSITIVE_INFINITY : this.#untilOf(until, start);
    rule.until = null;
    const iterator = rule.iterator(begin);
    let missed = 0;
    for (let next = iterator.next(); next !== null && next !== undefined; next = iterator.next()) {
      const at = this.#placed(next, start);
      if (at > last) return undefined;
      if (isNamedBy(rule, begin, next)) yield at;
      else if (++missed > maximumMisses) throw new CalendarProblem(`${labelOf(event)} recurs on days that there are not`);
    }
    return undefined;
  }

  #untilOf(until: ICAL.Time, start: ICAL.Property): Instant {
    // A bare date includes its day.
    if (until.isDate) return instantOf(until, { kind: "utc" }, this.#own) + dayMilliseconds - 1;
    return until.zone === ICAL.Timezone.utcTimezone ? instantOf(until, { kind: "utc" }, this.#own) : this.#placed(until, start);
  }

  #length(event: ICAL.Component, begin: ICAL.Time, from: Instant): Length {
    const end = event.getFirstProperty("dtend");
    const time = end?.getFirstValue();
    if (end !== null && end !== undefined && time instanceof ICAL.Time) {
      const wallDays = (time.toUnixTime() - begin.toUnixTime()) / 86_400;
      return begin.isDate
        ? { days: Math.round(wallDays), milliseconds: 0 }
        : { days: 0, milliseconds: this.#placed(time, end) - from };
    }
    const duration = event.getFirstPropertyValue("duration");
    if (!(duration instanceof ICAL.Duration)) return { days: begin.isDate ? 1 : 0, milliseconds: 0 };
    const { weeks, days, hours, minutes, seconds } = duration;
    return { days: weeks * 7 + days, milliseconds: ((hours * 60 + minutes) * 60 + seconds) * 1000 };
  }

  #instants(property: ICAL.Property): readonly Instant[] {
    return property.getValues().flatMap((value) => {
      const time = value instanceof ICAL.Period ? value.start : value;
      return time instanceof ICAL.Time ? [this.#placed(time, property)] : [];
    });
  }

  #placed(time: ICAL.Time, property: ICAL.Property): Instant {
    return instantOf(time, this.#placeOf(property), this.#own);
  }

  /** The database's own zone of a name is surer than what some program wrote into the file. */
  #placeOf(property: ICAL.Property): Place {
    const first = property.getFirstValue();
    const id = property.getParameter("tzid");
    if (typeof id === "string") {
      const zone = TimeZone.named(id);
      if (zone !== undefined) return { kind: "zone", zone };
      if (property.parent?.getTimeZoneByID(id)) return { kind: "defined" };
      throw new CalendarProblem(`the time zone ${JSON.stringify(id)} is neither known nor defined in the calendar`);
    }
    if (first instanceof ICAL.Time && first.zone === ICAL.Timezone.utcTimezone) return { kind: "utc" };
    return { kind: "zone", zone: this.#own };
  }

  #zoneOf(property: ICAL.Property): TimeZone {
    const place = this.#placeOf(property);
    return place.kind === "zone" ? place.zone : this.#own;
  }
}

/** The library moves the 29th of February of other years to March; RFC 5545 leaves days that there are not out. */
function isNamedBy(rule: ICAL.Recur, begin: ICAL.Time, { month, day }: ICAL.Time): boolean {
  const { BYMONTH: months, BYMONTHDAY: days, ...others } = rule.parts;
  const byDate = rule.freq === "YEARLY" && days === undefined && Object.keys(others).length === 0;
  if (byDate && day !== begin.day) return false;
  if (days !== undefined && !days.some((one) => one < 0 || one === day)) return false;
  return months === undefined || months.includes(month);
}

const uidOf = (event: ICAL.Component): string => String(event.getFirstPropertyValue("uid") ?? "");
const summaryOf = (event: ICAL.Component): string => String(event.getFirstPropertyValue("summary") ?? "an event without a title");
const labelOf = (event: ICAL.Component): string => `the event ${JSON.stringify(summaryOf(event))}`;

/** Compiles the text of an iCalendar file (RFC 5545); its events are unrolled when they are asked about. */
export function compileCalendar(text: string, own: TimeZone): CompiledCalendar {
  let events: readonly EventTimes[];
  try {
    const parsed: unknown = ICAL.parse(text);
    const components = Array.isArray(parsed) && parsed[0] !== "vcalendar" ? parsed : [parsed];
    events = components.flatMap((one) => new Reader(own).events(new ICAL.Component(one)));
    // A rule that cannot be unrolled is found now, not on the day.
    for (const event of events) event.covering(Number.NEGATIVE_INFINITY);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  const calendar: Calendar = {
    covering(at) {
      for (const event of events) {
        const found = event.covering(at);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
  return { ok: true, calendar };
}
