import type { JsonPath } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { groupKind } from "../scanned-set.ts";

const templateKinds: readonly string[] = [
  "apps/Deployment",
  "apps/StatefulSet",
  "apps/DaemonSet",
  "apps/ReplicaSet",
  "batch/Job",
  "/ReplicationController",
];

/** Where the pod spec of a built-in kind stands. */
export function builtInPodSpec(object: KubernetesObject): JsonPath | undefined {
  const kind = groupKind(object);
  if (kind === "/Pod") return ["spec"];
  if (kind === "/PodTemplate") return ["template", "spec"];
  if (kind === "batch/CronJob") return ["spec", "jobTemplate", "spec", "template", "spec"];
  return templateKinds.includes(kind) ? ["spec", "template", "spec"] : undefined;
}

/** The built-in kinds that hold a pod spec. */
export const podKinds: readonly string[] = [...templateKinds, "/Pod", "/PodTemplate", "batch/CronJob"];
