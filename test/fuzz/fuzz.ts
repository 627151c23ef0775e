import { readdirSync } from "node:fs";
import { test } from "vitest";

/** All suites share this time; `FUZZ_SEED` repeats a run. */
const totalSeconds = Number(process.env["FUZZ_SECONDS"] ?? 60);
const suites = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".fuzz.ts")).length;

/** To be passed to `fc.assert`: run until the time is over. */
export interface FuzzLimits {
  readonly numRuns: number;
  readonly interruptAfterTimeLimit: number;
  readonly markInterruptAsFailure: false;
  readonly seed?: number;
}

/**
 * Tries properties on random input for this suite's share of the time, one after the other. A failure is shrunk to a
 * small case, with the seed that repeats it.
 */
export function fuzzSuite(properties: { readonly [name: string]: (limits: FuzzLimits) => Promise<void> | void }): void {
  const seed = process.env["FUZZ_SEED"];
  const limits: FuzzLimits = {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: (totalSeconds * 1000) / suites / Object.keys(properties).length,
    markInterruptAsFailure: false,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
  for (const [name, property] of Object.entries(properties)) test(name, () => property(limits));
}
