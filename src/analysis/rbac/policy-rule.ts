import type { RequestAttributes } from "../../core/request-attributes.ts";

/** rbac.authorization.k8s.io/v1 PolicyRule; absent lists are empty. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

export const emptyRule: PolicyRule = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };

/** `*` or the very word: verbs and API groups have no other wildcard. */
function listHolds(list: readonly string[], word: string): boolean {
  return list.includes("*") || list.includes(word);
}

function resourceHolds(resources: readonly string[], resource: string, subresource: string): boolean {
  if (subresource === "") return listHolds(resources, resource);
  return listHolds(resources, `${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

const withoutStars = (url: string) => url.replace(/\*+$/, "");

/** Whether a rule's URL covers a path: equal, `*`, or a trailing star as a prefix. */
export function urlHolds(ruleUrl: string, path: string): boolean {
  return ruleUrl === path || (ruleUrl.endsWith("*") && path.startsWith(withoutStars(ruleUrl)));
}

/**
 * Whether one rule allows one request, as kube-apiserver's RBAC authorizer decides it. `pods/*` grants no subresource
 * and `*` in resourceNames is a name: only `*`, the exact resource/subresource and a star before the slash match.
 */
export function ruleAllows(rule: PolicyRule, request: RequestAttributes): boolean {
  if (!listHolds(rule.verbs, request.verb)) return false;
  if (!request.isResourceRequest) return rule.nonResourceURLs.some((url) => urlHolds(url, request.path));
  return (
    listHolds(rule.apiGroups, request.apiGroup) &&
    resourceHolds(rule.resources, request.resource, request.subresource) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(request.name))
  );
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}`, as the API server's escalation error prints it. */
export function formatRule(rule: PolicyRule): string {
  const part = (label: string, list: readonly string[]) =>
    list.length === 0 ? [] : [`${label}:[${list.map((s) => JSON.stringify(s)).join(" ")}]`];
  return `{${[
    ...part("APIGroups", rule.apiGroups),
    ...part("Resources", rule.resources),
    ...part("NonResourceURLs", rule.nonResourceURLs),
    ...part("ResourceNames", rule.resourceNames),
    ...part("Verbs", rule.verbs),
  ].join(", ")}}`;
}
