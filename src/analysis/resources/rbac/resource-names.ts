import type { ApiResource, ApiResources } from "../../../core/api-resources.ts";
import { nearestName } from "../../../core/nearest-name.ts";
import type { LintContext } from "../object-check.ts";
import { isSynthetic, syntheticGroup } from "./synthetic.ts";

/** What a resource of a rule or of an audit policy means in one API group. */
export type NameVerdict =
  | { readonly kind: "served"; readonly resource: ApiResource; readonly subresource: string }
  /** Wildcards, synthetic resources and groups of which nothing is known. */
  | { readonly kind: "unknown" }
  | { readonly kind: "absent" };

export function lookUp({ resources, knowsGroup }: LintContext, group: string, name: string): NameVerdict {
  if (group === "*" || name.includes("*") || !knowsGroup(group)) return { kind: "unknown" };
  const [plural, subresource] = splitOnce(name);
  const resource = resources.byResource(group, plural);
  if (resource !== undefined && (subresource === "" || resource.subresources.some((s) => s.name === subresource))) {
    return { kind: "served", resource, subresource };
  }
  return isSynthetic(group, name) ? { kind: "unknown" } : { kind: "absent" };
}

/** The name that was meant, and its group where that is another. */
export interface NameSuggestion {
  readonly group: string;
  readonly name: string;
}

/** `pods/logs` -> `pods/log`, `Deployment` -> `deployments`, `svc` -> `services`, and the right group for a right name. */
export function suggestName(resources: ApiResources, groups: readonly string[], name: string): NameSuggestion | undefined {
  const [plural, subresource] = splitOnce(name);
  for (const group of groups) {
    const near = nearestResource(resources, group, plural);
    const fixed = near === undefined ? undefined : withSubresource(near, subresource);
    if (fixed !== undefined) return { group, name: fixed };
  }
  const [elsewhere] = resources.groupsOf(plural);
  if (elsewhere !== undefined) {
    const resource = resources.byResource(elsewhere, plural);
    const fixed = resource === undefined ? undefined : withSubresource(resource, subresource);
    if (fixed !== undefined) return { group: elsewhere, name: fixed };
  }
  const asked = syntheticGroup(name);
  if (asked !== undefined) return { group: asked, name };
  for (const resource of resources.all()) {
    if (isAlias(resource, plural)) {
      const fixed = withSubresource(resource, subresource);
      if (fixed !== undefined) return { group: resource.group, name: fixed };
    }
  }
  return undefined;
}

function nearestResource(resources: ApiResources, group: string, plural: string): ApiResource | undefined {
  const exact = resources.byResource(group, plural);
  if (exact !== undefined) return exact;
  const inGroup = resources.all().filter((r) => r.group === group);
  const alias = inGroup.find((r) => isAlias(r, plural));
  if (alias !== undefined) return alias;
  const near = nearestName(plural, new Set(inGroup.map((r) => r.resource)));
  return near === undefined ? undefined : resources.byResource(group, near);
}

function isAlias(resource: ApiResource, name: string): boolean {
  const lower = name.toLowerCase();
  return (
    lower === resource.resource ||
    lower === resource.singular ||
    lower === resource.kind.toLowerCase() ||
    (resource.shortNames ?? []).includes(lower)
  );
}

function withSubresource(resource: ApiResource, subresource: string): string | undefined {
  if (subresource === "") return resource.resource;
  const names = resource.subresources.map((s) => s.name);
  const near = names.includes(subresource) ? subresource : nearestName(subresource, names);
  return near === undefined ? undefined : `${resource.resource}/${near}`;
}

function splitOnce(name: string): readonly [string, string] {
  const slash = name.indexOf("/");
  return slash < 0 ? [name, ""] : [name.slice(0, slash), name.slice(slash + 1)];
}
