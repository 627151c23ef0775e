import type { GroupVersionKind } from "./kubernetes.ts";
import type { KubernetesSchemas } from "./schema.ts";

/** One subresource of a resource, as API discovery shows it. */
export interface ApiSubresource extends GroupVersionKind {
  /** Without the parent: `log` of `pods/log`. The kind is the body's: `pods/eviction` takes a `policy/v1` `Eviction`. */
  readonly name: string;
  readonly verbs: readonly string[];
}

/** One resource that an API server serves. */
export interface ApiResource extends GroupVersionKind {
  /** Plural, lower case: `deployments`. */
  readonly resource: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly ApiSubresource[];
}

/**
 * What is known about the API's resources: the built-in kinds of one minor version, plus CRDs that were seen.
 * A group and kind that is served in several versions is answered with the first listed, the preferred one.
 */
export interface ApiResources {
  byKind(group: string, kind: string): ApiResource | undefined;
  byResource(group: string, resource: string): ApiResource | undefined;
  /** Every group that serves a resource of this plural name, most stable first. */
  groupsOf(resource: string): readonly string[];
  hasGroup(group: string): boolean;
  all(): readonly ApiResource[];
  /** The shapes of the kinds, where they are known. */
  readonly schemas?: KubernetesSchemas | undefined;
}

/** Of what an action is about, whose kind is that of its body. */
interface SubresourceTarget extends GroupVersionKind {
  readonly resource: string;
  readonly resourceGroup?: string | undefined;
  readonly subresource: string;
}

/** The kind that a subresource belongs to: Deployment for the Scale of `deployments/scale`; elsewhere the target's own. */
export function owningKind(target: SubresourceTarget, resources: ApiResources): GroupVersionKind {
  const { group, version, kind, resource, subresource, resourceGroup } = target;
  const owner = subresource === "" ? undefined : resources.byResource(resourceGroup ?? group, resource);
  if (owner === undefined || owner.kind === kind) return { group, version, kind };
  return { group: owner.group, version: owner.version, kind: owner.kind };
}

export function apiResources(list: readonly ApiResource[], schemas?: KubernetesSchemas): ApiResources {
  const kinds = new Map<string, ApiResource>();
  const resources = new Map<string, ApiResource>();
  const groups = new Set<string>();
  const groupsByResource = new Map<string, string[]>();
  for (const r of list) {
    groups.add(r.group);
    kinds.set(`${r.group}/${r.kind}`, kinds.get(`${r.group}/${r.kind}`) ?? r);
    resources.set(`${r.group}/${r.resource}`, resources.get(`${r.group}/${r.resource}`) ?? r);
    const known = groupsByResource.get(r.resource) ?? [];
    if (!known.includes(r.group)) groupsByResource.set(r.resource, [...known, r.group]);
  }
  return {
    byKind: (group, kind) => kinds.get(`${group}/${kind}`),
    byResource: (group, resource) => resources.get(`${group}/${resource}`),
    groupsOf: (resource) => groupsByResource.get(resource) ?? [],
    hasGroup: (group) => groups.has(group),
    all: () => list,
    schemas,
  };
}
