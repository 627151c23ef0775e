import type { JsonObject, JsonPath } from "../json.ts";
import { valueAt } from "../json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, namespaceOf, parseApiVersion } from "../kubernetes.ts";
import { type KindRule, kindKey, type PodRule, type WorkloadCatalogue } from "./catalogue.ts";
import { anyPresent, compose } from "./compose.ts";
import { expand, type Place } from "./path-pattern.ts";
import { findByStructure } from "./structural.ts";

/** A pod that an object makes or describes. */
export interface FoundPod {
  /** What the pod is for: `head`, `predictor`; empty where the kind makes only one sort. */
  readonly role: string;
  /** Where the pod template, the pod spec or the place that holds its parts stands in the object. */
  readonly path: JsonPath;
  /** The pod's template metadata; empty where there is none. */
  readonly metadata: JsonObject;
  /** The PodSpec, put together from its parts where the kind spreads them. */
  readonly spec: JsonObject;
  /** `structural`: the kind is unknown and the place only looks like a pod spec. */
  readonly how: "catalogue" | "structural";
  /** Who adds what is absent here before a pod is made; undefined: the pod is made as written. */
  readonly completedBy: string | undefined;
  /** The kind that holds the pod: that of the object, or of one nested in it. */
  readonly holder: { readonly group: string; readonly kind: string };
  /** Where the pod will be, if not in the object's own namespace; empty: wherever someone uses this template. */
  readonly namespace: string | undefined;
  /** From a path in the pod (`spec.containers[0].image`, `metadata.annotations.x`) to the path in the object. */
  locate(path: JsonPath): JsonPath;
}

export interface FoundPods {
  readonly pods: readonly FoundPod[];
  /** The object is of an unknown kind and too large to be looked through: there may be more pods. */
  readonly truncated: boolean;
}

const none: FoundPods = { pods: [], truncated: false };

/** Objects in objects in objects: deeper ones are not looked into. */
const maxNesting = 4;

/**
 * Every pod spec in an object, built-in or custom. Kinds of the catalogue by their paths; unknown kinds by structure.
 * Nested whole objects (Katib trials, ManifestWorks, Templates) are looked into; manifests in text (config maps, Argo
 * `resource.manifest`) are not. Never throws.
 */
export function findPodSpecs(object: KubernetesObject, catalogue: WorkloadCatalogue): FoundPods {
  return findIn(object, { at: [], namespace: undefined, depth: 0 }, catalogue);
}

/** Where an object stands in the outermost one, and the namespace of its pods as far as it is not that one's. */
interface Position {
  readonly at: JsonPath;
  readonly namespace: string | undefined;
  readonly depth: number;
}

function findIn(object: KubernetesObject, position: Position, catalogue: WorkloadCatalogue): FoundPods {
  const { group, kind } = gvkOf(object);
  const { at } = position;
  const key = kindKey(group, kind);
  const namespace = catalogue.clusterScoped.has(key) ? "" : position.namespace;
  const rule = catalogue.kinds.get(key);
  if (rule !== undefined) return findByRule(object, { ...position, namespace }, rule, catalogue);
  if (catalogue.groupsWithout.has(group) || catalogue.kindsWithout.has(key)) return none;
  const isKnown = (nested: KubernetesObject): boolean =>
    catalogue.kinds.has(kindKey(parseApiVersion(nested.apiVersion).group, nested.kind));
  const found = findByStructure(object, isKnown);
  const pods = found.places.map((place): FoundPod => {
    const path = [...at, ...place.path];
    return {
      role: "",
      path,
      metadata: place.metadata ?? {},
      spec: place.spec,
      how: "structural",
      completedBy: undefined,
      holder: { group, kind },
      namespace,
      locate: (inner) =>
        inner[0] === "metadata" ? [...path.slice(0, -1), ...inner] : [...path, ...(inner[0] === "spec" ? inner.slice(1) : inner)],
    };
  });
  return joined(found.objects, position, catalogue, { pods, truncated: found.truncated });
}

function findByRule(object: KubernetesObject, position: Position, rule: KindRule, catalogue: WorkloadCatalogue): FoundPods {
  const pods = rule.pods.flatMap((pod) =>
    expand(object, pod.base, position.at).flatMap((place) => foundPod(object, position, place, pod) ?? []),
  );
  if (rule.objects.length === 0) return { pods, truncated: false };
  const nested = rule.objects.flatMap((pattern) =>
    expand(object, pattern).flatMap(({ path, value }) => (isKubernetesObject(value) ? [{ path, object: value }] : [])),
  );
  return joined(nested, position, catalogue, { pods, truncated: false });
}

function foundPod(object: KubernetesObject, { at, namespace }: Position, place: Place, rule: PodRule): FoundPod | undefined {
  const composed = compose(object, at, place, rule);
  if (composed === undefined) return undefined;
  const { group, kind } = gvkOf(object);
  const completed =
    rule.completedBy !== undefined && (rule.completedWhen.length === 0 || anyPresent(rule.completedWhen, object, at, place));
  return {
    role: rule.role === "*" ? memberName(object, at, place.path, rule) : rule.role,
    path: place.path,
    metadata: composed.metadata,
    spec: composed.spec,
    how: "catalogue",
    completedBy: completed ? rule.completedBy : undefined,
    holder: { group, kind },
    namespace,
    locate: composed.locate,
  };
}

/** The name of the member that the pattern's last `*` matched, or of the item that its last `[]` did. */
function memberName(object: KubernetesObject, at: JsonPath, path: JsonPath, rule: PodRule): string {
  const index = rule.base.findLastIndex((step) => typeof step === "string");
  const step = path[at.length + index];
  if (typeof step === "string") return step;
  const name = valueAt(object, [...path.slice(at.length, at.length + index + 1), "name"]);
  return typeof name === "string" ? name : "";
}

/** What was found, and what the nested objects hold. */
function joined(
  objects: readonly { readonly path: JsonPath; readonly object: KubernetesObject }[],
  { at, namespace, depth }: Position,
  catalogue: WorkloadCatalogue,
  found: FoundPods,
): FoundPods {
  if (objects.length === 0) return found;
  if (depth >= maxNesting) return { ...found, truncated: true };
  const inner = objects.map(({ path, object }) => {
    const own = namespaceOf(object);
    return findIn(object, { at: [...at, ...path], namespace: own === "" ? namespace : own, depth: depth + 1 }, catalogue);
  });
  return {
    pods: [...found.pods, ...inner.flatMap((f) => f.pods)],
    truncated: found.truncated || inner.some((f) => f.truncated),
  };
}
