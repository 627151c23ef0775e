import { Cron } from "croner";
import type { Instant } from "../host.ts";

/** Of five parts (minute to day of week), in UTC; undefined where the text is none. */
function cronOf(text: string): Cron | undefined {
  try {
    return new Cron(text, { timezone: "UTC", mode: "5-part" });
  } catch {
    return undefined;
  }
}

/** Whether a text is a schedule of five parts, or one of the names for such (`@daily`). */
export const isCron = (text: string): boolean => cronOf(text) !== undefined;

/** Whether a time of the schedule is after `from` and not after `until`; what is no schedule has none. */
export function isDue(text: string, from: Instant, until: Instant): boolean {
  const next = cronOf(text)?.nextRun(new Date(from)) ?? undefined;
  return next !== undefined && next.getTime() <= until;
}
