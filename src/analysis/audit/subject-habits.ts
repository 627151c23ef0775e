import type { Instant } from "../../core/host.ts";
import { type ApiUse, actionOf, isRefused, isSecretRead, programOf } from "./use.ts";

/** How long secrets read one after the other count as one go. */
export const secretWindow = 600_000;
const dayLength = 86_400_000;
/** An hour that came on so many days after learning is usual from then on. */
const usualDays = 3;

/** What one subject of one cluster usually does; bounded by the verbs, hours and programs that it has shown. */
export class SubjectHabits {
  readonly first: Instant;
  readonly actions = new Set<string>();
  readonly programs = new Set<string>();
  /** The day on which an hour of the day (UTC) was last used, and on how many days it was. */
  readonly #hours = new Map<number, { day: number; days: number }>();
  /** Secrets with the time of their last read, the longest ago first. */
  readonly #secrets = new Map<string, Instant>();
  /** The most secrets read in one go while it was learned. */
  usualSecrets = 0;
  /** Whether it read secrets of all namespaces at once while it was learned. */
  everywhere = false;
  uses = 0;

  constructor(first: Instant) {
    this.first = first;
  }

  /** Takes a use as usual. */
  learn(use: ApiUse): void {
    this.uses++;
    this.learnHour(use.at, usualDays);
    if (use.userAgent !== "") this.programs.add(programOf(use.userAgent));
    if (isRefused(use)) return;
    this.actions.add(actionOf(use));
    if (!isSecretRead(use)) return;
    if (use.name === "" && use.namespace === "") this.everywhere = true;
    this.usualSecrets = Math.max(this.usualSecrets, this.secretsWith(use).size);
  }

  /** Counts a day on which the hour of `at` was used; an hour that is new counts `days`. */
  learnHour(at: Instant, days = 1): void {
    const [hour, day] = [hourOf(at), Math.floor(at / dayLength)];
    const known = this.#hours.get(hour);
    if (known === undefined) this.#hours.set(hour, { day, days });
    else if (known.day !== day) this.#hours.set(hour, { day, days: known.days + 1 });
  }

  /** Whether the hour, or the one before or after it, is one at which the subject works, or was seen today already. */
  isUsualHour(at: Instant): boolean {
    const hour = hourOf(at);
    if (this.#hours.get(hour)?.day === Math.floor(at / dayLength)) return true;
    return [hour, (hour + 1) % 24, (hour + 23) % 24].some((h) => (this.#hours.get(h)?.days ?? 0) >= usualDays);
  }

  /** The hours (UTC) at which it works. */
  usualHours(): readonly number[] {
    return [...this.#hours].flatMap(([hour, { days }]) => (days >= usualDays ? [hour] : [])).sort((a, b) => a - b);
  }

  /** The secrets read within the window that ends with this read, each once. */
  secretsWith(use: ApiUse): ReadonlyMap<string, Instant> {
    const what = `${use.namespace || "*"}/${use.name || "*"}`;
    this.#secrets.delete(what);
    this.#secrets.set(what, use.at);
    for (const [read, at] of this.#secrets) {
      if (at >= use.at - secretWindow) break;
      this.#secrets.delete(read);
    }
    return this.#secrets;
  }
}

export const hourOf = (at: Instant): number => Math.floor((at % dayLength) / 3_600_000);
