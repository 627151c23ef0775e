import type { KubernetesTarget } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";

/** The plural that Kubernetes guesses for a kind that nobody described. */
function guessResource(kind: string): string {
  const name = kind.toLowerCase();
  if (name === "" || name === "endpoints") return name;
  if (name.endsWith("s")) return `${name}es`;
  return name.endsWith("y") ? `${name.slice(0, -1)}ies` : `${name}s`;
}

/** The plural resource name of a target: known, or guessed from its kind. */
export function resourceOf(
  { group, kind, resource }: Pick<KubernetesTarget, "group" | "kind" | "resource">,
  resources: ApiResources,
): string {
  return resource || (resources.byKind(group, kind)?.resource ?? guessResource(kind));
}
