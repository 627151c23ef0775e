import { readFileSync } from "node:fs";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { type KubernetesCatalog, type KubernetesSchemas, kubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";
import { parseWorkloadCatalogue } from "../../core/workload/parse-catalogue.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";

/** The Kubernetes minor whose API we know when nobody names one. */
const defaultKubernetesVersion = "1.36";

/** A file of catalog/, the same from src/ and from dist/. Throws where it is absent: the package is broken then. */
function readCatalogText(name: string): string {
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

let loadedWorkloads: WorkloadCatalogue | undefined;

/** Where custom kinds hold their pods: catalog/workloads.yaml. Throws where it is malformed: the package is broken then. */
export function loadWorkloadCatalogue(): WorkloadCatalogue {
  if (loadedWorkloads !== undefined) return loadedWorkloads;
  const [document] = parseDocuments(readCatalogText("workloads.yaml"), "workloads.yaml").documents;
  const parsed = parseWorkloadCatalogue(document?.value ?? null);
  if (!parsed.ok) throw new Error(`catalog/workloads.yaml: ${parsed.diagnostics[0]?.message}`);
  loadedWorkloads = parsed.value;
  return parsed.value;
}

interface RbacCatalog {
  readonly objects: readonly KubernetesObject[];
  /** Roles as feature gates that are off by default change them. */
  readonly gated: readonly KubernetesObject[];
}

/** The roles and bindings that the API server of a minor creates at its start. */
export function loadDefaultRbacObjects(version: string = defaultKubernetesVersion): RbacCatalog {
  return JSON.parse(readCatalogText(`kubernetes/rbac-v${version}.json`));
}

let loadedComponents: SourceDocument | undefined;

/** Parts of AI platforms, as the analysis of networks reads them: catalog/components.yaml. */
export function loadComponentDocument(): SourceDocument {
  if (loadedComponents !== undefined) return loadedComponents;
  const [document] = parseDocuments(readCatalogText("components.yaml"), "components.yaml").documents;
  if (document === undefined) throw new Error("catalog/components.yaml holds no document");
  loadedComponents = document;
  return document;
}
