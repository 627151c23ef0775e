import { isObject, type JsonObject, type JsonValue } from "../../../core/json.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { PodFacts, PodSelector } from "../rule.ts";
import type { ObjectField, Reader } from "./reader.ts";
import { type LabelMatch, readLabelSelector } from "./selectors.ts";

const namespaceLabel = "io.kubernetes.pod.namespace";
const namespaceLabelsPrefix = "io.cilium.k8s.namespace.labels.";

/** Label keys carry a source: `k8s:app`, `any:app`; without, any source is meant. Of pods all labels come from `k8s`. */
function bare(key: string): string {
  return key.replace(/^(?:k8s|any)[:.]/, "");
}

/** The selector with keys as `ciliumLabels` gives them, for the parser of Kubernetes' selectors. */
function withBareKeys(selector: JsonObject): JsonObject {
  const labels = selector["matchLabels"];
  const expressions = selector["matchExpressions"];
  const rename = (item: JsonValue): JsonValue =>
    isObject(item) && typeof item["key"] === "string" ? { ...item, key: bare(item["key"]) } : item;
  return {
    ...selector,
    ...(isObject(labels) ? { matchLabels: Object.fromEntries(Object.entries(labels).map(([k, v]) => [bare(k), v])) } : {}),
    ...(Array.isArray(expressions) ? { matchExpressions: expressions.map(rename) } : {}),
  };
}

/** Labels as Cilium sees a pod: its own, and what it derives from the namespace and the account. */
function ciliumLabels({ labels, namespace, namespaceLabels, serviceAccount }: PodFacts): Labels {
  const derived = Object.entries(namespaceLabels).map(([key, value]) => [namespaceLabelsPrefix + key, value] as const);
  return {
    ...labels,
    ...Object.fromEntries(derived),
    [namespaceLabel]: namespace,
    "io.cilium.k8s.policy.serviceaccount": serviceAccount,
    "io.cilium.k8s.policy.cluster": "default",
  };
}

/** A selector of endpoints: of reserved ones by name, else of pods. */
export type EndpointSelector =
  | { readonly kind: "reserved"; readonly entity: string }
  | { readonly kind: "pods"; readonly pods: PodSelector };

/** `namespace` is where a namespaced policy lives: its selectors mean pods there, unless they name a namespace themselves. */
export function readEndpointSelector(reader: Reader, field: ObjectField, namespace: string): EndpointSelector | undefined {
  const labels = field.value["matchLabels"];
  const reserved = isObject(labels)
    ? Object.keys(labels).find((key) => key.startsWith("reserved:") || key.startsWith("reserved."))
    : undefined;
  if (reserved !== undefined) return { kind: "reserved", entity: reserved.slice("reserved:".length) };
  const match = readLabelSelector(reader, { value: withBareKeys(field.value), path: field.path });
  if (match === undefined) return undefined;
  const namesNamespace = match.requirements.some(
    ({ label }) => label === namespaceLabel || label.startsWith(namespaceLabelsPrefix),
  );
  return { kind: "pods", pods: toPods(match, namesNamespace ? "" : namespace) };
}

function toPods(match: LabelMatch, namespace: string): PodSelector {
  const derived = (label: string) => label.startsWith("io.cilium.") || label === namespaceLabel;
  const hint = match.requirements.find(({ operator, label }) => operator === "In" && !derived(label));
  return {
    key: `cilium ${namespace} ${match.key}`,
    namespaces: namespace === "" ? { kind: "all" } : { kind: "one", name: namespace },
    hint,
    everyPod: match.everything,
    matches: (pod) => match.matches(ciliumLabels(pod)),
  };
}
