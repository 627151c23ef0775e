import type { Corpus } from "../corpus.ts";
import { type Outcome, skipped } from "../corpus.ts";
import { type Row, readRows } from "../network/manifests.ts";
import { runQueries } from "../network/nca.ts";
import { runDiff, runReport } from "../network/npga.ts";
import { runProbes } from "../network/probes.ts";

async function run(directory: string, row: Row): Promise<Outcome> {
  switch (row.suite) {
    case "cyclonus":
    case "k8se2e":
    case "recipes":
    case "cnp":
    case "anp":
      return runProbes(directory, row);
    case "npga":
    case "npga-parsed":
      return runNpga(directory, row);
    case "npga-diff":
      return row.kind === "diff-dot" ? skipped("drawings of what the other formats say") : runDiff(directory, row);
    case "nca":
      return row.kind === "nca-queries" ? runQueries(directory, row) : skipped("the wording of another analyser's answers");
    default:
      return skipped(`no runner for ${row.kind} of ${row.suite}`);
  }
}

async function runNpga(directory: string, row: Row): Promise<Outcome> {
  if (row.options["multipleNetworksEnabled"] === true) return skipped("networks beside the pod network are not modelled");
  const [kind, format] = row.kind.split("-");
  if (kind === "explain") return skipped("the wording of another analyser's explanations");
  if (kind === "connlist" || (kind === "exposure" && format !== "struct" && format !== "dot")) return runReport(directory, row);
  return skipped(`no runner for ${row.kind}`);
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
