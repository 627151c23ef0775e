import type { ApiResources } from "../../core/api-resources.ts";
import { type GroupVersionKind, type KubernetesObject, parseApiVersion } from "../../core/kubernetes.ts";
import type { RuleContext } from "../policy.ts";
import type { MatchedResource } from "./match-resources.ts";

function isServed({ group, version, kind }: GroupVersionKind, resources: ApiResources): boolean {
  return resources.all().some((r) => r.group === group && r.version === version && r.kind === kind);
}

/** Built-in kinds are converted field by field, and that is the API server's to do. */
function needsConversion(context: RuleContext, seen: MatchedResource): boolean {
  const { target } = context.action;
  const builtIn = context.resources.schemas?.builtInGroups();
  if (builtIn === undefined || !builtIn.has(target.group) || !builtIn.has(seen.group)) return false;
  return isServed(target, context.resources);
}

function renamed(object: KubernetesObject | undefined, { group, version }: MatchedResource): KubernetesObject | undefined {
  return object && { ...object, apiVersion: group === "" ? version : `${group}/${version}` };
}

/**
 * The context as a policy sees it that named another version of the resource than the request has.
 * Custom resources change their version and nothing else, as `conversion: None` does.
 * @throws Error where the versions differ in more than their name
 */
export function inVersion(context: RuleContext, seen: MatchedResource): RuleContext {
  const { target } = context.action;
  if (target.subresource !== "" || (target.group === seen.group && target.version === seen.version)) return context;
  if (needsConversion(context, seen)) {
    const asked = `${seen.group}/${seen.version}`;
    throw new Error(
      `the policy is written for ${asked}, and what a cluster makes of ${target.kind} ${target.group}/${target.version} there is not known here`,
    );
  }
  const object = renamed(context.object, seen);
  return { ...context, object, oldObject: renamed(context.oldObject, seen) };
}

/** What a policy made of the object that it saw, in the object's own version. */
export function inOwnVersion(changed: KubernetesObject, before: KubernetesObject | undefined): KubernetesObject {
  const same = before === undefined || parseApiVersion(before.apiVersion).group === parseApiVersion(changed.apiVersion).group;
  return before === undefined || !same ? changed : { ...changed, apiVersion: before.apiVersion };
}
