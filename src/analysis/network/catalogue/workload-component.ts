import type { Workload } from "../model.ts";
import type { ComponentCatalogue } from "./component.ts";
import { type ComponentMatch, matchComponent } from "./match-component.ts";

const found = new WeakMap<ComponentCatalogue, WeakMap<Workload, ComponentMatch | "none">>();

/** The component that a workload is; looked up once. */
export function componentOf(workload: Workload, catalogue: ComponentCatalogue): ComponentMatch | undefined {
  let known = found.get(catalogue);
  if (known === undefined) {
    known = new WeakMap();
    found.set(catalogue, known);
  }
  let match = known.get(workload);
  if (match === undefined) {
    const subject = { labels: workload.labels, images: workload.images, ports: workload.ports.map((p) => p.port) };
    match = matchComponent(subject, catalogue) ?? "none";
    known.set(workload, match);
  }
  return match === "none" ? undefined : match;
}
