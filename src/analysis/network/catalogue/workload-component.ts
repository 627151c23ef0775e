import { asString, isArray, type JsonValue, member, valueAt } from "../../../core/json.ts";
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
    const subject = { labels: workload.labels, images: imagesOf(workload), ports: workload.ports.map((p) => p.port) };
    match = matchComponent(subject, catalogue) ?? "none";
    known.set(workload, match);
  }
  return match === "none" ? undefined : match;
}

/** Images of the containers, where the object holds them as a pod does. */
export function imagesOf({ document, path }: Workload): readonly string[] {
  const place = valueAt(document.value, path);
  const spec = member(place, "spec");
  const containers = [member(place, "containers"), member(spec, "containers")];
  return containers
    .flatMap((list) => (isArray(list) ? list : []))
    .flatMap((container: JsonValue) => {
      const image = asString(member(container, "image"));
      return image === undefined ? [] : [image];
    });
}
