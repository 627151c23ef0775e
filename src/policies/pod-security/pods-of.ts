import type { KubernetesObject } from "../../core/kubernetes.ts";
import { latest } from "../../core/latest.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";
import { type FoundPod, findPodSpecs } from "../../core/workload/find.ts";
import { type Pod, readPod, withDefaults } from "./pod.ts";

/** A pod of an object, as found and as the standards see it. */
export interface JudgedPod {
  readonly found: FoundPod;
  readonly pod: Pod;
}

export interface JudgedPods {
  readonly pods: readonly JudgedPod[];
  /** The object is too large to be looked through. */
  readonly truncated: boolean;
}

/** Finds the pods of an object once, however many checks ask. */
export function podsOf(catalogue: WorkloadCatalogue): (object: KubernetesObject) => JudgedPods {
  return latest((object) => {
    const { pods, truncated } = findPodSpecs(object, catalogue);
    return {
      truncated,
      pods: pods.map((found) => {
        const isPod = found.holder.group === "" && found.holder.kind === "Pod";
        return { found, pod: withDefaults(readPod(found.metadata, found.spec), isPod) };
      }),
    };
  });
}
