import type { Finding } from "../../../core/finding.ts";
import type { JsonObject } from "../../../core/json.ts";
import { applyJsonPatch } from "../../../core/json-patch.ts";
import { isKubernetesObject, type KubernetesObject, resourceRef } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import { buildNetwork } from "../build.ts";
import { describeEndpoint } from "../describe.ts";
import { diffNetworks } from "../diff.ts";
import type { Network, NetworkDifference } from "../model.ts";

/** Fixes that are tried in one audit, and workloads of a network in which they are: each is the network built once more. */
const mostProofs = 100;
const mostWorkloads = 1_000;
/** Changes that are shown of one fix. */
const mostChanges = 10;

/** Findings whose evidence says what their fix would open and close, as far as a network is not too large for trying. */
export function proveFixes(network: Network, findings: readonly Finding[]): readonly Finding[] {
  if (network.workloads.length > mostWorkloads) return findings;
  let proofs = 0;
  return findings.map((finding) => {
    if ((finding.fix?.patch === undefined && finding.fix?.object === undefined) || proofs >= mostProofs) return finding;
    proofs++;
    const difference = proofOfFix(network, finding);
    return difference === undefined ? finding : { ...finding, evidence: { ...finding.evidence, ...evidenceOf(difference) } };
  });
}

function evidenceOf({ changes }: NetworkDifference): JsonObject {
  const words = (side: "gained" | "lost") => {
    const found = changes.filter((c) => !c[side].isEmpty);
    const lines = found.slice(0, mostChanges).map((c) => `${describeEndpoint(c.from)} -> ${describeEndpoint(c.to)}: ${c[side]}`);
    return found.length > mostChanges ? [...lines, `and ${found.length - mostChanges} more`] : lines;
  };
  return { fixOpens: words("gained"), fixCloses: words("lost") };
}

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
