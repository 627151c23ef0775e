import type { Action } from "../core/action.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { Facts } from "../core/facts.ts";
import type { Finding, StatusCounts } from "../core/finding.ts";
import type { Host } from "../core/host.ts";
import { gvkOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../core/kubernetes.ts";
import { type Decision, evaluate, type PolicySet, toFinding } from "../engine/index.ts";
import { redactSecrets } from "./redact-secrets.ts";
import type { ObjectDocument } from "./scanned-objects.ts";

export interface ScanRequest {
  readonly objects: readonly ObjectDocument[];
  readonly policies: PolicySet;
  readonly resources: ApiResources;
  /** Answers every need; what it cannot answer it refuses with a reason. */
  readonly facts: Facts;
  readonly host: Host;
  /** Whether passes and skips become findings, too. */
  readonly passes: boolean;
  readonly onProgress?: (done: number) => void;
}

export interface ScanResult {
  readonly findings: readonly Finding[];
  readonly counts: StatusCounts;
}

/** Changes first, so that checks see what would be stored; what a policy would generate is no verdict on the object. */
const stages = ["mutate", "verify", "validate"] as const;

/** Judges every object by the policies. */
export function scanObjects(request: ScanRequest): ScanResult {
  const { objects, host, onProgress } = request;
  const at = host.now();
  const namespaces = new Map(
    objects.filter(({ value }) => isNamespace(value)).map(({ value }) => [nameOf(value), labelsOf(value)]),
  );
  const findings: Finding[] = [];
  const counts = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 };
  objects.forEach((document, i) => {
    const object = document.value;
    const decision = judge(object, namespaces.get(namespaceOf(object)), at, request);
    for (const status of Object.keys(counts) as (keyof typeof counts)[]) counts[status] += decision.counts[status];
    for (const result of decision.results) {
      if (!request.passes && (result.result.status === "pass" || result.result.status === "skip")) continue;
      findings.push(redactSecrets(toFinding(result, object, document), object));
    }
    onProgress?.(i + 1);
  });
  return { findings, counts };
}

function isNamespace(object: KubernetesObject): boolean {
  return object.kind === "Namespace" && object.apiVersion === "v1";
}

function judge(object: KubernetesObject, namespaceLabels: Action["namespaceLabels"], at: number, request: ScanRequest): Decision {
  const gvk = gvkOf(object);
  const action: Action = {
    channel: "scan",
    actor: undefined,
    operation: "CREATE",
    dryRun: false,
    target: {
      type: "kubernetes",
      ...gvk,
      resource: request.resources.byKind(gvk.group, gvk.kind)?.resource ?? "",
      subresource: "",
      namespace: namespaceOf(object),
      name: nameOf(object),
    },
    object,
    namespaceLabels,
    at,
  };
  const options = { resources: request.resources, passes: request.passes, kinds: stages };
  const evaluation = evaluate(request.policies, action, request.facts, request.host, options);
  if (evaluation.kind === "pending") throw new Error("a scan's facts answer every need");
  return evaluation.decision;
}
