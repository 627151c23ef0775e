import type { ResourceRef } from "../core/kubernetes.ts";
import type { Labels } from "../core/label-selector.ts";

/** Labels by which platforms say whose a namespace is, the plainest first. */
const teamLabels = ["team", "owner", "app.kubernetes.io/part-of"];

/** Whose something in a namespace with these labels is; undefined where nothing says so. */
export function teamOfLabels(labels: Labels): string | undefined {
  const label = teamLabels.find((key) => Object.hasOwn(labels, key));
  return label === undefined ? undefined : labels[label];
}

/** Whose an object is, by the labels of its namespace; a namespace belongs to itself. Empty where nothing says so. */
export function teamOfResource(
  { kind, group, namespace, name }: Pick<ResourceRef, "kind" | "group" | "namespace" | "name">,
  labelsOf: (namespace: string) => Labels | undefined,
): string {
  const scope = kind === "Namespace" && group === "" ? name : namespace;
  return scope === "" ? "" : (teamOfLabels(labelsOf(scope) ?? {}) ?? "");
}
