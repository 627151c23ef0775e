import type { Instant } from "../../core/host.ts";
import type { AccessDesk } from "../../services/access/desk.ts";
import type { StreamKind } from "./classify.ts";

/** Why an open stream is ended from our side. */
export interface Cut {
  readonly why: string;
  /** 401: who it is must be shown anew; 410: what it rested on is gone. */
  readonly status: 401 | 410;
}

/** Something open, and what it rests on. */
export interface OpenStream {
  readonly human: string;
  readonly kind: StreamKind;
  /** The access request whose grant it uses. */
  readonly requestId: string | undefined;
  /** When it must end, whatever happens. */
  readonly until: readonly { readonly at: Instant; readonly cut: Cut }[];
  /** Looks again, when roles or guardrails changed (`change`) and every second (`time`: guardrails know the hour); a cut ends it. */
  readonly recheck: (because: "change" | "time") => Promise<Cut | undefined> | undefined;
  /** Grows as the peers take bytes; stands still where bytes wait. Undefined: nothing waits. */
  readonly waiting: () => number | undefined;
  readonly cut: (cut: Cut) => void;
}

interface Entry {
  readonly stream: OpenStream;
  /** The same ends on the clock that nobody sets. */
  readonly monotonic: readonly { readonly at: number; readonly cut: Cut }[];
  stalledSince: number | undefined;
  taken: number | undefined;
  checking: boolean;
}

export interface StreamRegistryOptions {
  readonly desk: Pick<AccessDesk, "onChange" | "onLock" | "isLocked">;
  readonly now: () => Instant;
  readonly trouble: (error: unknown) => void;
  /** Milliseconds on a clock that nobody sets; unless told, the process's own. */
  readonly clock?: (() => number) | undefined;
}

const tickMilliseconds = 250;
const recheckTicks = 4;
/** Who takes nothing for so long is gone. */
const stallMilliseconds = 120_000;

/** Everything that is open through this gateway, cut within a second of the end of what it rests on. */
export class StreamRegistry {
  readonly #options: StreamRegistryOptions;
  readonly #entries = new Set<Entry>();
  readonly #perHuman = new Map<string, number>();
  readonly #stop: (() => void)[] = [];
  readonly #clock: () => number;
  #ticks = 0;

  constructor(options: StreamRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Begins to look after what is added. */
  start(): void {
    const { desk } = this.#options;
    // One short timer, never a long one: clocks jump and long timers drift.
    const timer = setInterval(() => this.tick(), tickMilliseconds);
    this.#stop.push(
      () => clearInterval(timer),
      desk.onLock((human) => this.#cutWhere((s) => s.human === human, { why: "access was locked", status: 401 })),
      desk.onChange((request) => {
        const isLive = request.phase === "granted" && request.grant !== undefined;
        if (isLive) return;
        const why = `request ${request.id} ${request.ended?.why ?? request.phase}`;
        this.#cutWhere((s) => s.requestId === request.id, { why, status: 410 });
      }),
    );
  }

  stop(): void {
    for (const stop of this.#stop.splice(0)) stop();
    this.#cutWhere(() => true, { why: "the gateway stops", status: 410 });
  }

  get size(): number {
    return this.#entries.size;
  }

  countOf(human: string): number {
    return this.#perHuman.get(human) ?? 0;
  }

  /** The answer takes it out again. */
  add(stream: OpenStream): () => void {
    const [wall, clock] = [this.#options.now(), this.#clock()];
    const monotonic = stream.until.map(({ at, cut }) => ({ at: clock + (at - wall), cut }));
    const entry: Entry = { stream, monotonic, stalledSince: undefined, taken: undefined, checking: false };
    this.#entries.add(entry);
    this.#perHuman.set(stream.human, this.countOf(stream.human) + 1);
    return () => this.#remove(entry);
  }

  /** Roles or guardrails changed: what rests on them is looked at again. */
  recheck(): void {
    for (const entry of this.#entries) this.#recheck(entry, "change");
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    const left = this.countOf(entry.stream.human) - 1;
    if (left > 0) this.#perHuman.set(entry.stream.human, left);
    else this.#perHuman.delete(entry.stream.human);
  }

  #cutWhere(condition: (stream: OpenStream) => boolean, cut: Cut): void {
    for (const entry of [...this.#entries]) if (condition(entry.stream)) this.#cut(entry, cut);
  }

  #cut(entry: Entry, cut: Cut): void {
    this.#remove(entry);
    try {
      entry.stream.cut(cut);
    } catch (error) {
      this.#options.trouble(error);
    }
  }

  /** One look at everything. */
  tick(): void {
    const [wall, clock] = [this.#options.now(), this.#clock()];
    const rechecks = ++this.#ticks % recheckTicks === 0;
    for (const entry of [...this.#entries]) {
      const { stream, monotonic } = entry;
      const over = stream.until.find(({ at }) => at <= wall) ?? monotonic.find(({ at }) => at <= clock);
      if (over !== undefined) this.#cut(entry, over.cut);
      else if (this.#options.desk.isLocked(stream.human)) this.#cut(entry, { why: "access was locked", status: 401 });
      else if (this.#isStalled(entry, clock)) this.#cut(entry, { why: "the client takes nothing any more", status: 410 });
      else if (rechecks) this.#recheck(entry, "time");
    }
  }

  #isStalled(entry: Entry, clock: number): boolean {
    const taken = entry.stream.waiting();
    if (taken === undefined || taken !== entry.taken) {
      entry.taken = taken;
      entry.stalledSince = taken === undefined ? undefined : clock;
      return false;
    }
    return entry.stalledSince !== undefined && clock - entry.stalledSince > stallMilliseconds;
  }

  #recheck(entry: Entry, because: "change" | "time"): void {
    if (entry.checking) return;
    const checking = entry.stream.recheck(because);
    if (checking === undefined) return;
    entry.checking = true;
    checking
      .then((cut) => {
        if (cut !== undefined && this.#entries.has(entry)) this.#cut(entry, cut);
      })
      .catch(this.#options.trouble)
      .finally(() => {
        entry.checking = false;
      });
  }
}
