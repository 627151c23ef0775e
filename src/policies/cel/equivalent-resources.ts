import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import type { MatchedResource } from "./match-resources.ts";

/** Resources that an API server keeps in one place for several groups (its storage factory's cohabiting resources). */
const cohabiting: { readonly [resource: string]: readonly string[] } = {
  deployments: ["apps", "extensions"],
  daemonsets: ["apps", "extensions"],
  replicasets: ["apps", "extensions"],
  networkpolicies: ["networking.k8s.io", "extensions"],
  ingresses: ["networking.k8s.io", "extensions"],
  events: ["", "events.k8s.io"],
};

function groupsOf(group: string, resource: string): readonly string[] {
  const groups = Object.hasOwn(cohabiting, resource) ? (cohabiting[resource] ?? []) : [];
  return groups.includes(group) ? groups : [group];
}

/** Per set of resources: an API server's whole list is long, and every object asks. */
const known = new WeakMap<ApiResources, Map<string, readonly ApiResource[]>>();

function servedAs(group: string, resource: string, resources: ApiResources): readonly ApiResource[] {
  let index = known.get(resources);
  if (index === undefined) {
    index = new Map();
    known.set(resources, index);
  }
  const key = `${group}/${resource}`;
  let found = index.get(key);
  if (found === undefined) {
    const groups = groupsOf(group, resource);
    found = resources.all().filter((r) => r.resource === resource && groups.includes(r.group));
    index.set(key, found);
  }
  return found;
}

/** The groups that may hold the same objects as a group does. */
export function cohabitingGroups(group: string, resource: string): readonly string[] {
  return resource === "*" ? [group] : groupsOf(group, resource);
}

/** The other groups and versions in which a resource is served; undefined where nobody described it. */
export function equivalentResources(
  { group, version, resource }: MatchedResource,
  subresource: string,
  resources: ApiResources,
): readonly MatchedResource[] | undefined {
  const all = servedAs(group, resource, resources);
  if (all.length === 0) return undefined;
  return all.flatMap((served): MatchedResource[] => {
    if (served.group === group && served.version === version) return [];
    if (subresource === "") return [{ group: served.group, version: served.version, resource, kind: served.kind }];
    const part = served.subresources.find((s) => s.name === subresource);
    return part === undefined ? [] : [{ group: served.group, version: served.version, resource, kind: part.kind }];
  });
}
