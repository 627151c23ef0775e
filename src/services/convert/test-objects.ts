import type { TextFiles } from "../../adapters/files/text-files.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import { namespaceOf } from "../../core/kubernetes.ts";
import { TestDocuments } from "../test-documents.ts";
import { isTestDocument, readTestSpec } from "../test-spec.ts";
import { loadTestWorld } from "../test-world.ts";
import type { ProofObject } from "./prove.ts";

/** The objects of tests, with what they say about users and namespaces, by the names of the policies that they test. */
export function testObjects(
  paths: readonly string[],
  files: TextFiles,
  resources: ApiResources,
): ReadonlyMap<string, readonly ProofObject[]> {
  const documents = new TestDocuments(files);
  const found = new Map<string, ProofObject[]>();
  for (const path of paths) {
    for (const document of documents.read(path).documents.filter(({ value }) => isTestDocument(value))) {
      const world = loadTestWorld(readTestSpec(document).spec, documents, resources);
      const facts = world.facts([]);
      const objects = world.objects
        .filter(({ value }) => !world.payloads.has(value))
        .map(({ value }): ProofObject => {
          const namespaceLabels = world.values.namespaceLabels.get(namespaceOf(value));
          return { object: value, source: "tests", namespaceLabels, actor: world.actor, facts };
        });
      for (const { id } of world.policies.set.policies) {
        const known = found.get(id.name) ?? [];
        found.set(id.name, [...known, ...objects]);
      }
    }
  }
  return found;
}
