import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { loadKubernetesSchemas } from "../../../src/adapters/files/catalog.ts";
import { nodeTextFiles } from "../../../src/adapters/files/text-files.ts";
import { groupOf, isKubernetesObject } from "../../../src/core/kubernetes.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import { convertAndProve } from "../../../src/services/convert/convert-and-prove.ts";
import { testObjects } from "../../../src/services/convert/test-objects.ts";
import type { PolicyDocument } from "../../../src/services/policies.ts";
import { findTests } from "../../../src/services/test-run.ts";
import { type Corpus, type Outcome, passed, skipped } from "../corpus.ts";

const schemas = loadKubernetesSchemas();
const env = { schemas, resources: schemas.resources(), host: { now: () => 0, random: () => 0.5 } };

/** What no expression can know: such policies are not counted. */
const lookUps = /"(?:apiCall|configMap|imageRegistry|globalReference|verifyImages)":/;

const isRuleBased = (document: { readonly value: unknown }): document is PolicyDocument => {
  const { value } = document as PolicyDocument;
  return isKubernetesObject(value) && groupOf(value) === "kyverno.io" && /^(?:Cluster)?Policy$/.test(value.kind);
};

function outcomeOf(document: PolicyDocument, directory: string): Outcome {
  const tests = testObjects(findTests(nodeTextFiles, [directory]), nodeTextFiles, env.resources);
  const objects = tests.get(String(document.value.metadata?.name)) ?? [];
  const outcome = convertAndProve(document, { target: "kyverno", env, objects });
  return outcome.kind === "proven" ? passed : skipped(outcome.reasons[0]?.replace(/^rule [^:]*: /, "") ?? "refused");
}

/** The ClusterPolicies of the library without look-ups, written anew in CEL: a pass is proven, a skip says what stands in the way. */
export const corpus: Corpus = {
  name: "kyverno-convert",
  folder: "kyverno-policies",
  async *cases(directory) {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    for (const { name, parentPath } of entries.filter((e) => e.isFile() && /\.ya?ml$/.test(e.name))) {
      const path = join(parentPath, name);
      if (/\/\.(?:kyverno-test|chainsaw)/.test(path)) continue;
      for (const document of parseDocuments(await readFile(path, "utf8"), path).documents.filter(isRuleBased)) {
        if (lookUps.test(JSON.stringify(document.value))) continue;
        yield { id: relative(directory, path), run: () => outcomeOf(document, parentPath) };
      }
    }
  },
};
