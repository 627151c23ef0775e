import type { Labels } from "../core/label-selector.ts";

/** Labels by which platforms say whose a namespace is, the plainest first. */
const teamLabels = ["team", "owner", "app.kubernetes.io/part-of"];

/** Whose something in a namespace with these labels is; undefined where nothing says so. */
export function teamOfLabels(labels: Labels): string | undefined {
  const label = teamLabels.find((key) => Object.hasOwn(labels, key));
  return label === undefined ? undefined : labels[label];
}
