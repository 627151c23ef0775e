import { type Diagnostic, failed, type Loaded, loaded } from "../diagnostic.ts";
import type { Instant } from "../host.ts";
import { problemAt, readResource } from "../resource-kind.ts";
import type { SourceDocument } from "../source.ts";
import type { Occurrence } from "./calendar-event.ts";
import { compileFreeze, type Freeze } from "./freeze.ts";
import { compileRotation, type Rotation } from "./rotation.ts";
import { scheduleKind } from "./schedule-kind.ts";
import { compileWindow, type Window } from "./window.ts";
import { formatInZone, TimeZone } from "./zone.ts";

/** What a schedule says about one moment. */
export interface ScheduleState {
  readonly open: boolean;
  /** The freeze that closes it. */
  readonly frozen?: string | undefined;
  /** In a sentence, with when it opens again where that is near. */
  readonly why: string;
}

export interface Schedule {
  readonly name: string;
  at(at: Instant): ScheduleState;
  /** Ids of the directory, of one rotation or of all. */
  onCall(at: Instant, rotation?: string): readonly string[];
  readonly rotations: readonly string[];
}

/** So many freezes one after the other are looked behind for the next opening. */
const maximumSteps = 50;

class CompiledSchedule implements Schedule {
  readonly name: string;
  readonly #zone: TimeZone;
  readonly #windows: readonly Window[];
  readonly #freezes: readonly Freeze[];
  readonly #rotations: readonly Rotation[];

  constructor(
    name: string,
    zone: TimeZone,
    windows: readonly Window[],
    freezes: readonly Freeze[],
    rotations: readonly Rotation[],
  ) {
    this.name = name;
    this.#zone = zone;
    this.#windows = windows;
    this.#freezes = freezes;
    this.#rotations = rotations;
  }

  get rotations(): readonly string[] {
    return this.#rotations.map(({ name }) => name);
  }

  at(at: Instant): ScheduleState {
    try {
      const freeze = this.#freeze(at);
      const opens = () => this.#opensText(at);
      if (freeze !== undefined) {
        const until = formatInZone(this.#zone, freeze.until);
        return { open: false, frozen: freeze.summary, why: `${freeze.summary} (until ${until}) closes ${this.name}${opens()}` };
      }
      if (this.#inWindow(at)) return { open: true, why: `${this.name} is open` };
      return { open: false, why: `it is ${formatInZone(this.#zone, at)}, outside ${this.name}${opens()}` };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // A calendar that cannot be read to its end may well freeze this moment.
      const why = `${this.name} cannot be told: ${error.message}`;
      return { open: false, frozen: why, why };
    }
  }

  onCall(at: Instant, rotation?: string): readonly string[] {
    const asked = this.#rotations.filter(({ name }) => rotation === undefined || name === rotation);
    return [...new Set(asked.map((one) => one.onCall(at)).filter((person) => person !== undefined))];
  }

  #freeze(at: Instant): Occurrence | undefined {
    for (const freeze of this.#freezes) {
      const found = freeze.covering(at);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #inWindow(at: Instant): boolean {
    return this.#windows.length === 0 || this.#windows.some((window) => window.covers(at));
  }

  #opensText(at: Instant): string {
    let now = at;
    for (let step = 0; step < maximumSteps; step++) {
      const freeze = this.#freeze(now);
      if (freeze !== undefined) now = freeze.until;
      else if (this.#inWindow(now)) return `; it opens ${formatInZone(this.#zone, now)}`;
      else {
        const next = this.#windows.map((window) => window.opens(now)).filter((opening) => opening !== undefined);
        if (next.length === 0) return "";
        now = Math.min(...next);
      }
    }
    return "";
  }
}

/** Compiles a Schedule document; every problem has its place. */
export function compileSchedule(document: SourceDocument): Loaded<Schedule> {
  const read = readResource(document, scheduleKind);
  if (!read.ok) return read;
  const { name, spec } = read.value;
  const zone = TimeZone.named(spec.timeZone);
  if (zone === undefined) {
    const next = "Use a name of the IANA time zone database, such as Europe/Berlin or Etc/UTC.";
    return failed(
      problemAt(
        document,
        ["spec", "timeZone"],
        `there is no time zone ${JSON.stringify(spec.timeZone)}`,
        "SCHEDULE_INVALID",
        next,
      ),
    );
  }
  const problems: Diagnostic[] = [];
  const report = (list: string, index: number, { field, message }: { readonly field: string; readonly message: string }) =>
    problems.push(problemAt(document, ["spec", list, index, field], message, "SCHEDULE_INVALID"));
  const windows = (spec.windows ?? []).flatMap((one, i) => {
    const compiled = compileWindow(one, zone);
    if (compiled.ok) return [compiled.window];
    report("windows", i, compiled);
    return [];
  });
  const freezes = (spec.freezes ?? []).flatMap((one, i) => {
    const compiled = compileFreeze(one, zone);
    if (compiled.ok) return [compiled.freeze];
    report("freezes", i, compiled);
    return [];
  });
  const rotations = (spec.rotations ?? []).flatMap((one, i) => {
    const compiled = compileRotation(one, zone);
    if (compiled.ok) return [compiled.rotation];
    report("rotations", i, compiled);
    return [];
  });
  return problems.length > 0 ? failed(...problems) : loaded(new CompiledSchedule(name, zone, windows, freezes, rotations));
}
