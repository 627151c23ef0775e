import type { Finding } from "../core/finding.ts";
import { jsonEquals } from "../core/json.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import type { KubernetesSchemas } from "../core/schema.ts";
import type { SourceDocument } from "../core/source.ts";
import type { ScanResult } from "./scan.ts";
import { scannedObjects } from "./scanned-objects.ts";

export interface SchemaScan {
  /** What is judged. */
  readonly documents: readonly SourceDocument[];
  /** CustomResourceDefinitions besides those among the documents. */
  readonly definitions: readonly SourceDocument[];
  /** The objects as they were before, for rules about changes. */
  readonly before: readonly SourceDocument[];
  /** Where objects that name no namespace would be applied. */
  readonly namespace: string;
  readonly schemas: KubernetesSchemas;
}

const fieldOf = ({ resource, path }: Finding) => ({ ...resource, path: path ?? [] });

/**
 * A scan's result with what the API server says of custom resources by their definitions. What another finding says of
 * the same field is not said twice.
 */
export async function withSchemaFindings(result: ScanResult, request: SchemaScan): Promise<ScanResult> {
  const { checkSchemas } = await import("../analysis/schema/check-schemas.ts");
  const { documents, namespace, schemas } = request;
  const valuesOf = (list: readonly SourceDocument[]) => list.map((d) => d.value).filter(isKubernetesObject);
  const definitions = valuesOf(request.definitions);
  const resources = schemas.withCustomResources([...definitions, ...valuesOf(documents)]).resources();
  const { objects } = scannedObjects(documents, namespace, resources);
  const before = scannedObjects(request.before, namespace, resources).objects.map((d) => d.value);
  const checked = checkSchemas({ objects, definitions, before, builtInGroups: schemas.builtInGroups() });
  const said = result.findings.filter((f) => f.status === "fail").map(fieldOf);
  const findings = checked.findings.filter((finding) => !said.some((other) => jsonEquals(other, fieldOf(finding))));
  return {
    ...result,
    findings: [...result.findings, ...findings],
    counts: { ...result.counts, fail: result.counts.fail + findings.length },
    diagnostics: [...result.diagnostics, ...checked.diagnostics],
    analyses: [...result.analyses, "schema"],
  };
}
