import { isArray, isObject, type JsonPath, member, toPointer, valueAt } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import type { ObjectCheck } from "../object-check.ts";
import { builtInPodSpec, podKinds } from "./pod-kinds.ts";

const podLevel = new Set(["cpu", "memory"]);

/** Devices and storage in the resources of a pod as a whole: only containers can ask for them. */
export const podResourcesCheck: ObjectCheck = {
  kinds: podKinds,
  check(object) {
    const spec = builtInPodSpec(object);
    if (spec === undefined) return [];
    return (["limits", "requests"] as const).flatMap((list) => {
      const at = [...spec, "resources", list];
      const values = valueAt(object, at);
      if (!isObject(values)) return [];
      return Object.keys(values)
        .filter((name) => !podLevel.has(name) && !name.startsWith("hugepages-"))
        .map((name) => issue(object, spec, [...at, name], list, name));
    });
  },
};

function issue(object: KubernetesObject, spec: JsonPath, path: JsonPath, list: string, name: string): LintIssue {
  return {
    check: "pod-resources",
    rule: "container-only",
    path,
    atKey: true,
    status: "fail",
    server: "refuses-object",
    message: `A pod as a whole can name cpu, memory and huge pages; ${name} is asked for by a container. The API server refuses the object.`,
    fix: moveToContainer(object, spec, path, list, name),
  };
}

function moveToContainer(object: KubernetesObject, spec: JsonPath, path: JsonPath, list: string, name: string) {
  const containers = valueAt(object, [...spec, "containers"]);
  const target = [...spec, "containers", 0, "resources", list];
  const description = `Move ${name} to the ${list} of the container that uses it.`;
  const only = isArray(containers) && containers.length === 1;
  if (!only || !isObject(valueAt(object, target)) || member(valueAt(object, target), name) !== undefined)
    return adviceFix(description);
  return patchFix(description, { op: "move", from: toPointer(path), path: toPointer([...target, name]) });
}
