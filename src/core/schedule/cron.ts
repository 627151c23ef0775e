import { Cron } from "croner";
import type { Instant } from "../host.ts";

/** Of five parts (minute to day of week), in UTC. @throws Error where the text is none */
function cronOf(text: string): Cron {
  return new Cron(text, { timezone: "UTC", mode: "5-part" });
}

/** Whether a text is a schedule of five parts, or one of the names for such (`@daily`). */
export function isCron(text: string): boolean {
  try {
    cronOf(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a time of the schedule is after `from` and not after `until`. @throws Error where the text is no schedule */
export function isDue(text: string, from: Instant, until: Instant): boolean {
  const next = cronOf(text).nextRun(new Date(from));
  return next !== null && next.getTime() <= until;
}
