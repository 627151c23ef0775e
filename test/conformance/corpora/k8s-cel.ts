import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isArray, isObject, type JsonObject } from "../../../src/core/json.ts";
import { readYaml } from "../../../src/core/yaml/read-yaml.ts";
import { runCrdRow, runEscapingRow } from "../cel/k8s-crd.ts";
import { runEnvironmentRow } from "../cel/k8s-environment.ts";
import { runGoRow } from "../cel/k8s-go-rows.ts";
import { runCostRow, runLibraryRow } from "../cel/k8s-library.ts";
import { runMutationRow } from "../cel/k8s-mutation.ts";
import type { Corpus, Outcome } from "../corpus.ts";

const files: readonly (readonly [file: string, run: (row: JsonObject) => Outcome])[] = [
  ["library.json", runLibraryRow],
  ["cost.json", runCostRow],
  ["environment.json", runEnvironmentRow],
  ["escaping.json", runEscapingRow],
  ["crd-rules.json", runCrdRow],
  ["mutation.json", runMutationRow],
];

/** Read as YAML, which keeps 64-bit integers as they are. */
function rowsOf(text: string): readonly JsonObject[] {
  const rows = readYaml(text);
  if (!rows.ok) throw new Error("the rows are no JSON");
  return isArray(rows.value) ? rows.value.filter(isObject) : [];
}

/** Rows of Kubernetes' own CEL tests: libraries, costs, environments, CRD rules, mutations. */
export const corpus: Corpus = {
  name: "k8s-cel",
  async *cases(directory) {
    for (const [file, run] of files) {
      for (const row of rowsOf(await readFile(join(directory, file), "utf8"))) {
        yield { id: String(row["id"]), run: () => run(row) };
      }
    }
    for (const file of (await readdir(join(directory, "go-rows"))).sort()) {
      for (const row of rowsOf(await readFile(join(directory, "go-rows", file), "utf8"))) {
        yield { id: String(row["id"]), run: () => runGoRow(row) };
      }
    }
  },
};
