import { v8Flags } from "../../src/cli/v8-flags.ts";

/** One line of the bench: what was measured, what it took us, and what it took a peer in the same run. */
export interface BenchRow {
  readonly name: string;
  readonly ours: number;
  /** Absent where the peer is not on PATH. */
  readonly peer?: number;
  readonly unit: "ms" | "MB" | "KB" | "us";
  /** What has to hold: at most this, or so many times less than the peer. */
  readonly target?: { readonly atMost: number } | { readonly timesLess: number };
}

/** A group of measurements; `skipped` says why there are none. */
export interface Bench {
  readonly name: string;
  run(): Promise<{ readonly rows: readonly BenchRow[]; readonly skipped?: string }>;
}

/** Undefined where the row has no target, or none that can be judged without the peer. */
export function isMet({ ours, peer, target }: BenchRow): boolean | undefined {
  if (target === undefined) return undefined;
  if ("atMost" in target) return ours <= target.atMost;
  return peer === undefined ? undefined : peer / ours >= target.timesLess;
}

/** How Node is started for a server that is measured: as the container image starts it, and V8 as `castellan serve` sets it. */
export const nodeAsServed: readonly string[] = ["--max-semi-space-size=32", ...v8Flags("serve")];
