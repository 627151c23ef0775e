import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { corpora } from "./corpora.ts";
import { processCost } from "./process-cost.ts";

const objects = "bench/objects.yaml";
const manifests = "real-manifests";
const runs = 5;

interface Load {
  readonly cpu: number;
  readonly peak: number | undefined;
}

/** Reading, in a process that starts cold, beside the parser that we build on; that one tells no positions. */
export const loadingBench: Bench = {
  name: "loading",
  async run() {
    const corpus = corpora();
    if (corpus === undefined) return { rows: [], skipped: "the conformance corpora are absent" };
    const values = await load(corpus, ["castellan", objects], 2000);
    const peer = await load(corpus, ["js-yaml", objects], 2000);
    const positions = await load(corpus, ["castellan", objects, "positions"], 2000);
    const megabytes = bytesBelow(join(corpus, manifests)) / 1e6;
    const real = await load(corpus, ["castellan", manifests, "positions"], 1000);
    return {
      rows: [
        { name: "objects.yaml, CPU", unit: "ms", ours: values.cpu, peer: peer.cpu, target: { atMost: 800 } },
        { name: "and a position in each, CPU", unit: "ms", ours: positions.cpu, target: { atMost: 800 } },
        { name: "real manifests, CPU per MB", unit: "ms", ours: real.cpu / megabytes, target: { atMost: 300 } },
        ...(values.peak === undefined
          ? []
          : [
              {
                name: "objects.yaml, peak memory",
                unit: "MB",
                ours: values.peak,
                ...(peer.peak && { peer: peer.peak }),
              } as const,
            ]),
      ],
    };
  },
};

/** The cheapest of some runs: whatever else the machine does only adds. */
async function load(corpus: string, args: readonly string[], atLeast: number): Promise<Load> {
  let best: Load | undefined;
  for (let run = 0; run < runs; run++) {
    const script = join(import.meta.dirname, "load-process.ts");
    const { out, peak } = await processCost([process.execPath, script, ...args], corpus);
    const { documents, cpu } = JSON.parse(out);
    if (documents < atLeast) throw new Error(`${args.join(" ")}: only ${documents} documents`);
    if (best === undefined || cpu < best.cpu) best = { cpu, peak };
  }
  return best ?? { cpu: Number.NaN, peak: undefined };
}

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => statSync(join(directory, name)))
    .filter((stats) => stats.isFile())
    .reduce((sum, stats) => sum + stats.size, 0);
}
