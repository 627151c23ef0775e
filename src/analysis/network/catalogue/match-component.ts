import type { Labels } from "../../../core/label-selector.ts";
import type { Component, ComponentCatalogue, LabelNeed } from "./component.ts";

/** What is known of a workload before it runs. */
export interface ComponentSubject {
  readonly labels: Labels;
  /** As the containers name them. */
  readonly images: readonly string[];
  /** Container ports. */
  readonly ports: readonly number[];
}

export interface ComponentMatch {
  readonly component: Component;
  /** What gave it away: `label app=qdrant`, `image qdrant/qdrant`. */
  readonly why: string;
}

export function needsHold(needs: readonly LabelNeed[], labels: Labels): boolean {
  return needs.every(({ key, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    return value !== undefined && (values === undefined || values.includes(value));
  });
}

/**
 * The component that a workload is. What was checked at its source says more than what is general knowledge, labels say more
 * than images, more labels more than fewer; where all that is equal, the one whose ports the containers open.
 */
export function matchComponent(subject: ComponentSubject, catalogue: ComponentCatalogue): ComponentMatch | undefined {
  let best: { readonly match: ComponentMatch; readonly weight: readonly number[] } | undefined;
  for (const component of catalogue.components) {
    const match = matchOne(subject, component);
    if (match === undefined) continue;
    const open = component.ports.filter(({ port, endPort }) => subject.ports.some((p) => p >= port && p <= endPort)).length;
    const weight = [component.checked ? 1 : 0, match.needs, open];
    if (best === undefined || outweighs(weight, best.weight)) best = { match: { component, why: match.why }, weight };
  }
  return best?.match;
}

function outweighs(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((n, at) => n !== b[at]);
  return i >= 0 && (a[i] ?? 0) > (b[i] ?? 0);
}

function matchOne(subject: ComponentSubject, component: Component): { readonly needs: number; readonly why: string } | undefined {
  const entry = component.labels
    .filter((needs) => needs.length > 0 && needsHold(needs, subject.labels))
    .sort((a, b) => b.length - a.length)[0];
  if (entry !== undefined) {
    const why = entry.map(({ key }) => `${key}=${subject.labels[key]}`).join(", ");
    return { needs: entry.length, why: `label ${why}` };
  }
  for (const image of subject.images) {
    const repository = repositoryOf(image);
    const known = component.images.find(
      (end) => repository === end || repository.endsWith(`/${end}`) || repository.includes(`${end}/`),
    );
    if (known !== undefined) return { needs: 0, why: `image ${repository}` };
  }
  return undefined;
}

/** Without tag and digest; a colon before the last slash belongs to a registry's port. */
function repositoryOf(image: string): string {
  const name = image.split("@", 1)[0] ?? image;
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
}
