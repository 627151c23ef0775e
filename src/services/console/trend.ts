import { readFindingCounts, writeFindingCounts } from "../../adapters/store/finding-counts.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { FindingCountRow } from "../../adapters/store/tables.ts";
import type { Instant } from "../../core/host.ts";
import { type ClusterFindings, overviewOf } from "./finding-view.ts";

/** How much was wrong at a moment: failures by severity, warnings, and what could not be checked. */
export interface TrendPoint extends Omit<FindingCountRow, "cluster" | "hour"> {
  readonly at: Instant;
}

export interface TrendOptions {
  readonly store: Pick<Store, "db" | "reading">;
  /** Of clusters that answer: of others nobody knows how much is wrong. */
  readonly findings: () => readonly ClusterFindings[];
  readonly now: () => Instant;
  readonly onTrouble: (error: unknown) => void;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const keptDays = 400;
/** Of longer times a point a day. */
const hourlyDays = 7;

/** Keeps how much is wrong, hour by hour: the last count of each hour stands. */
export class Trend {
  readonly #options: TrendOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: TrendOptions) {
    this.#options = options;
  }

  /** Resolves after the first count. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#keep(), 5 * minute);
    this.#keep();
    await this.#running;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** The last `days`, of one cluster or of all together; a cluster's last count holds until its next one. */
  async points(days: number, wanted: string | undefined): Promise<readonly TrendPoint[]> {
    const { store, now } = this.#options;
    const step = days > hourlyDays ? day : hour;
    const rows = await readFindingCounts(store.reading, now() - days * day);
    const latest = new Map<string, FindingCountRow>();
    const points = new Map<number, TrendPoint>();
    for (const row of rows) {
      if (wanted !== undefined && row.cluster !== wanted) continue;
      latest.set(row.cluster, row);
      points.set(Math.floor(row.hour / step) * step, sumOf(row.hour, [...latest.values()]));
    }
    return [...points.values()];
  }

  #keep(): void {
    const { store, findings, now, onTrouble } = this.#options;
    const keep = async () => {
      const at = Math.floor(now() / hour) * hour;
      for (const one of findings()) {
        const { total, warnings, errors } = overviewOf([one]);
        await writeFindingCounts(store.db, { cluster: one.cluster, hour: at, ...total, warnings, errors }, at - keptDays * day);
      }
    };
    this.#running = this.#running.then(keep).catch(onTrouble);
  }
}

function sumOf(at: Instant, rows: readonly FindingCountRow[]): TrendPoint {
  const sum = (count: (row: FindingCountRow) => number) => rows.reduce((total, row) => total + count(row), 0);
  return {
    at,
    critical: sum((row) => row.critical),
    high: sum((row) => row.high),
    medium: sum((row) => row.medium),
    low: sum((row) => row.low),
    info: sum((row) => row.info),
    warnings: sum((row) => row.warnings),
    errors: sum((row) => row.errors),
  };
}
