import { readFileSync } from "node:fs";
import { type KubernetesCatalog, type KubernetesSchemas, kubernetesSchemas } from "../../core/schema.ts";

/** The Kubernetes minor whose API we know when nobody names one. */
export const defaultKubernetesVersion = "1.36";

/** A file of catalog/, the same from src/ and from dist/. Throws where it is absent: the package is broken then. */
export function readCatalogText(name: string): string {
  return readFileSync(new URL(`../../../catalog/${name}`, import.meta.url), "utf8");
}

const loadedSchemas = new Map<string, KubernetesSchemas>();

/** Schemas and resources of the built-in kinds; about 3 ms at the first call. */
export function loadKubernetesSchemas(version: string = defaultKubernetesVersion): KubernetesSchemas {
  const known = loadedSchemas.get(version);
  if (known !== undefined) return known;
  const catalog: KubernetesCatalog = JSON.parse(readCatalogText(`kubernetes/v${version}.json`));
  const schemas = kubernetesSchemas(catalog);
  loadedSchemas.set(version, schemas);
  return schemas;
}
