import type { ApiResources } from "./api-resources.ts";
import type { Instant } from "./host.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { type GroupVersionKind, gvkOf, type KubernetesObject, nameOf, namespaceOf } from "./kubernetes.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** Who acts. */
export interface Subject {
  readonly issuer?: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: { readonly [key: string]: readonly string[] };
  /** Roles bound to the subject, as `namespace:name`, and cluster roles, where they are known. */
  readonly roles?: readonly string[];
  readonly clusterRoles?: readonly string[];
}

/** The Kubernetes object or subresource that an action is about. */
export interface KubernetesTarget extends GroupVersionKind {
  readonly type: "kubernetes";
  /** Plural resource name; empty where it is not known. */
  readonly resource: string;
  /** The API group of the resource, where that of the kind is another: `apps` for a Scale of `autoscaling`. */
  readonly resourceGroup?: string | undefined;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** What policies judge; every edge builds one. */
export interface Action {
  readonly channel: "scan" | "admission" | "background";
  /** Undefined on files. */
  readonly cluster?: string | undefined;
  /** Undefined on files. */
  readonly actor: Subject | undefined;
  readonly operation: Operation;
  readonly dryRun: boolean;
  readonly target: KubernetesTarget;
  readonly object?: KubernetesObject | undefined;
  readonly oldObject?: KubernetesObject | undefined;
  /** A document that is no Kubernetes object, in place of one: only policies about any JSON judge it. */
  readonly payload?: JsonValue | undefined;
  /** What the payload is: a request that an authorizer is asked about, by Envoy or in plain HTTP. Undefined: any JSON. */
  readonly payloadKind?: "envoy" | "http" | undefined;
  readonly options?: JsonObject | undefined;
  /** Labels of the target's namespace, where known. */
  readonly namespaceLabels?: { readonly [key: string]: string } | undefined;
  readonly at: Instant;
}

/** The target of an action on an object itself. */
export function targetOf(object: KubernetesObject, resources: ApiResources): KubernetesTarget {
  const gvk = gvkOf(object);
  return {
    type: "kubernetes",
    ...gvk,
    resource: resources.byKind(gvk.group, gvk.kind)?.resource ?? "",
    subresource: "",
    namespace: namespaceOf(object),
    name: nameOf(object),
  };
}
