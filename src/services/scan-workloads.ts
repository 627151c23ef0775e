import type { Finding } from "../core/finding.ts";
import { identified } from "../core/fingerprint.ts";
import { type JsonPath, member } from "../core/json.ts";
import { groupOf, type KubernetesObject, nameOf, namespaceOf, resourceRef } from "../core/kubernetes.ts";
import type { WorkloadCatalogue } from "../core/workload/catalogue.ts";
import { type FoundPod, findPodSpecs } from "../core/workload/find.ts";
import type { PolicyResult } from "../engine/index.ts";
import { absenceOf } from "./pack-policies.ts";
import type { ObjectDocument } from "./scanned-objects.ts";

/** A pod that a custom object makes, as a Pod that policies can judge, and the way back to the object. */
export interface WorkloadPod {
  readonly pod: ObjectDocument;
  readonly found: FoundPod;
  readonly owner: ObjectDocument;
}

/** Kinds whose pods Kyverno's autogen rules already see, and pods themselves. */
const seenByAutogen = new Set([
  "v1/Pod",
  "v1/ReplicationController",
  ...["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"].map((kind) => `apps/v1/${kind}`),
  "batch/v1/Job",
  "batch/v1/CronJob",
]);

/** The pods of objects that autogen does not reach: RayCluster, InferenceService, Job of Volcano ... */
export function workloadPods(documents: readonly ObjectDocument[], catalogue: WorkloadCatalogue): readonly WorkloadPod[] {
  return documents.flatMap((owner) => {
    const { value } = owner;
    if (seenByAutogen.has(`${value.apiVersion}/${value.kind}`)) return [];
    return findPodSpecs(value, catalogue).pods.map((found) => ({ owner, found, pod: asPod(owner, found) }));
  });
}

function asPod(owner: ObjectDocument, found: FoundPod): ObjectDocument {
  const value: KubernetesObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...found.metadata, name: nameOf(owner.value), namespace: namespaceOf(owner.value) },
    spec: found.spec,
  };
  const { file, index } = owner;
  return {
    file,
    index,
    value,
    locate: (path) => owner.locate(placeOf(found, path)),
    locateKey: (path) => owner.locateKey(placeOf(found, path)),
  };
}

/** Where a path of the pod stands in the object; a pod as a whole stands where its template does. */
function placeOf(found: FoundPod, path: JsonPath): JsonPath {
  return path.length === 0 ? found.path : found.locate(path);
}

/** Kinds that describe a part of pods only: who uses them adds the account, the resources and the nodes. */
const usedByOthers: ReadonlyMap<string, string> = new Map([
  ...["ServingRuntime", "ClusterServingRuntime"].map((kind) => [`serving.kserve.io/${kind}`, "the InferenceService"] as const),
  ...["TrainingRuntime", "ClusterTrainingRuntime"].map((kind) => [`trainer.kubeflow.org/${kind}`, "the TrainJob"] as const),
  ["serving.kserve.io/LLMInferenceServiceConfig", "the LLMInferenceService"],
]);

/** Whether something is missing cannot be said of a pod that somebody else completes, nor of a part of an object. */
export function asFarAsSeen(told: PolicyResult, object: KubernetesObject, workload: WorkloadPod | undefined): PolicyResult {
  if (told.result.status !== "fail") return told;
  const { judged, defaultedIn } = absenceOf(told.policy);
  if (!judged) return told;
  const reason = workload === undefined ? partOf(object) : completionOf(workload.found, defaultedIn);
  if (reason === undefined) return told;
  return {
    ...told,
    result: { ...told.result, status: "skip", message: `cannot be seen here, because ${reason}: ${told.result.message}` },
  };
}

/** The API server refuses controllers without a selector: such a document is a patch of one. */
function partOf(object: KubernetesObject): string | undefined {
  const isPart = groupOf(object) === "apps" && member(object["spec"], "selector") === undefined;
  return isPart ? "the document is a part of the object" : undefined;
}

function completionOf({ holder, completedBy }: FoundPod, defaultedIn: readonly string[]): string | undefined {
  const kind = `${holder.group}/${holder.kind}`;
  const by = completedBy ?? usedByOthers.get(kind) ?? (defaultedIn.includes(kind) ? "its controller" : undefined);
  return by === undefined ? undefined : `${by} completes the pod`;
}

/** A finding about such a pod as one about the object that makes it. */
export function aboutOwner(finding: Finding, { owner, found }: WorkloadPod): Finding {
  const { id: _, path, message, ...rest } = finding;
  const where = placeOf(found, path ?? []);
  const role = found.role === "" ? "" : `${found.role} pod: `;
  const guess = found.how === "structural" ? " (a pod spec by its looks: the kind is not known)" : "";
  return identified({ ...rest, resource: resourceRef(owner.value), path: where, message: `${role}${message}${guess}` });
}
