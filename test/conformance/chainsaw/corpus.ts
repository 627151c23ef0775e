import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Corpus, skipped } from "../corpus.ts";
import { startGovernedCluster } from "./cluster.ts";
import { runChainsawTest } from "./run-test.ts";

/** Chainsaw tests against a real API server with our webhooks. `CHAINSAW=<text>` runs only those whose path holds it. */
export function chainsawCorpus(name: string): Corpus {
  return {
    name,
    slow: true,
    async *cases(directory) {
      const wanted = process.env["CHAINSAW"] ?? "";
      const files = (await readdir(directory, { recursive: true }))
        .filter((file) => file.endsWith("chainsaw-test.yaml") && file.includes(wanted))
        .sort();
      const cluster = await startGovernedCluster();
      try {
        for (const file of files) {
          yield {
            id: file.replace(/\/(\.chainsaw-test\/)?chainsaw-test\.yaml$/, ""),
            run: () =>
              cluster === undefined ? skipped("no control plane can be had") : runChainsawTest(cluster, join(directory, file)),
          };
        }
      } finally {
        await cluster?.stop();
      }
    },
  };
}
