import { readFileSync } from "node:fs";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";

/** How the server is installed, its own rights among it: deploy/castellan.yaml. Throws where it is absent: the package is broken then. */
export function serverManifests(): readonly KubernetesObject[] {
  const text = readFileSync(new URL("../../../deploy/castellan.yaml", import.meta.url), "utf8");
  return parseDocuments(text, "castellan.yaml")
    .documents.map(({ value }) => value)
    .filter(isKubernetesObject);
}
