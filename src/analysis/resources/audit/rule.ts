import { asString, isArray, isObject, type JsonPath, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { strings } from "../rbac/policy-rule.ts";

export interface GroupResources {
  readonly group: string;
  /** Empty: everything in the group. */
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

/** One rule of an audit policy, as the API server reads it: unknown fields do not exist. */
export interface AuditRule {
  readonly path: JsonPath;
  readonly level: string;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly namespaces: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly nonResourceUrls: readonly string[];
  readonly omitStages: readonly string[];
}

export function auditRules(policy: KubernetesObject): readonly AuditRule[] {
  const rules = policy["rules"];
  if (!isArray(rules)) return [];
  return rules.flatMap((rule, index) => {
    if (!isObject(rule)) return [];
    const resources = member(rule, "resources");
    return {
      path: ["rules", index],
      level: asString(member(rule, "level")) ?? "",
      users: strings(member(rule, "users")),
      userGroups: strings(member(rule, "userGroups")),
      verbs: strings(member(rule, "verbs")),
      namespaces: strings(member(rule, "namespaces")),
      resources: isArray(resources)
        ? resources.map((entry) => ({
            group: asString(member(entry, "group")) ?? "",
            resources: strings(member(entry, "resources")),
            resourceNames: strings(member(entry, "resourceNames")),
          }))
        : [],
      nonResourceUrls: strings(member(rule, "nonResourceURLs")),
      omitStages: strings(member(rule, "omitStages")),
    };
  });
}

/** Whether a rule decides only about requests for API resources, or only about other URLs, or both. */
export function ruleScope(rule: AuditRule): "resources" | "urls" | "everything" {
  if (rule.resources.length > 0 || rule.namespaces.length > 0) return "resources";
  return rule.nonResourceUrls.length > 0 ? "urls" : "everything";
}
