import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { nodeTextFiles } from "../../src/adapters/files/text-files.ts";
import { TestDocuments } from "../../src/services/test-documents.ts";
import { runTestFile } from "../../src/services/test-run.ts";
import type { TestRow } from "../../src/services/test-score.ts";
import { allTests } from "../../src/services/test-selection.ts";
import { type Case, type Corpus, failure, type Outcome, passed, skipped } from "./corpus.ts";

/** Paths of the corpus' tests: the second column of its manifest. */
async function testPaths(directory: string): Promise<readonly string[]> {
  const manifest = await readFile(join(directory, "MANIFEST.tsv"), "utf8");
  const paths = manifest
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t")[1] ?? "");
  return paths.filter((path) => path !== "");
}

function outcomeOf(row: TestRow): Outcome {
  if (row.outcome === "skip") return skipped(row.reason);
  return row.outcome === "pass" ? passed : failure(`${row.reason}${row.message === "" ? "" : `: ${row.message}`}`);
}

const host = { now: () => Date.now(), random: () => Math.random() };

/** One case for each row of a test; rows of the same name are numbered. */
function* casesOf(path: string, directory: string): Iterable<Case> {
  const resources = loadKubernetesSchemas().resources();
  const request = { files: nodeTextFiles, resources, host, selection: allTests };
  const file = relative(directory, path);
  const outcomes = runTestFile(path, request, new TestDocuments(nodeTextFiles));
  const seen = new Map<string, number>();
  for (const { rows } of outcomes) {
    for (const row of rows) {
      const name = `${file}#${row.policy}/${row.rule}/${row.resource}=${row.expected}`;
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      yield { id: count === 1 ? name : `${name}~${count}`, run: () => outcomeOf(row) };
    }
  }
  if (outcomes.every(({ rows }) => rows.length === 0)) {
    const why = outcomes.flatMap((o) => o.diagnostics).map((d) => d.message);
    yield { id: file, run: () => failure(`the test gave no rows: ${why.join("; ")}`) };
  }
}

/** A corpus of `kyverno-test.yaml` directories, scored strictly. */
export function kyvernoTestCorpus(name: string, slow = false): Corpus {
  return {
    name,
    slow,
    async *cases(directory) {
      for (const path of await testPaths(directory)) yield* casesOf(join(directory, path), directory);
    },
  };
}
