import type { Corpus } from "../corpus.ts";
import { type Outcome, skipped } from "../corpus.ts";
import { runEvaluation, runPairLines, runPairs, runPolicies, runRefused } from "../network/answers.ts";
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
    case "realworld":
      return row.kind === "policies-only" ? runPolicies(directory, row) : skipped(`no runner for ${row.kind} of ${row.suite}`);
    case "npga-msg":
    case "npga-diffmsg":
      return runMessage(directory, row);
    case "npga-diff":
      return runDiff(directory, row);
    case "nca":
      return row.kind === "nca-queries" ? runQueries(directory, row) : skipped("the wording of another analyser's answers");
    default:
      return skipped(`no runner for ${row.kind} of ${row.suite}`);
  }
}

async function runNpga(directory: string, row: Row): Promise<Outcome> {
  if (row.options["multipleNetworksEnabled"] === true && row.inputs.some((input) => /nad_/.test(input))) {
    return skipped("secondary networks of pods are not modelled");
  }
  const [kind, format] = row.kind.split("-");
  if (kind === "explain") return skipped("the wording of another analyser's explanations");
  if (kind === "connlist" || (kind === "exposure" && format !== "struct")) return runReport(directory, row);
  if (kind === "eval" && format === "bool") return runEvaluation(directory, row);
  if (kind === "eval" && format === "conns") return runPairs(directory, row);
  if (kind === "eval" && format === "map") return runPairLines(directory, row);
  return skipped(`no runner for ${row.kind}`);
}

/** Inputs that are refused for what they say about pods, names of objects or other networks are no policies that cannot be read. */
const otherReasons =
  /same_owner|same_name|udn|multiple|focus|more_than_one|two_netpols|named_port_on_ipblock|nad_|no_relevant|no_network_policy|malformed|irrelevant|YAML|ipv6|unknown_named|unknown_port|named_port_with/i;

function runMessage(directory: string, row: Row): Promise<Outcome> | Outcome {
  if (!/fatal/.test(row.kind) || otherReasons.test(row.id))
    return skipped("what another analyser says about other things than policies");
  return runRefused(directory, row);
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
