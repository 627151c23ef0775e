import type { ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { member } from "../core/json.ts";
import { formatRef, groupOf, isKubernetesObject, type KubernetesObject, namespaceOf, resourceRef } from "../core/kubernetes.ts";
import { formatSpan, type SourceDocument } from "../core/source.ts";

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
  const seen = new Map<string, SourceDocument>();
  let others = 0;
  for (const document of documents) {
    const { value } = document;
    if (!isKubernetesObject(value)) {
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
    const object = inNamespace(value, namespace, resources);
    const key = identity(object);
    const twin = key === undefined ? undefined : seen.get(key);
    if (twin !== undefined) diagnostics.push(duplicate(object, document, twin));
    else if (key !== undefined) seen.set(key, document);
    objects.push(withObject(document, object));
  }
  return { objects, others, diagnostics };
}

function withObject(document: SourceDocument, value: KubernetesObject): ObjectDocument {
  const { file, index } = document;
  return { file, index, value, locate: (path) => document.locate(path), locateKey: (path) => document.locateKey(path) };
}

/** Kinds that nobody described are taken as namespaced, as nearly all custom kinds are. */
function inNamespace(object: KubernetesObject, namespace: string, resources: ApiResources): KubernetesObject {
  if (namespaceOf(object) !== "" || resources.byKind(groupOf(object), object.kind)?.namespaced === false) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** Undefined for objects whose name the API server makes. */
function identity(object: KubernetesObject): string | undefined {
  const { group, kind, namespace, name } = resourceRef(object);
  return name === "" || name.endsWith("*") ? undefined : `${group}|${kind}|${namespace}|${name}`;
}

function incomplete(document: SourceDocument, missing: "apiVersion" | "kind"): Diagnostic {
  return { code: "OBJECT_INCOMPLETE", severity: "error", message: `the document has no ${missing}`, span: document.locate([]) };
}

function duplicate(object: KubernetesObject, document: SourceDocument, twin: SourceDocument): Diagnostic {
  const first = twin.locate([]);
  const where = first === undefined ? twin.file : formatSpan(first);
  return {
    code: "OBJECT_DUPLICATE",
    severity: "warning",
    message: `${formatRef(resourceRef(object))} is also in ${where}; both were checked`,
    span: document.locate(["metadata", "name"]),
  };
}
