import { isArray, isObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";

/** One rule of a Role or ClusterRole; lists that are absent or of the wrong type are empty. */
export interface PolicyRule {
  readonly path: JsonPath;
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceUrls: readonly string[];
}

export function policyRules(role: KubernetesObject): readonly PolicyRule[] {
  const rules = role["rules"];
  if (!isArray(rules)) return [];
  return rules.flatMap((rule, index) => {
    if (!isObject(rule)) return [];
    return {
      path: ["rules", index],
      apiGroups: strings(member(rule, "apiGroups")),
      resources: strings(member(rule, "resources")),
      verbs: strings(member(rule, "verbs")),
      resourceNames: strings(member(rule, "resourceNames")),
      nonResourceUrls: strings(member(rule, "nonResourceURLs")),
    };
  });
}

/** The strings of a list; a null in it is an empty string, as Go reads it. */
export function strings(value: JsonValue | undefined): readonly string[] {
  if (!isArray(value)) return [];
  return value.flatMap((item) => (item === null ? "" : typeof item === "string" ? item : []));
}
