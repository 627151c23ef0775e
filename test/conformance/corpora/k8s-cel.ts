import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { runCostRow, runLibraryRow } from "../cel/k8s-library.ts";
import type { Corpus, Outcome } from "../corpus.ts";

const files: readonly (readonly [file: string, run: (row: JsonObject) => Outcome])[] = [
  ["library.json", runLibraryRow],
  ["cost.json", runCostRow],
];

/** Rows of Kubernetes' own CEL tests: libraries, costs, environments, CRD rules, mutations. */
export const corpus: Corpus = {
  name: "k8s-cel",
  async *cases(directory) {
    for (const [file, run] of files) {
      const rows: JsonValue = JSON.parse(await readFile(join(directory, file), "utf8"));
      for (const row of isArray(rows) ? rows.filter(isObject) : []) yield { id: String(row["id"]), run: () => run(row) };
    }
  },
};
