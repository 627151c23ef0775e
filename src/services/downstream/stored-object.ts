import type { Action, Operation } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Host } from "../../core/host.ts";
import { gvkOf, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";

/** A cluster whose stored objects are judged. */
export interface StoredObjects {
  readonly cluster: string;
  readonly resources: () => ApiResources;
  readonly namespaceLabels: (namespace: string) => Labels | undefined;
  /** Everything that the cluster holds. */
  readonly objects: () => Iterable<KubernetesObject>;
  readonly host: Host;
}

/** A stored object as if that was done to it now, by nobody. */
export function actionOn(
  object: KubernetesObject,
  operation: Operation,
  { cluster, resources, namespaceLabels, host }: StoredObjects,
): Action {
  const gvk = gvkOf(object);
  const namespace = namespaceOf(object);
  return {
    channel: "scan",
    cluster,
    actor: undefined,
    operation,
    dryRun: false,
    target: {
      type: "kubernetes",
      ...gvk,
      resource: resources().byKind(gvk.group, gvk.kind)?.resource ?? "",
      subresource: "",
      namespace,
      name: nameOf(object),
    },
    object,
    ...(operation === "UPDATE" ? { oldObject: object } : {}),
    namespaceLabels: namespaceLabels(namespace),
    at: host.now(),
  };
}
