import { buildNetwork } from "../analysis/network/build.ts";
import type { Network, NetworkOptions } from "../analysis/network/model.ts";
import { isKubernetesObject, type KubernetesObject } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";

/** Objects that no file holds. */
export function madeDocuments(
  objects: readonly KubernetesObject[],
  file = "proposed",
): readonly SourceDocument<KubernetesObject>[] {
  return objects.map((value, index) => ({ file, index, value, locate: () => undefined, locateKey: () => undefined }));
}

/** The network as it would be with more objects; those of the same name are replaced. */
export function networkWith(
  documents: readonly SourceDocument[],
  added: readonly SourceDocument[],
  options: NetworkOptions,
): Network {
  const network = buildNetwork(documents, options);
  for (const document of added) if (isObjectDocument(document)) network.put(document);
  return network;
}

function isObjectDocument(document: SourceDocument): document is SourceDocument<KubernetesObject> {
  return isKubernetesObject(document.value);
}
