import type { GroupVersionKind } from "./kubernetes.ts";

/** One resource that an API server serves. */
export interface ApiResource extends GroupVersionKind {
  /** Plural, lower case: `deployments`. */
  readonly resource: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** `status`, `scale`, `log`, ... */
  readonly subresources: readonly string[];
}

/** What is known about the API's resources: the built-in kinds of one minor version, plus CRDs that were seen. */
export interface ApiResources {
  byKind(group: string, kind: string): ApiResource | undefined;
  byResource(group: string, resource: string): ApiResource | undefined;
  all(): readonly ApiResource[];
}

export function apiResources(list: readonly ApiResource[]): ApiResources {
  const kinds = new Map<string, ApiResource>();
  const resources = new Map<string, ApiResource>();
  for (const r of list) {
    kinds.set(`${r.group}/${r.kind}`, kinds.get(`${r.group}/${r.kind}`) ?? r);
    resources.set(`${r.group}/${r.resource}`, resources.get(`${r.group}/${r.resource}`) ?? r);
  }
  return {
    byKind: (group, kind) => kinds.get(`${group}/${kind}`),
    byResource: (group, resource) => resources.get(`${group}/${resource}`),
    all: () => list,
  };
}
