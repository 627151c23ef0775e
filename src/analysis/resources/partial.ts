import { isArray, isObject, type JsonObject, type JsonValue, member, valueAt } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { builtInPodSpec } from "./workload/pod-kinds.ts";

const patchLists = ["patches", "patchesStrategicMerge", "patchesJson6902"];
const kustomizationFile = /(?:^|\/)kustomization(?:\.ya?ml)?$/i;
const patchFile = /(?:^|[/_.-])patch(?:es)?(?=[/_.-]|$)/i;

/**
 * The files that hold kustomize patches: parts of objects, from which nothing is missing and which decide nothing alone.
 * A file counts when a scanned kustomization names it, or its own name says so.
 */
export function partialFiles(documents: readonly SourceDocument[]): ReadonlySet<string> {
  const partial = new Set<string>();
  for (const document of documents) {
    if (patchFile.test(document.file)) partial.add(document.file);
    if (!isObject(document.value) || !isKustomization(document.file, document.value)) continue;
    const folder = document.file.slice(0, document.file.lastIndexOf("/") + 1);
    for (const reference of patchReferences(document.value)) partial.add(resolvePath(folder, reference));
  }
  return partial;
}

/** Whether an object is a workload without containers, or without any image: a patch, or a template that some tool completes. */
export function lacksImages(object: KubernetesObject): boolean {
  const spec = builtInPodSpec(object);
  if (spec === undefined) return false;
  const containers = valueAt(object, [...spec, "containers"]);
  if (!isArray(containers)) return containers === undefined;
  return (
    containers.length > 0 && containers.every((container) => isObject(container) && member(container, "image") === undefined)
  );
}

/** Keys of strategic merge patches, some with a field after a slash. */
export function isMergeDirective(key: string): boolean {
  return key.startsWith("$") && /^\$(?:patch$|retainKeys$|setElementOrder\/|deleteFromPrimitiveList\/)/.test(key);
}

/** Whether an object is a patch by its own content: a merge directive stands in its metadata or spec. */
export function holdsMergeDirective(object: KubernetesObject): boolean {
  // Definitions are large, and their schemas hold no patches.
  if (object.kind === "CustomResourceDefinition") return false;
  return Object.keys(object).some((key) => isMergeDirective(key) || holdsDirective(object[key]));
}

function holdsDirective(value: JsonValue | undefined): boolean {
  if (isArray(value)) return value.some(holdsDirective);
  if (!isObject(value)) return false;
  for (const key in value) if (isMergeDirective(key) || holdsDirective(value[key])) return true;
  return false;
}

function isKustomization(file: string, value: JsonObject): boolean {
  const kind = value["kind"];
  return kind === "Kustomization" || kind === "Component" ? isKustomize(value) : kustomizationFile.test(file);
}

function isKustomize(value: JsonObject): boolean {
  const version = value["apiVersion"];
  return typeof version === "string" && version.startsWith("kustomize.config.k8s.io/");
}

function patchReferences(kustomization: JsonObject): readonly string[] {
  return patchLists.flatMap((list) => {
    const entries = kustomization[list];
    if (!isArray(entries)) return [];
    return entries.flatMap((entry) => {
      const path = isObject(entry) ? member(entry, "path") : entry;
      return typeof path === "string" && !path.includes("\n") ? [path] : [];
    });
  });
}

function resolvePath(folder: string, reference: string): string {
  const steps: string[] = [];
  for (const step of `${folder}${reference}`.split("/")) {
    if (step === "..") steps.pop();
    else if (step !== ".") steps.push(step);
  }
  return steps.join("/");
}
