import { formatImage, type ImageReference, parseImageReference, withDefaultRegistry } from "../../core/image-reference.ts";
import {
  asString,
  isArray,
  isObject,
  type JsonObject,
  type JsonPath,
  type JsonValue,
  member,
  toPointer,
} from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";

/** One image of an object, and where it stands. */
export interface ObjectImage {
  readonly image: ImageReference;
  /** `registry/path:tag` or `registry/path@digest` */
  readonly reference: string;
  readonly path: JsonPath;
  readonly pullSecrets: readonly string[];
}

/** Images by the list they stand in (`containers`, `initContainers`, an extractor's name), then by container name or pointer. */
export type ObjectImages = ReadonlyMap<string, ReadonlyMap<string, ObjectImage>>;

/** Where images stand in one kind of object. */
export interface ImageExtractor {
  readonly name: string;
  /** Members to descend through; `*` stands for all items of a list or members of an object. */
  readonly steps: readonly string[];
  /** The member that holds the image. */
  readonly value: string;
  /** The member that names the entry; empty: the entry is named by its pointer. */
  readonly key: string;
  /** Turns what the member holds into an image reference; throws when it cannot. */
  readonly transform?: ((value: string) => string) | undefined;
}

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;

const standard = (...steps: readonly string[]): readonly ImageExtractor[] =>
  containerLists.map((name) => ({ name, steps: [...steps, name, "*"], key: "name", value: "image" }));

const podTemplate = standard("spec", "template", "spec");

/** By kind alone, as Kyverno does. */
const standardExtractors: { readonly [kind: string]: readonly ImageExtractor[] } = {
  Pod: standard("spec"),
  DaemonSet: podTemplate,
  Deployment: podTemplate,
  ReplicaSet: podTemplate,
  ReplicationController: podTemplate,
  StatefulSet: podTemplate,
  Job: podTemplate,
  CronJob: standard("spec", "jobTemplate", "spec", "template", "spec"),
};

/** Whether objects of this kind hold images without an extractor being told. */
export function mayHoldImages(object: KubernetesObject): boolean {
  return Object.hasOwn(standardExtractors, object.kind);
}

interface Walk {
  readonly extractor: ImageExtractor;
  readonly found: Map<string, ObjectImage>;
}

function pullSecretsOf(value: JsonObject): readonly string[] {
  const secrets = value["imagePullSecrets"];
  if (!isArray(secrets)) return [];
  return secrets.map((secret) => asString(member(secret, "name"))).filter((name) => name !== undefined);
}

function addImage(walk: Walk, holder: JsonObject, path: JsonPath, pullSecrets: readonly string[]): void {
  const { extractor, found } = walk;
  const imagePath = [...path, extractor.value];
  const key = extractor.key === "" ? toPointer(imagePath) : asString(holder[extractor.key]);
  if (key === undefined) throw new Error("invalid key");
  const held = asString(holder[extractor.value]);
  if (held === undefined || held.trim() === "") return;
  const text = extractor.transform === undefined ? held : extractor.transform(held);
  const parsed = parseImageReference(text);
  if (!parsed.ok) {
    throw new Error(`invalid image '${text}' (bad image: ${withDefaultRegistry(text)}: ${parsed.message})`);
  }
  found.set(key, { image: parsed.value, reference: formatImage(parsed.value), path: imagePath, pullSecrets });
}

function descend(walk: Walk, value: JsonValue | undefined, depth: number, path: JsonPath, secrets: readonly string[]): void {
  if (value === undefined || value === null) return;
  const step = walk.extractor.steps[depth];
  if (step === "*" && isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (isObject(item)) descend(walk, item, depth + 1, [...path, i], secrets);
      else if (isArray(item)) descend(walk, item, depth, [...path, i], secrets);
    }
  } else if (step === "*" && isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (isObject(item) || isArray(item)) descend(walk, item, depth + 1, [...path, key], secrets);
    }
  } else if (!isObject(value)) throw new Error("invalid image config");
  else {
    const known = [...secrets, ...pullSecretsOf(value)];
    if (step === undefined) addImage(walk, value, path, known);
    else descend(walk, member(value, step), depth + 1, [...path, step], known);
  }
}

/**
 * The images of an object: of the kinds that hold pods, or where `extractors` for its kind say.
 * @throws Error when a reference cannot be parsed or the object has another shape
 */
export function imagesOf(
  object: KubernetesObject,
  extractors?: { readonly [kind: string]: readonly ImageExtractor[] },
): ObjectImages {
  const images = new Map<string, ReadonlyMap<string, ObjectImage>>();
  const custom = extractors !== undefined && Object.hasOwn(extractors, object.kind) ? extractors[object.kind] : undefined;
  if (custom?.length === 0) throw new Error(`no extractors found for ${object.kind}`);
  for (const extractor of custom ?? standardExtractors[object.kind] ?? []) {
    const found = new Map<string, ObjectImage>();
    descend({ extractor, found }, object, 0, [], []);
    if (found.size > 0) images.set(extractor.name, found);
  }
  return images;
}

/** What variables see of one image. */
function imageVariable({ image, reference, path }: ObjectImage): JsonObject {
  const repository = image.registry === "" ? image.path : `${image.registry}/${image.path}`;
  return {
    ...(image.registry === "" ? {} : { registry: image.registry }),
    name: image.name,
    path: image.path,
    ...(image.tag === "" ? {} : { tag: image.tag }),
    ...(image.digest === "" ? {} : { digest: image.digest }),
    reference,
    referenceWithTag: `${repository}:${image.tag}`,
    jsonPointer: toPointer(path),
  };
}

/** The variable `images`; undefined when there are none. */
export function imagesVariable(images: ObjectImages): JsonObject | undefined {
  if (images.size === 0) return undefined;
  const lists = [...images].map(([list, entries]) => [
    list,
    Object.fromEntries([...entries].map(([key, image]) => [key, imageVariable(image)])),
  ]);
  return Object.fromEntries(lists);
}
