import type { RequestAttributes } from "../../core/request-attributes.ts";
import type { Binding, Role } from "./objects.ts";
import { type PolicyRule, ruleAllows } from "./policy-rule.ts";
import type { RbacIndex } from "./rbac-index.ts";

/** A rule that the user holds and that fails a request in few points. */
export interface NearMiss {
  readonly rule: PolicyRule;
  readonly role: Role;
  readonly binding: Binding;
  /** What the request has and the rule does not. */
  readonly lacks: readonly string[];
}

/** The rule, of all that the user holds anywhere, that fails the request in the fewest points; undefined where all fail in more than two. */
export function nearestMiss(index: RbacIndex, request: RequestAttributes): NearMiss | undefined {
  let best: NearMiss | undefined;
  for (const { binding } of index.appliedAnywhere(request.user, request.groups)) {
    const role = index.resolve(binding.roleRef, binding.namespace);
    if ("error" in role) continue;
    const elsewhere = binding.namespace !== "" && binding.namespace !== request.namespace;
    const where = request.namespace === "" ? "in the whole cluster" : `in namespace ${request.namespace}`;
    for (const rule of role.rules) {
      const lacks = [
        ...(elsewhere ? [`holds ${where}: it counts in namespace ${binding.namespace} only`] : []),
        ...missing(rule, request),
      ];
      if (lacks.length <= 2 && lacks.length < (best?.lacks.length ?? 3)) best = { rule, role, binding, lacks };
    }
  }
  return best;
}

/** Each point is tried alone: the request with this one attribute as the rule has it. */
function missing(rule: PolicyRule, request: RequestAttributes): string[] {
  if (!request.isResourceRequest) {
    if (rule.nonResourceURLs.length === 0) return ["no path", "no verb", "no URL"];
    const verb = rule.verbs.includes("*") || rule.verbs.includes(request.verb);
    const path = ruleAllows({ ...rule, verbs: ["*"] }, request);
    return [...(verb ? [] : [`the verb ${request.verb}`]), ...(path ? [] : [`the path ${request.path}`])];
  }
  const asked = request.subresource === "" ? request.resource : `${request.resource}/${request.subresource}`;
  const holds = (change: Partial<PolicyRule>) =>
    ruleAllows({ ...rule, verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: [], ...change }, request);
  const resource = holds({ resources: rule.resources });
  // A rule about something else altogether is no near miss, even if its verb fits.
  if (!resource && !rule.resources.includes(request.resource))
    return ["another resource", "another resource", "another resource"];
  return [
    ...(holds({ verbs: rule.verbs }) ? [] : [`the verb ${request.verb}`]),
    ...(holds({ apiGroups: rule.apiGroups }) ? [] : [`the API group ${JSON.stringify(request.apiGroup)}`]),
    ...(resource ? [] : [`the resource ${asked}`]),
    ...(holds({ resourceNames: rule.resourceNames })
      ? []
      : [request.name === "" ? "objects other than those it names" : `the name ${request.name}`]),
  ];
}
