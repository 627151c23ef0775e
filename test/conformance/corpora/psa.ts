import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Action } from "../../../src/core/action.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, nameOf } from "../../../src/core/kubernetes.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import { admit } from "../../../src/policies/pod-security/admission.ts";
import { defaultConfiguration } from "../../../src/policies/pod-security/configuration.ts";
import { type Corpus, failure, type Outcome, passed } from "../corpus.ts";

/** Creating the pod in a namespace that enforces `level` at `version`. */
function creation(object: KubernetesObject, level: string, version: string): Action {
  return {
    channel: "admission",
    actor: undefined,
    operation: "CREATE",
    dryRun: false,
    target: { type: "kubernetes", ...gvkOf(object), resource: "pods", subresource: "", namespace: "test", name: nameOf(object) },
    object,
    namespaceLabels: {
      "pod-security.kubernetes.io/enforce": level,
      "pod-security.kubernetes.io/enforce-version": version,
    },
    at: 0,
  };
}

async function judge(file: string, level: string, version: string, expected: string): Promise<Outcome> {
  const { documents, diagnostics } = parseDocuments(await readFile(file, "utf8"), file);
  const object = documents[0]?.value;
  if (!isKubernetesObject(object) || documents.length !== 1) return failure(`not one pod: ${diagnostics[0]?.message ?? ""}`);
  const { allowed, message } = admit(creation(object, level, version), defaultConfiguration);
  if (allowed === (expected === "pass")) return passed;
  return failure(allowed ? "admitted" : `denied: ${message}`);
}

/** Kubernetes' own fixtures: pods that a level and version admits, and pods that it denies. */
export const corpus: Corpus = {
  name: "psa",
  async *cases(directory) {
    for (const level of ["baseline", "restricted"]) {
      for (const version of (await readdir(join(directory, level))).sort()) {
        for (const expected of ["pass", "fail"]) {
          const folder = join(level, version, expected);
          const files = await readdir(join(directory, folder)).catch(() => []);
          for (const name of files.sort()) {
            const id = join(folder, name);
            yield { id, run: () => judge(join(directory, id), level, version, expected) };
          }
        }
      }
    }
  },
};
