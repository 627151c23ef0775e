import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { nodeTextFiles } from "../../src/adapters/files/text-files.ts";
import { TestDocuments } from "../../src/services/test-documents.ts";
import { runTestFile } from "../../src/services/test-run.ts";
import type { TestRow } from "../../src/services/test-score.ts";
import { allTests } from "../../src/services/test-selection.ts";
import { type Case, type Corpus, failure, type Outcome, passed, skipped } from "./corpus.ts";

function outcomeOf(row: TestRow): Outcome {
  if (row.outcome === "skip") return skipped(row.reason);
  return row.outcome === "pass" ? passed : failure(row.reason);
}

const host = { now: () => Date.now(), random: () => Math.random() };

/** One case for each case of a suite. */
export function* suiteCases(path: string, directory: string): Iterable<Case> {
  const resources = loadKubernetesSchemas().resources();
  const request = { files: nodeTextFiles, resources, host, selection: allTests };
  const outcomes = runTestFile(path, request, new TestDocuments(nodeTextFiles));
  const seen = new Map<string, number>();
  for (const row of outcomes.flatMap(({ rows }) => rows)) {
    const name = `${relative(directory, path)}#${row.test}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    yield { id: count === 1 ? name : `${name}~${count}`, run: () => outcomeOf(row) };
  }
  const why = outcomes.flatMap((o) => o.diagnostics).filter((d) => d.severity === "error");
  if (why.length > 0 || outcomes.every(({ rows }) => rows.length === 0)) {
    yield {
      id: relative(directory, path),
      run: () => failure(`the suite was not understood: ${why.map((d) => d.message).join("; ")}`),
    };
  }
}

/** A corpus of gator's suites: the second column of its manifest names them. */
export function gatekeeperSuites(name: string): Corpus {
  return {
    name,
    async *cases(directory) {
      const manifest = await readFile(join(directory, "MANIFEST.tsv"), "utf8");
      for (const line of manifest.trim().split("\n").slice(1)) {
        const path = line.split("\t")[1] ?? "";
        if (path.endsWith("suite.yaml")) yield* suiteCases(join(directory, path), directory);
      }
    },
  };
}
