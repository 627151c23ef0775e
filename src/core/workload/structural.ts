import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue } from "../json.ts";
import { isKubernetesObject, type KubernetesObject } from "../kubernetes.ts";

/** Nodes looked at in one object of an unknown kind. */
const budget = 50_000;

/** Members that never lead to a pod spec. */
const skipped: ReadonlySet<string> = new Set(["status", "metadata", "properties", "affinity", "securityContext", "volumes"]);

/** Fields of a Container besides `name` and `image`: one of them tells a container from a report about one. */
const containerFields: ReadonlySet<string> = new Set([
  "args",
  "command",
  "env",
  "envFrom",
  "imagePullPolicy",
  "lifecycle",
  "livenessProbe",
  "ports",
  "readinessProbe",
  "resources",
  "securityContext",
  "startupProbe",
  "volumeMounts",
  "workingDir",
]);

interface StructuralPlace {
  readonly path: JsonPath;
  readonly spec: JsonObject;
  /** The `metadata` beside a member named `spec`, as in a pod template. */
  readonly metadata: JsonObject | undefined;
}

interface StructuralFindings {
  readonly places: readonly StructuralPlace[];
  /** Whole objects of kinds that the catalogue knows. */
  readonly objects: readonly { readonly path: JsonPath; readonly object: KubernetesObject }[];
  /** The object was too large to be looked through. */
  readonly truncated: boolean;
}

interface Node {
  readonly value: JsonValue;
  readonly path: JsonPath;
  readonly parent: JsonObject | undefined;
}

/** Looks for pod specs by their shape: an object whose `containers` look like containers. */
export function findByStructure(object: KubernetesObject, isKnown: (object: KubernetesObject) => boolean): StructuralFindings {
  const places: StructuralPlace[] = [];
  const objects: { path: JsonPath; object: KubernetesObject }[] = [];
  const stack: Node[] = [{ value: object, path: [], parent: undefined }];
  let left = budget;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (--left < 0) return { places, objects, truncated: true };
    const { value, path, parent } = node;
    if (isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--) push(stack, value[i], [...path, i], undefined);
      continue;
    }
    if (!isObject(value)) continue;
    if (path.length > 0 && isKubernetesObject(value) && isKnown(value)) {
      objects.push({ path, object: value });
      continue;
    }
    const isPod = isPodSpec(value);
    if (isPod) places.push({ path, spec: value, metadata: templateMetadata(path, parent) });
    for (const [key, item] of Object.entries(value).toReversed()) {
      if (skipped.has(key) || (isPod && key.endsWith("ontainers"))) continue;
      push(stack, item, [...path, key], value);
    }
  }
  return { places, objects, truncated: false };
}

function push(stack: Node[], value: JsonValue | undefined, path: JsonPath, parent: JsonObject | undefined): void {
  if (typeof value === "object" && value !== null) stack.push({ value, path, parent });
}

function templateMetadata(path: JsonPath, parent: JsonObject | undefined): JsonObject | undefined {
  const metadata = path.at(-1) === "spec" && path.length > 1 ? parent?.["metadata"] : undefined;
  return isObject(metadata) ? metadata : undefined;
}

function isPodSpec(value: JsonObject): boolean {
  const containers = value["containers"];
  return isArray(containers) && containers.length > 0 && containers.every(isContainer);
}

function isContainer(value: JsonValue): boolean {
  if (!isObject(value) || asString(value["image"]) === undefined) return false;
  const others = Object.keys(value).filter((key) => key !== "name" && key !== "image");
  return others.length === 0 || others.some((key) => containerFields.has(key));
}
