import { type Action, type Operation, targetOf } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Host } from "../../core/host.ts";
import { type KubernetesObject, namespaceOf } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import type { LivePolicies } from "../live/live-policies.ts";
import type { DownstreamWriter } from "./downstream-writer.ts";
import type { RuleJudge } from "./judge.ts";

/** A cluster in which policies act on stored objects. */
export interface ActedCluster {
  readonly cluster: string;
  readonly resources: () => ApiResources;
  readonly namespaceLabels: (namespace: string) => Labels | undefined;
  /** Everything that the cluster holds. */
  readonly objects: () => Iterable<KubernetesObject>;
  readonly host: Host;
  readonly policies: LivePolicies;
  readonly judge: RuleJudge;
  readonly writer: DownstreamWriter;
  /** Of several replicas one acts. */
  readonly leads: () => boolean;
  readonly onTrouble: (error: unknown) => void;
}

/** A stored object as if that was done to it now, by nobody. */
export function actionOn(
  object: KubernetesObject,
  operation: Operation,
  { cluster, resources, namespaceLabels, host }: ActedCluster,
): Action {
  return {
    channel: "scan",
    cluster,
    actor: undefined,
    operation,
    dryRun: false,
    target: targetOf(object, resources()),
    object,
    ...(operation === "UPDATE" ? { oldObject: object } : {}),
    namespaceLabels: namespaceLabels(namespaceOf(object)),
    at: host.now(),
  };
}
