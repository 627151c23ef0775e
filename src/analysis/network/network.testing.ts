import type { JsonValue } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { isKubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { parseWorkloadCatalogue } from "../../core/workload/parse-catalogue.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { buildNetwork } from "./build.ts";
import type { Network, NetworkOptions, Workload } from "./model.ts";

/** Where the kinds of the tests hold pods. */
const kinds = `
workloads:
  - kinds: [Pod]
    pods: [{ spec: spec, labels: [/metadata.labels] }]
  - kinds: [apps/Deployment, apps/ReplicaSet, apps/StatefulSet, apps/DaemonSet, batch/Job]
    pods: [{ template: spec.template }]
`;
const parsed = parseWorkloadCatalogue(parseDocuments(kinds, "kinds.yaml").documents[0]?.value ?? null);
if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message);
const catalogue = parsed.value;

/** A network of YAML text. */
export function networkOf(text: string, options: Partial<NetworkOptions> = {}): Network {
  return buildNetwork(parseDocuments(text, "test.yaml").documents, { catalogue, ...options });
}

/** A network of objects that came from no text. */
export function networkOfObjects(objects: readonly JsonValue[], options: Partial<NetworkOptions> = {}): Network {
  return buildNetwork(objects.map(documentOf), { catalogue, ...options });
}

export function documentOf(value: JsonValue): SourceDocument<KubernetesObject> {
  if (!isKubernetesObject(value)) throw new Error("not an object");
  return { file: "test", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

export function workload(network: Network, name: string): Workload {
  const found = network.find(name);
  if (found === undefined) throw new Error(`${name} is not there: ${network.workloads.map((w) => w.id).join()}`);
  return found;
}
