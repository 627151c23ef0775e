import { type Action, targetOf } from "../core/action.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Facts } from "../core/facts.ts";
import { type Finding, type RuleStatus, ruleStatuses, type StatusCounts } from "../core/finding.ts";
import type { Host } from "../core/host.ts";
import { gvkOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../core/kubernetes.ts";
import type { Labels } from "../core/label-selector.ts";
import type { WorkloadCatalogue } from "../core/workload/catalogue.ts";
import { type Decision, type Excuse, evaluate, type PolicyResult, type PolicySet, toFinding } from "../engine/index.ts";
import { redactSecrets } from "./redact-secrets.ts";
import { aboutOwner, asFarAsSeen, type WorkloadPod, workloadPods } from "./scan-workloads.ts";
import type { ObjectDocument } from "./scanned-objects.ts";

export interface ScanObjectsRequest {
  readonly objects: readonly ObjectDocument[];
  readonly policies: PolicySet;
  readonly resources: ApiResources;
  /** Answers every need; what it cannot answer it refuses with a reason. */
  readonly facts: Facts;
  readonly host: Host;
  /** Whether passes and skips become findings, too. */
  readonly passes: boolean;
  /** Which policies judge the pods of custom kinds, and where those are; undefined: they are not judged. */
  readonly workloads: { readonly catalogue: WorkloadCatalogue; readonly policies: PolicySet } | undefined;
  /** Labels of a namespace, where more are known than those among the objects. */
  readonly namespaceLabels?: (namespace: string) => Labels | undefined;
  /** Exceptions that people approved for the object of an action. */
  readonly excuses?: ((action: Action) => Excuse | undefined) | undefined;
  /** Makes a finding of a result; unless told, one that works out what is rarely asked for when somebody asks. */
  readonly tell?: (told: PolicyResult, object: KubernetesObject, document: ObjectDocument) => Finding;
  readonly onProgress?: (done: number) => void;
}

export interface ScanObjectsResult {
  readonly findings: readonly Finding[];
  readonly counts: StatusCounts;
}

/** Changes first, so that checks see what would be stored; what a policy would generate is no verdict on the object. */
const stages = ["mutate", "verify", "validate"] as const;
/** A scanned object is judged as if it was created now. */
const operation = "CREATE";

/** Judges every object by the policies. */
export function scanObjects(request: ScanObjectsRequest): ScanObjectsResult {
  const { objects, policies, workloads, tell = toFinding, onProgress } = request;
  const namespaces = objects.filter(({ value }) => value.kind === "Namespace" && value.apiVersion === "v1");
  const labels = new Map(namespaces.map(({ value }) => [nameOf(value), labelsOf(value)]));
  const findings: Finding[] = [];
  const counts: { [status in RuleStatus]: number } = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 };
  const judge = (document: ObjectDocument, by: PolicySet, workload?: WorkloadPod) => {
    // Most objects are of kinds that no policy speaks of.
    if (!by.concerns({ ...gvkOf(document.value), subresource: "", operation }, stages)) return;
    const namespace = namespaceOf(document.value);
    const decision = decide(document.value, labels.get(namespace) ?? request.namespaceLabels?.(namespace), by, request);
    for (const status of ruleStatuses) counts[status] += decision.counts[status];
    for (const told of decision.results) {
      const seen = asFarAsSeen(told, document.value, workload);
      counts[told.result.status]--;
      counts[seen.result.status]++;
      if (!request.passes && (seen.result.status === "pass" || seen.result.status === "skip")) continue;
      const finding = tell(seen, document.value, document);
      findings.push(redactSecrets(workload === undefined ? finding : aboutOwner(finding, workload), document.value));
    }
  };
  objects.forEach((document, i) => {
    judge(document, policies);
    onProgress?.(i + 1);
  });
  if (workloads !== undefined) {
    for (const workload of workloadPods(objects, workloads.catalogue)) judge(workload.pod, workloads.policies, workload);
  }
  return { findings, counts };
}

function decide(
  object: KubernetesObject,
  namespaceLabels: Labels | undefined,
  policies: PolicySet,
  request: ScanObjectsRequest,
): Decision {
  const action: Action = {
    channel: "scan",
    actor: undefined,
    operation,
    dryRun: false,
    target: targetOf(object, request.resources),
    object,
    namespaceLabels,
    at: request.host.now(),
  };
  const excuse = request.excuses?.(action);
  const options = { resources: request.resources, passes: request.passes, kinds: stages, excuse };
  const evaluation = evaluate(policies, action, request.facts, request.host, options);
  if (evaluation.kind === "pending") throw new Error("a scan's facts answer every need");
  return evaluation.decision;
}
