import { isArray, isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { isTriggerLabel, originOf } from "../../policies/kyverno/generate/generated-labels.ts";

/** Where the API server adds nothing of its own, so that what is not wanted there is somebody's. */
const exactParts: ReadonlySet<string> = new Set(["data", "binaryData", "stringData", "rules", "subjects"]);

/**
 * The live object as it should be: everything that is wanted, and of the rest what the API server and controllers add. The live object
 * itself where it already is so.
 */
export function converge(live: KubernetesObject, wanted: KubernetesObject): KubernetesObject {
  const parts = Object.entries(wanted).filter(([key]) => key !== "metadata" && key !== "status");
  const merged = Object.fromEntries(parts.map(([key, value]) => [key, exactParts.has(key) ? value : merge(live[key], value)]));
  const metadata = {
    ...live.metadata,
    ...mergedMap("labels", live, wanted, isOfSameRule(live, wanted) ? isTriggerLabel : () => false),
    ...mergedMap("annotations", live, wanted),
  };
  return { ...live, ...merged, apiVersion: live.apiVersion, kind: live.kind, metadata };
}

/** `keeps`: keys whose live value stays. */
function mergedMap(
  key: "labels" | "annotations",
  live: KubernetesObject,
  wanted: KubernetesObject,
  keeps: (key: string) => boolean = () => false,
): JsonObject {
  const given = wanted.metadata?.[key];
  if (!isObject(given)) return {};
  const known = live.metadata?.[key];
  const own = isObject(known) ? known : {};
  const kept = Object.fromEntries(Object.entries(own).filter(([name]) => keeps(name)));
  return { [key]: { ...own, ...given, ...kept } };
}

/** Several triggers of a rule may want the same object: whose it is said to be stays, or each would say it is its own. */
function isOfSameRule(live: KubernetesObject, wanted: KubernetesObject): boolean {
  const [one, other] = [originOf(live), originOf(wanted)];
  return one !== undefined && other !== undefined && one.policy === other.policy && one.rule === other.rule;
}

/** A list is the wanted one, with what was added to its items; one of another length has been changed. */
function merge(live: JsonValue | undefined, wanted: JsonValue | undefined): JsonValue | undefined {
  if (isObject(live) && isObject(wanted)) {
    const merged = Object.entries(wanted).map(([key, value]) => [key, merge(live[key], value)]);
    return { ...live, ...Object.fromEntries(merged) };
  }
  if (isArray(live) && isArray(wanted) && live.length === wanted.length) {
    return wanted.map((item, i) => merge(live[i], item) ?? null);
  }
  return wanted;
}
