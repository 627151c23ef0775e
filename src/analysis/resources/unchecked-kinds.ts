import type { ApiResources } from "../../core/api-resources.ts";
import { gvkOf, isKubernetesObject } from "../../core/kubernetes.ts";
import { gvkKey, type KubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import { auditPolicyCheck } from "./audit/check-audit-policy.ts";
import { groupKind } from "./scanned-set.ts";

/** A kind whose fields nobody could compare with anything. */
export interface UncheckedKind {
  /** `serving.kserve.io/v1beta1 InferenceService` */
  readonly kind: string;
  readonly objects: number;
}

/** Files of the API server, which no cluster serves: their checks bring the schema. */
const hasOwnSchema = new Set(auditPolicyCheck.kinds);

/**
 * The kinds among the documents that have no schema: neither Kubernetes' own nor that of a CustomResourceDefinition in
 * the scan. Ordered by name. Kinds that Kubernetes no longer serves are findings, and not in here.
 */
export function uncheckedKinds(documents: readonly SourceDocument[], schemas: KubernetesSchemas): readonly UncheckedKind[] {
  const objects = documents.map((document) => document.value).filter(isKubernetesObject);
  const custom = new Set(objects.flatMap((object) => schemas.customResourceSchemas(object).map(([gvk]) => gvkKey(gvk))));
  const builtIn = schemas.builtInGroups();
  const counts = new Map<string, number>();
  for (const object of objects) {
    const gvk = gvkOf(object);
    const isKnown = schemas.schemaFor(gvk) !== undefined || custom.has(gvkKey(gvk)) || schemas.lifecycleOf(gvk) !== undefined;
    if (isKnown || hasOwnSchema.has(groupKind(object)) || (builtIn.has(gvk.group) && isNamed(gvk.kind, schemas.resources())))
      continue;
    const name = `${object.apiVersion} ${object.kind}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => ({ kind, objects: count }));
}

/** A built-in kind under a version or group that it does not have is a finding of its own. */
function isNamed(kind: string, resources: ApiResources): boolean {
  return resources.all().some((resource) => resource.kind === kind);
}
