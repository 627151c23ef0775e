import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../json.ts";
import type { PartSource, PodPart, PodRule } from "./catalogue.ts";
import { expand, literalPath, type Place } from "./path-pattern.ts";

/** A pod put together from an object, and where its parts stand in that object. */
export interface ComposedPod {
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
  /** From a path in `{metadata, spec}` to the path in the object. */
  locate(path: JsonPath): JsonPath;
}

/** What stands at `at` in the pod (and below) stands at `from` in the object. */
interface Mapping {
  readonly at: JsonPath;
  readonly from: JsonPath;
}

const lists: ReadonlySet<string | number> = new Set(["containers", "initContainers", "ephemeralContainers", "volumes"]);

/** Puts together the pod at `base`; undefined where nothing makes a pod: no template, no spec, no container. */
export function compose(root: JsonValue, rootPath: JsonPath, base: Place, rule: PodRule): ComposedPod | undefined {
  if (!isObject(base.value)) return undefined;
  const own = ownSpec(base, rule);
  const mappings: Mapping[] = [{ at: ["spec"], from: own.path }];
  const from: Origin = { root, rootPath, base };
  let spec: JsonObject = rule.shape === "parts" ? {} : own.spec;
  for (const part of rule.parts) spec = addPart(spec, part, from, mappings);
  if (rule.shape === "parts" && !hasContainer(spec)) return undefined;
  const metadata = composeMetadata(base, rule, from, mappings);
  return { metadata, spec, locate: (path) => locate(mappings, path) };
}

function ownSpec(base: Place, rule: PodRule): { readonly spec: JsonObject; readonly path: JsonPath } {
  if (rule.shape !== "template") return { spec: isObject(base.value) ? base.value : {}, path: base.path };
  const spec = member(base.value, "spec");
  return { spec: isObject(spec) ? spec : {}, path: [...base.path, "spec"] };
}

interface Origin {
  readonly root: JsonValue;
  readonly rootPath: JsonPath;
  readonly base: Place;
}

/** What the sources hold, in their order. */
function read(sources: readonly PartSource[], origin: Origin): readonly { readonly place: Place; readonly source: PartSource }[] {
  return sources.flatMap((source) => {
    if (source.when !== undefined && expand(origin.root, source.when)[0]?.value !== true) return [];
    const start = source.fromRoot ? origin.root : origin.base.value;
    const at = source.fromRoot ? origin.rootPath : origin.base.path;
    const places = expand(start, source.pattern, at);
    const home =
      (source.implied || source.jvm !== undefined) && places.length === 0 ? literalPath(source.pattern, at) : undefined;
    return (home === undefined ? places : [{ path: home, value: {} }]).map((place) => ({ place, source }));
  });
}

export function anyPresent(sources: readonly PartSource[], root: JsonValue, rootPath: JsonPath, base: Place): boolean {
  return read(sources, { root, rootPath, base }).length > 0;
}

function addPart(spec: JsonObject, part: PodPart, origin: Origin, mappings: Mapping[]): JsonObject {
  const list = part.target[0];
  if (part.target.length === 1 && typeof list === "string" && lists.has(list))
    return joinList(spec, list, part, origin, mappings);
  const [found] = read(part.sources, origin);
  if (found !== undefined) {
    const { place, source } = found;
    mappings.push({ at: ["spec", ...part.target], from: place.path });
    return withValue(spec, part.target, source.jvm === undefined ? place.value : jvmQuantity(place.value, source.jvm));
  }
  const first = part.sources[0];
  const home = first === undefined ? undefined : literalPath(first.pattern, first.fromRoot ? origin.rootPath : origin.base.path);
  if (home !== undefined) mappings.push({ at: ["spec", ...part.target], from: home });
  return spec;
}

function joinList(spec: JsonObject, list: string, part: PodPart, origin: Origin, mappings: Mapping[]): JsonObject {
  const own = member(spec, list);
  const items: JsonValue[] = isArray(own) ? [...own] : [];
  const add = (value: JsonValue, from: JsonPath): void => {
    mappings.push({ at: ["spec", list, items.length], from });
    items.push(value);
  };
  for (const { place, source } of read(part.sources, origin)) {
    if (isArray(place.value)) {
      for (const [i, item] of place.value.entries()) add(asItem(item, list, source, place.path), [...place.path, i]);
    } else add(asItem(place.value, list, source, place.path), place.path);
  }
  return items.length === 0 ? spec : { ...spec, [list]: items };
}

/** A container as Kubernetes writes one: named, with its image as text. */
function asItem(value: JsonValue, list: string, source: PartSource, path: JsonPath): JsonValue {
  if (list === "volumes" || !isObject(value)) return value;
  const key = path.findLast((step) => typeof step === "string");
  const name = asString(value["name"]) ?? source.name ?? (typeof key === "string" ? key : "");
  const image = imageText(value["image"]);
  if (name === value["name"] && image === value["image"] && source.omit.length === 0) return value;
  const fields = Object.entries({ ...value, name, image }).filter(([field]) => !source.omit.includes(field));
  return Object.fromEntries(fields);
}

/** Operators often split an image: `{registry, repository, tag}`. */
function imageText(image: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(image)) return image;
  const repository = asString(image["repository"]) ?? asString(image["name"]);
  if (repository === undefined) return image;
  const registry = asString(image["registry"]);
  const tag = asString(image["tag"]);
  return `${registry === undefined ? "" : `${registry}/`}${repository}${tag === undefined ? "" : `:${tag}`}`;
}

/** `512m` and `1g` of a JVM are `512Mi` and `1Gi`; without a unit they are MiB, as in `spark.driver.memory`. */
function jvmQuantity(size: JsonValue, absent: string): JsonValue {
  const text = asString(size) ?? absent;
  const [, count, unit = "m"] = /^(\d+)([kmgtp])?b?$/i.exec(text.trim()) ?? [];
  return count === undefined ? text : `${count}${unit.toUpperCase()}i`;
}

function composeMetadata(base: Place, rule: PodRule, origin: Origin, mappings: Mapping[]): JsonObject {
  const own = rule.shape === "template" ? member(base.value, "metadata") : undefined;
  let metadata: JsonObject = isObject(own) ? own : {};
  if (rule.shape === "template") mappings.push({ at: ["metadata"], from: [...base.path, "metadata"] });
  for (const [key, sources] of [
    ["labels", rule.labels],
    ["annotations", rule.annotations],
  ] as const) {
    for (const { place } of read(sources, origin)) {
      if (!isObject(place.value)) continue;
      for (const name of Object.keys(place.value)) mappings.push({ at: ["metadata", key, name], from: [...place.path, name] });
      const present = member(metadata, key);
      metadata = { ...metadata, [key]: { ...place.value, ...(isObject(present) ? present : {}) } };
    }
  }
  return metadata;
}

function hasContainer(spec: JsonObject): boolean {
  return [...lists].some((list) => list !== "volumes" && isArray(spec[list]));
}

/** `target` with `value` at `path`; arrays and objects on the way are made where they are missing. */
function withValue(target: JsonObject, path: JsonPath, value: JsonValue): JsonObject {
  const set = (node: JsonValue | undefined, rest: JsonPath): JsonValue => {
    const step = rest[0];
    if (step === undefined) return value;
    if (typeof step === "string") {
      const object = isObject(node) ? node : {};
      return { ...object, [step]: set(object[step], rest.slice(1)) };
    }
    const array = isArray(node) ? [...node] : [];
    array[step] = set(array[step], rest.slice(1));
    return array;
  };
  const result = set(target, path);
  return isObject(result) ? result : target;
}

/** The longest mapping that holds `path` decides; the first of equals, so earlier sources win. */
function locate(mappings: readonly Mapping[], path: JsonPath): JsonPath {
  let best: Mapping | undefined;
  for (const mapping of mappings) {
    if (mapping.at.length > path.length || mapping.at.length <= (best?.at.length ?? 0)) continue;
    if (mapping.at.every((step, i) => step === path[i])) best = mapping;
  }
  return best === undefined ? path : [...best.from, ...path.slice(best.at.length)];
}
