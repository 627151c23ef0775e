import type { Finding } from "../../../core/finding.ts";
import { applyJsonPatch } from "../../../core/json-patch.ts";
import { isKubernetesObject, type KubernetesObject, resourceRef } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import { buildNetwork } from "../build.ts";
import { diffNetworks } from "../diff.ts";
import type { Network, NetworkDifference } from "../model.ts";

/** What a finding's fix would open and close; undefined where it has none that can be applied. */
export function proofOfFix(network: Network, finding: Finding): NetworkDifference | undefined {
  const after = withFix(network, finding);
  return after === undefined ? undefined : diffNetworks(network, after);
}

/** The network as it is once a finding's fix is applied; undefined where it has none that can be. */
export function withFix(network: Network, { fix, resource }: Finding): Network | undefined {
  if (fix?.object !== undefined) return buildNetwork([...network.documents, unplaced(fix.object)], network.options);
  const { patch } = fix ?? {};
  if (patch === undefined) return undefined;
  const fallback = network.options.namespace ?? "default";
  const isMeant = ({ value }: SourceDocument<KubernetesObject>) => {
    const { group, kind, namespace, name } = resourceRef(value);
    return (
      group === resource.group &&
      kind === resource.kind &&
      name === resource.name &&
      (namespace || fallback) === (resource.namespace || fallback)
    );
  };
  const documents = network.documents.map((document) => {
    if (!isMeant(document)) return document;
    const patched = applyJsonPatch(document.value, patch);
    return patched.ok && isKubernetesObject(patched.value) ? unplaced(patched.value) : document;
  });
  return buildNetwork(documents, network.options);
}

function unplaced(value: KubernetesObject): SourceDocument<KubernetesObject> {
  return { file: "", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}
