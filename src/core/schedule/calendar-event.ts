import type ICAL from "ical.js";
import type { Instant } from "../host.ts";
import type { TimeZone } from "./zone.ts";
import { dayMilliseconds, wallClockOf, wallMilliseconds } from "./zone.ts";

/** A stretch of time that an event takes. */
export interface Occurrence {
  readonly summary: string;
  readonly from: Instant;
  /** Exclusive. */
  readonly until: Instant;
}

/** The wall clock's reading of a time of a calendar, in whichever zone it is. */
const wallOf = ({ year, month, day, hour, minute, second }: ICAL.Time): number =>
  wallMilliseconds({ year, month, day, hour, minute, second });

/** Where the times of one property are: UTC, a zone by name, one that the calendar defines itself, or wherever it is read. */
export type Place = { readonly kind: "utc" } | { readonly kind: "zone"; readonly zone: TimeZone } | { readonly kind: "defined" };

export function instantOf(time: ICAL.Time, place: Place, ownZone: TimeZone): Instant {
  if (time.isDate) return ownZone.instantOf(wallOf(time));
  switch (place.kind) {
    case "utc":
      return wallOf(time);
    case "zone":
      return place.zone.instantOf(wallOf(time));
    case "defined":
      return time.toUnixTime() * 1000;
  }
}

/** How long each occurrence lasts: exactly, or in days of the calendar, which are not always 24 hours. */
export interface Length {
  readonly days: number;
  readonly milliseconds: number;
}

function endOf(from: Instant, length: Length, zone: TimeZone): Instant {
  if (length.days === 0) return from + length.milliseconds;
  const { year, month, day, hour, minute, second } = wallClockOf(from + zone.offset(from));
  const wall = wallMilliseconds({ year, month, day, hour, minute, second }) + length.days * dayMilliseconds;
  return zone.instantOf(wall) + length.milliseconds;
}

/** More occurrences than any sensible calendar has. */
const maximumOccurrences = 20_000;

export interface Series {
  readonly summary: string;
  readonly length: Length;
  readonly zone: TimeZone;
  /** Starts by rule, ascending, possibly without end. */
  readonly starts: Iterator<Instant>;
  /** Further starts. */
  readonly added: readonly Instant[];
  /** Starts that are left out, or have an event of their own. */
  readonly without: (start: Instant) => boolean;
}

/** Unrolls an event as far as it is asked about, and keeps what it unrolled. */
export class EventTimes {
  readonly #series: Series;
  readonly #known: Occurrence[];
  #reached = Number.NEGATIVE_INFINITY;
  #counted = 0;

  constructor(series: Series) {
    this.#series = series;
    this.#known = series.added.map((start) => this.#occurrence(start));
  }

  #occurrence(from: Instant): Occurrence {
    const { summary, length, zone } = this.#series;
    return { summary, from, until: endOf(from, length, zone) };
  }

  /** Undefined: nothing at that moment. @throws RangeError when it has too many occurrences to say */
  covering(at: Instant): Occurrence | undefined {
    const { starts, without } = this.#series;
    while (this.#reached <= at) {
      const { value, done } = starts.next();
      if (done === true) this.#reached = Number.POSITIVE_INFINITY;
      else {
        if (++this.#counted > maximumOccurrences)
          throw new RangeError(`an event has more than ${maximumOccurrences} occurrences`);
        this.#reached = value;
        if (!without(value)) this.#known.push(this.#occurrence(value));
      }
    }
    return this.#known.find(({ from, until }) => from <= at && at < until);
  }
}
