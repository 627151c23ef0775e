import type { Corpus } from "../corpus.ts";
import { type Outcome, skipped } from "../corpus.ts";
import { type Row, readRows } from "../network/manifests.ts";
import { runProbes } from "../network/probes.ts";

async function run(directory: string, row: Row): Promise<Outcome> {
  switch (row.suite) {
    case "cyclonus":
    case "k8se2e":
    case "recipes":
    case "cnp":
    case "anp":
      return runProbes(directory, row);
    default:
      return skipped(`no runner for ${row.kind} of ${row.suite}`);
  }
}

/** Truth tables, connection lists, differences and set queries of other analysers and of Kubernetes' own tests. */
export const corpus: Corpus = {
  name: "network",
  slow: true,
  async *cases(directory) {
    for (const row of await readRows(directory)) {
      yield { id: `${row.id} ${row.expected.split("/").at(-1) ?? row.kind}`.trim(), run: () => run(directory, row) };
    }
  },
};
