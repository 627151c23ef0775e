import type { ApiResource, ApiResources } from "../../core/api-resources.ts";

/** What `TYPE[.GROUP][/NAME]` or `/path` on a command line asks about. */
export interface ResourceArgument {
  readonly isResourceRequest: boolean;
  readonly path: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly name: string;
  /** Undefined where the API is not known to serve the resource. */
  readonly namespaced: boolean | undefined;
}

/** Checked by the authorizer though no API serves them: impersonation, approval and service of signers. */
const virtualGroups = new Map([
  ["users", ""],
  ["groups", ""],
  ["userextras", "authentication.k8s.io"],
  ["uids", "authentication.k8s.io"],
  ["signers", "certificates.k8s.io"],
]);

/**
 * Reads the argument as `kubectl auth can-i` does: a leading slash is a path of the API server, what follows a slash is a
 * name (`pods/log` is a pod named log), and short names, singular names and kinds stand for the resource.
 */
export function parseResourceArgument(text: string, resources: ApiResources): ResourceArgument {
  if (text.startsWith("/")) {
    return { isResourceRequest: false, path: text, apiGroup: "", resource: "", name: "", namespaced: undefined };
  }
  const slash = text.indexOf("/");
  const type = (slash < 0 ? text : text.slice(0, slash)).toLowerCase();
  const name = slash < 0 ? "" : text.slice(slash + 1);
  const found = type === "*" ? undefined : findResource(type, resources);
  const given = { isResourceRequest: true, path: "", name };
  if (found !== undefined) return { ...given, apiGroup: found.group, resource: found.resource, namespaced: found.namespaced };
  if (type === "*") return { ...given, apiGroup: "*", resource: "*", namespaced: undefined };
  const dot = type.indexOf(".");
  const resource = dot < 0 ? type : type.slice(0, dot);
  const apiGroup = dot < 0 ? (virtualGroups.get(resource) ?? "") : type.slice(dot + 1);
  // The namespace of these is not looked at by impersonation and approval.
  return { ...given, apiGroup, resource, namespaced: virtualGroups.get(resource) === apiGroup ? false : undefined };
}

/** `deployments`, `deploy`, `deployment`, `deployments.apps`, `deployments.v1.apps`. */
function findResource(type: string, resources: ApiResources): ApiResource | undefined {
  const dot = type.indexOf(".");
  const word = dot < 0 ? type : type.slice(0, dot);
  const rest = dot < 0 ? undefined : type.slice(dot + 1);
  const named = (resource: ApiResource) =>
    resource.resource === word ||
    resource.singular === word ||
    resource.kind.toLowerCase() === word ||
    resource.shortNames?.includes(word) === true;
  if (rest === undefined) {
    const [group] = resources.groupsOf(word);
    if (group !== undefined) return resources.byResource(group, word);
    return resources.all().find(named);
  }
  const inGroup = resources.all().filter((resource) => resource.group === rest && named(resource));
  if (inGroup.length > 0) return inGroup[0];
  return resources.all().find((resource) => `${resource.version}.${resource.group}` === rest && named(resource));
}
