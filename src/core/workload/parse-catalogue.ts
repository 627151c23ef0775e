import { type Diagnostic, failed, type Loaded, loaded } from "../diagnostic.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, toDotted } from "../json.ts";
import type { KindRule, PartSource, PodPart, PodRule, WorkloadCatalogue } from "./catalogue.ts";
import { type PathPattern, parsePattern } from "./path-pattern.ts";

/** Thrown inside this file only; becomes a diagnostic. */
class Malformed extends Error {}

/**
 * Reads `catalog/workloads.yaml`, whose head explains its format. Unknown members and malformed paths are errors
 * that name their place (`CATALOGUE_INVALID`).
 */
export function parseWorkloadCatalogue(value: JsonValue): Loaded<WorkloadCatalogue> {
  try {
    const root = objectOf(value, [], ["groupsWithout", "kindsWithout", "clusterScoped", "workloads"]);
    const kinds = new Map<string, KindRule>();
    for (const [i, entry] of arrayOf(root["workloads"], ["workloads"]).entries()) addEntry(kinds, entry, ["workloads", i]);
    return loaded({
      kinds,
      groupsWithout: new Set(strings(root["groupsWithout"], ["groupsWithout"])),
      kindsWithout: new Set(strings(root["kindsWithout"], ["kindsWithout"]).map(keyOf)),
      clusterScoped: new Set(strings(root["clusterScoped"], ["clusterScoped"]).map(keyOf)),
    });
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const diagnostic: Diagnostic = { code: "CATALOGUE_INVALID", severity: "error", message: error.message };
    return failed(diagnostic);
  }
}

/** `apps/Deployment` and `Pod`, as people write them. */
function keyOf(text: string): string {
  return text.includes("/") ? text : `/${text}`;
}

function addEntry(kinds: Map<string, KindRule>, value: JsonValue, at: JsonPath): void {
  const entry = objectOf(value, at, ["kinds", "pods", "objects", "like", "in"]);
  const rule: KindRule = {
    pods: [
      ...arrayOf(entry["pods"], [...at, "pods"]).map((pod, i) => podRule(pod, [...at, "pods", i])),
      ...borrowed(kinds, entry, at),
    ],
    objects: strings(entry["objects"], [...at, "objects"]).map((text) => pattern(text, [...at, "objects"])),
  };
  for (const name of strings(entry["kinds"], [...at, "kinds"])) {
    if (kinds.has(keyOf(name))) throw new Malformed(`${toDotted(at)}: ${name} is listed twice`);
    kinds.set(keyOf(name), rule);
  }
}

/** `like: ray.io/RayCluster, in: [spec.rayClusterSpec]`: the pods of an earlier kind, its `spec` found elsewhere. */
function borrowed(kinds: ReadonlyMap<string, KindRule>, entry: JsonObject, at: JsonPath): readonly PodRule[] {
  const like = asString(entry["like"]);
  if (like === undefined) return [];
  const other = kinds.get(keyOf(like));
  if (other === undefined) throw new Malformed(`${toDotted(at)}.like: ${like} is not listed above`);
  const prefixes = entry["in"] === undefined ? ["spec"] : strings(entry["in"], [...at, "in"]);
  return prefixes.flatMap((text) => {
    const prefix = pattern(text, [...at, "in"]);
    return other.pods.map((pod) => moved(pod, prefix));
  });
}

function moved(rule: PodRule, prefix: PathPattern): PodRule {
  // What stands beside the spec stays the object's own.
  const isOwn = ([first]: PathPattern) => typeof first === "object" && first.key === "metadata";
  const move = (path: PathPattern): PathPattern => (isOwn(path) ? path : [...prefix, ...path.slice(1)]);
  const moveSource = (s: PartSource): PartSource => ({
    ...s,
    pattern: s.fromRoot ? move(s.pattern) : s.pattern,
    when: s.when === undefined ? undefined : move(s.when),
  });
  return {
    ...rule,
    base: move(rule.base),
    parts: rule.parts.map((part) => ({ ...part, sources: part.sources.map(moveSource) })),
    labels: rule.labels.map(moveSource),
    annotations: rule.annotations.map(moveSource),
    completedWhen: rule.completedWhen.map(moveSource),
  };
}

const shapes = ["template", "spec", "parts"] as const;

function podRule(value: JsonValue, at: JsonPath): PodRule {
  const pod = objectOf(value, at, ["role", ...shapes, "pod", "labels", "annotations", "completedBy", "completedWhen"]);
  const shape = shapes.find((s) => pod[s] !== undefined);
  if (shape === undefined) throw new Malformed(`${toDotted(at)}: one of template, spec or parts is missing`);
  return {
    role: asString(pod["role"]) ?? "",
    shape,
    base: pattern(pod[shape], [...at, shape]),
    parts: Object.entries(objectOf(pod["pod"] ?? {}, [...at, "pod"])).map(([target, list]) =>
      podPart(target, list ?? null, [...at, "pod", target]),
    ),
    labels: sources(pod["labels"], [...at, "labels"]),
    annotations: sources(pod["annotations"], [...at, "annotations"]),
    completedBy: asString(pod["completedBy"]),
    completedWhen: sources(pod["completedWhen"], [...at, "completedWhen"]),
  };
}

function podPart(target: string, value: JsonValue, at: JsonPath): PodPart {
  const path = target.split(".").flatMap((part): JsonPath => {
    const match = /^(\w+)(?:\[(\d+)\])?$/.exec(part);
    if (match?.[1] === undefined) throw new Malformed(`${toDotted(at)}: not a field of a pod spec`);
    return match[2] === undefined ? [match[1]] : [match[1], Number(match[2])];
  });
  return { target: path, sources: sources(value, at) };
}

function sources(value: JsonValue | undefined, at: JsonPath): readonly PartSource[] {
  return arrayOf(value, at).map((item, i) => {
    const place = [...at, i];
    const entry =
      typeof item === "string" ? { from: item } : objectOf(item, place, ["from", "name", "when", "implied", "omit", "jvm"]);
    const from = asString(entry["from"]) ?? "";
    const fromRoot = from.startsWith("/");
    const when = asString(entry["when"]);
    return {
      fromRoot,
      pattern: pattern(fromRoot ? from.slice(1) : from, place),
      name: asString(entry["name"]),
      when: when === undefined ? undefined : pattern(when.replace(/^\//, ""), place),
      implied: entry["implied"] === true,
      omit: strings(entry["omit"], [...place, "omit"]),
      jvm: asString(entry["jvm"]),
    };
  });
}

function pattern(value: JsonValue | undefined, at: JsonPath): PathPattern {
  const parsed = typeof value === "string" ? parsePattern(value) : undefined;
  if (parsed === undefined) throw new Malformed(`${toDotted(at)}: ${JSON.stringify(value)} is not a path`);
  return parsed;
}

function objectOf(value: JsonValue | undefined, at: JsonPath, known?: readonly string[]): JsonObject {
  if (!isObject(value)) throw new Malformed(`${toDotted(at)}: must be an object`);
  const unknown = known === undefined ? undefined : Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Malformed(`${toDotted([...at, unknown])}: unknown field`);
  return value;
}

function arrayOf(value: JsonValue | undefined, at: JsonPath): readonly JsonValue[] {
  if (value === undefined) return [];
  if (!isArray(value)) throw new Malformed(`${toDotted(at)}: must be an array`);
  return value;
}

function strings(value: JsonValue | undefined, at: JsonPath): readonly string[] {
  return arrayOf(value, at).map((item, i) => {
    if (typeof item !== "string") throw new Malformed(`${toDotted([...at, i])}: must be a string`);
    return item;
  });
}
