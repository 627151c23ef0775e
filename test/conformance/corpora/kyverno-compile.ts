import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { loadKubernetesSchemas } from "../../../src/adapters/files/catalog.ts";
import type { Diagnostic } from "../../../src/core/diagnostic.ts";
import { isKubernetesObject } from "../../../src/core/kubernetes.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import { compilePolicies, isPolicyObject } from "../../../src/services/policies.ts";
import { type Case, type Corpus, failure, type Outcome, passed } from "../corpus.ts";

const folders = ["kyverno-policies", "kyverno-cli", "kyverno-policies-chainsaw", "kyverno-chainsaw"];

const resources = loadKubernetesSchemas().resources();

/** Policies compile without errors; each file that holds some is one case. */
function outcomeOf(errors: readonly Diagnostic[]): Outcome {
  return errors.length === 0 ? passed : failure(errors.map((d) => d.message).join("; "));
}

async function casesOf(path: string, id: string): Promise<readonly Case[]> {
  const { documents } = parseDocuments(await readFile(path, "utf8"), path);
  const policies = documents.filter(
    ({ value }) => isKubernetesObject(value) && value["spec"] !== undefined && isPolicyObject(value),
  );
  if (policies.length === 0) return [];
  const run = () => outcomeOf(compilePolicies(policies, resources).diagnostics.filter((d) => d.severity === "error"));
  return [{ id, run }];
}

/** Every policy, exception and cleanup policy of the four Kyverno suites, those for a live cluster too. */
export const corpus: Corpus = {
  name: "kyverno-compile",
  folder: ".",
  async *cases(directory) {
    for (const folder of folders) {
      const entries = await readdir(join(directory, folder), { recursive: true, withFileTypes: true });
      const paths = entries.filter((e) => e.isFile() && /\.ya?ml$/.test(e.name)).map((e) => join(e.parentPath, e.name));
      for (const path of paths.sort()) yield* await casesOf(path, relative(directory, path));
    }
  },
};
