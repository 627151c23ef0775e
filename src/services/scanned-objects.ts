import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Finding } from "../core/finding.ts";
import { identified } from "../core/fingerprint.ts";
import { member } from "../core/json.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, namespaceOf } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { templateGroup } from "../policies/formats.ts";

/** An object as it would be stored, at the place it came from. */
export type ObjectDocument = SourceDocument<KubernetesObject>;

/** The objects among documents, and what is wrong with the rest. */
export interface ScannedObjects {
  readonly objects: readonly ObjectDocument[];
  /** Documents that are no Kubernetes objects at all: values files, kustomizations' patches, other tools' settings. */
  readonly others: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** Picks the objects and gives those that name no namespace the one they would be applied to. */
export function scannedObjects(documents: readonly SourceDocument[], namespace: string, resources: ApiResources): ScannedObjects {
  const objects: ObjectDocument[] = [];
  const diagnostics: Diagnostic[] = [];
  let others = 0;
  for (const document of documents) {
    if (!isObjectDocument(document)) {
      const { value } = document;
      const half =
        typeof member(value, "apiVersion") === "string"
          ? "kind"
          : typeof member(value, "kind") === "string"
            ? "apiVersion"
            : undefined;
      if (half === undefined) others++;
      else diagnostics.push(incomplete(document, half));
      continue;
    }
    const object = inNamespace(document.value, namespace, resources);
    objects.push(object === document.value ? document : withObject(document, object));
  }
  return { objects, others, diagnostics };
}

function isObjectDocument(document: SourceDocument): document is ObjectDocument {
  return isKubernetesObject(document.value);
}

/** Another object at the same place. */
export function withObject(document: SourceDocument, value: KubernetesObject): ObjectDocument {
  const { file, index } = document;
  return { file, index, value, locate: (path) => document.locate(path), locateKey: (path) => document.locateKey(path) };
}

/** A finding about an object as written, with the namespace that the scan gives it. */
export function inScanNamespace(finding: Finding, namespace: string, resources: ApiResources): Finding {
  const { id: _, resource, ...rest } = finding;
  const stored = storedNamespace(resource.group, resource.kind, resource.namespace, namespace, resources);
  return stored === resource.namespace ? finding : identified({ ...rest, resource: { ...resource, namespace: stored } });
}

function inNamespace(object: KubernetesObject, namespace: string, resources: ApiResources): KubernetesObject {
  const written = namespaceOf(object);
  const stored = storedNamespace(groupOf(object), object.kind, written, namespace, resources);
  if (stored === written) return object;
  const { namespace: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata: stored === "" ? metadata : { ...metadata, namespace: stored } };
}

/**
 * The namespace in which an object ends up: of cluster-scoped kinds the API server clears it. Kinds that nobody described
 * are taken as namespaced, as nearly all custom kinds are; Gatekeeper's templates are known not to be.
 */
function storedNamespace(group: string, kind: string, written: string, fallback: string, resources: ApiResources): string {
  if (resources.byKind(group, kind)?.namespaced === false || group === templateGroup) return "";
  return written === "" ? fallback : written;
}

function incomplete(document: SourceDocument, missing: "apiVersion" | "kind"): Diagnostic {
  return { code: "OBJECT_INCOMPLETE", severity: "error", message: `the document has no ${missing}`, span: document.locate([]) };
}
