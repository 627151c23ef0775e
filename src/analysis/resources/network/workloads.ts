import { isObject, type JsonObject, type JsonValue, valueAt } from "../../../core/json.ts";
import { labelsOf, namespaceOf } from "../../../core/kubernetes.ts";
import { compileLabelSelector, type Labels } from "../../../core/label-selector.ts";
import type { ObjectDocument, ScannedSet } from "../scanned-set.ts";
import { builtInPodSpec } from "../workload/pod-kinds.ts";

/** Whether a scanned workload of the namespace has pods that a selector selects. */
export function anyWorkloadMatches(set: ScannedSet, namespace: string, selector: JsonValue | undefined): boolean {
  const compiled = compileLabelSelector(selector ?? {});
  if (!compiled.ok) return true;
  return set.documents.some((document) => {
    const own = namespaceOf(document.value);
    if (own !== namespace && own !== "" && namespace !== "") return false;
    const labels = podLabels(document);
    return labels !== undefined && compiled.matches(labels);
  });
}

function podLabels({ value }: ObjectDocument): Labels | undefined {
  const spec = builtInPodSpec(value);
  if (spec === undefined) return customPodLabels(value);
  if (spec.length === 1) return labelsOf(value);
  return asLabels(valueAt(value, [...spec.slice(0, -1), "metadata", "labels"]));
}

/** Controllers of custom kinds often copy the labels of the object itself to its pods. */
function customPodLabels(object: ObjectDocument["value"]): Labels | undefined {
  return object["spec"] === undefined ? undefined : labelsOf(object);
}

function asLabels(value: JsonValue | undefined): Labels {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value satisfies JsonObject).filter((e): e is [string, string] => typeof e[1] === "string"),
  );
}
