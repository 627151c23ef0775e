import { Cron } from "croner";
import { parseDuration } from "../duration.ts";
import type { Instant } from "../host.ts";
import { dayNames, type WindowSpec } from "./schedule-kind.ts";
import { dayMilliseconds, type TimeZone, wallClockOf, wallMilliseconds } from "./zone.ts";

export interface Window {
  covers(at: Instant): boolean;
  /** When it next begins, at or after a moment; undefined: not within a year. */
  opens(at: Instant): Instant | undefined;
}

export type CompiledWindow =
  | { readonly ok: true; readonly window: Window }
  | { readonly ok: false; readonly field: keyof WindowSpec; readonly message: string };

const wrong = (field: keyof WindowSpec, message: string): CompiledWindow => ({ ok: false, field, message });

const minutesOf = (clock: string): number => {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return hours * 60 + minutes;
};

/** Midnight of the day of a wall clock's reading. */
const midnight = (wall: number): number => {
  const { year, month, day } = wallClockOf(wall);
  return wallMilliseconds({ year, month, day, hour: 0, minute: 0, second: 0 });
};

/** What a clock on the wall shows decides: an hour that occurs twice is inside twice, one that is skipped never is. */
function dailyWindow(spec: WindowSpec, from: number, to: number, zone: TimeZone): Window {
  const days = new Set(spec.days ?? dayNames);
  const begins = (wall: number): boolean => {
    const name = dayNames[wallClockOf(wall).weekday];
    return name !== undefined && days.has(name);
  };
  const overnight = to <= from;
  return {
    covers(at) {
      const { hour, minute } = zone.wallClock(at);
      const now = hour * 60 + minute;
      const today = at + zone.offset(at);
      if (!overnight) return now >= from && now < to && begins(today);
      return (now >= from && begins(today)) || (now < to && begins(today - dayMilliseconds));
    },
    opens(at) {
      const today = midnight(at + zone.offset(at));
      for (let day = 0; day <= 8; day++) {
        const wall = today + day * dayMilliseconds + from * 60_000;
        const opening = begins(wall) ? zone.instantOf(wall) : undefined;
        if (opening !== undefined && opening >= at) return opening;
      }
      return undefined;
    },
  };
}

function cronWindow(pattern: string, duration: string, zone: TimeZone): CompiledWindow {
  const length = parseDuration(duration);
  if (length === undefined || length <= 0n) return wrong("duration", `${JSON.stringify(duration)} is no duration, as 8h or 90m`);
  const milliseconds = Number(length / 1_000_000n);
  let cron: Cron;
  try {
    cron = new Cron(pattern, { timezone: zone.name, mode: "5-part", paused: true });
  } catch (error) {
    return wrong("cron", error instanceof Error ? error.message : String(error));
  }
  const next = (after: Instant): Instant | undefined => cron.nextRun(new Date(after))?.getTime();
  return {
    ok: true,
    window: {
      // The run that began within the last `duration` still goes on; runs begin on whole seconds.
      covers(at) {
        const begun = next(at - milliseconds);
        return begun !== undefined && begun <= at;
      },
      opens: (at) => next(at - 1),
    },
  };
}

/** Compiles one window; what is wrong names the field. */
export function compileWindow(spec: WindowSpec, zone: TimeZone): CompiledWindow {
  const { cron, duration, from, to } = spec;
  if (cron !== undefined) {
    const other = (["days", "from", "to"] as const).find((field) => spec[field] !== undefined);
    if (other !== undefined) return wrong(other, "a window has either cron and duration or days, from and to");
    return duration === undefined ? wrong("cron", "a window of cron needs a duration") : cronWindow(cron, duration, zone);
  }
  if (duration !== undefined) return wrong("duration", "only a window of cron has a duration");
  const begin = minutesOf(from ?? "00:00");
  const end = minutesOf(to ?? "24:00");
  if (begin === end) return wrong("to", "the window has no length; leave from and to away for the whole day");
  if (begin === 24 * 60) return wrong("from", "a window begins at 23:59 at the latest");
  return { ok: true, window: dailyWindow(spec, begin, end, zone) };
}
