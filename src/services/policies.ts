import type { ApiResources } from "../core/api-resources.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { allFormats } from "../policies/all-formats.ts";
import { type CompiledPolicies, compileBy, isPolicyOf, type PolicyDocument } from "./compile-policies.ts";

export { type CompiledPolicies, isCompanion, type PolicyDocument } from "./compile-policies.ts";

/** Whether the object is a policy, or what lifts or binds one. */
export function isPolicyObject(object: KubernetesObject): boolean {
  return isPolicyOf(allFormats, object);
}

/** As {@link compileBy}, with the formats of every kind. */
export function compilePolicies(
  documents: readonly SourceDocument[],
  resources: ApiResources,
  exceptions: readonly PolicyDocument[] = [],
): CompiledPolicies {
  return compileBy(allFormats, documents, resources, exceptions);
}
