import { groupOf, type KubernetesObject, namespaceOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";

export type ObjectDocument = SourceDocument<KubernetesObject>;

/** Everything that is scanned together, found by kind and namespace. */
export interface ScannedSet {
  readonly documents: readonly ObjectDocument[];
  /** `kind` as `group/Kind`; `/Pod` for the core group. */
  ofKind(kind: string): readonly ObjectDocument[];
  /** Objects of the namespace, and those that name none: kubectl or kustomize may put them there. */
  inNamespace(kind: string, namespace: string): readonly ObjectDocument[];
}

export function groupKind(object: KubernetesObject): string {
  return `${groupOf(object)}/${object.kind}`;
}

export function scannedSet(documents: readonly ObjectDocument[]): ScannedSet {
  const byKind = new Map<string, ObjectDocument[]>();
  const byNamespace = new Map<string, ObjectDocument[]>();
  for (const document of documents) {
    const kind = groupKind(document.value);
    append(byKind, kind, document);
    append(byNamespace, `${kind} ${namespaceOf(document.value)}`, document);
  }
  return {
    documents,
    ofKind: (kind) => byKind.get(kind) ?? [],
    inNamespace: (kind, namespace) => [
      ...(byNamespace.get(`${kind} ${namespace}`) ?? []),
      ...(namespace === "" ? [] : (byNamespace.get(`${kind} `) ?? [])),
    ],
  };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
