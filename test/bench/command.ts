import type { Bench } from "./bench.ts";
import { castellan, corpora, repository } from "./corpora.ts";
import { cheapest, onPath } from "./process-cost.ts";

/** Starting, and a whole test corpus beside `kyverno test`. */
export const commandBench: Bench = {
  name: "command line",
  async run() {
    const start = await cheapest(5, [...castellan, "--version"], repository);
    if (!/^\d+\.\d+\.\d+/.test(start.out)) throw new Error(`no version: ${start.out}`);
    const version = { name: "--version, CPU", unit: "ms", ours: start.cpu, target: { atMost: 120 } } as const;
    const corpus = corpora();
    if (corpus === undefined) return { rows: [version], skipped: "the conformance corpora are absent" };
    const ours = await cheapest(1, [...castellan, "test", "kyverno-policies"], corpus);
    if (ours.out.length < 10_000) throw new Error(`the tests did not run: ${ours.out}`);
    const peer = onPath("kyverno") ? await cheapest(1, ["kyverno", "test", "kyverno-policies"], corpus) : undefined;
    return {
      rows: [
        version,
        { name: "test, CPU", unit: "ms", ours: ours.cpu, ...(peer && { peer: peer.cpu }), target: { timesLess: 15 } },
        ...(ours.peak === undefined
          ? []
          : [{ name: "test, peak memory", unit: "MB", ours: ours.peak, ...(peer?.peak && { peer: peer.peak }) } as const]),
      ],
    };
  },
};
