import type { Instant } from "../host.ts";
import { compileCalendar } from "./calendar.ts";
import type { Occurrence } from "./calendar-event.ts";
import type { FreezeSpec } from "./schedule-kind.ts";
import { dayMilliseconds, parseLocalTime, type TimeZone } from "./zone.ts";

export interface Freeze {
  /** @throws RangeError when it cannot be said */
  covering(at: Instant): Occurrence | undefined;
}

export type CompiledFreeze =
  | { readonly ok: true; readonly freeze: Freeze }
  | { readonly ok: false; readonly field: keyof FreezeSpec; readonly message: string };

const wrong = (field: keyof FreezeSpec, message: string): CompiledFreeze => ({ ok: false, field, message });

/** Compiles one freeze: a stretch of time, or the events of a calendar. */
export function compileFreeze(spec: FreezeSpec, zone: TimeZone): CompiledFreeze {
  const { name, from, until, calendar, file } = spec;
  if (calendar !== undefined) {
    if (from !== undefined || until !== undefined) return wrong("calendar", "a freeze has either a calendar or from and until");
    const compiled = compileCalendar(calendar, zone);
    if (!compiled.ok) return wrong("calendar", compiled.message);
    const covering = (at: Instant) => {
      const found = compiled.calendar.covering(at);
      return found === undefined ? undefined : { ...found, summary: `${name}: ${found.summary}` };
    };
    return { ok: true, freeze: { covering } };
  }
  if (file !== undefined) return wrong("file", `${file} was not read: give its text as calendar`);
  if (from === undefined || until === undefined) return wrong("name", "a freeze needs from and until, or a calendar");
  const begin = parseLocalTime(from);
  const end = parseLocalTime(until);
  if (begin === undefined) return wrong("from", `there is no ${from}`);
  if (end === undefined) return wrong("until", `there is no ${until}`);
  const last = until.includes("T") ? end : end + dayMilliseconds;
  if (last <= begin) return wrong("until", "the freeze ends before it begins");
  const occurrence = { summary: name, from: zone.instantOf(begin), until: zone.instantOf(last) };
  return { ok: true, freeze: { covering: (at) => (at >= occurrence.from && at < occurrence.until ? occurrence : undefined) } };
}
