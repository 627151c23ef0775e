import { type KubernetesObject, resourceRef } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import type { Direction, PolicyInfo, PolicyKind } from "../model.ts";

const clusterScoped: ReadonlySet<PolicyKind> = new Set<PolicyKind>([
  "AdminNetworkPolicy",
  "BaselineAdminNetworkPolicy",
  "ClusterNetworkPolicy",
  "CalicoGlobalNetworkPolicy",
  "CiliumClusterwideNetworkPolicy",
]);

/** How a policy is told apart: `NetworkPolicy nlp/vector-db`. */
export function policyInfo(
  document: SourceDocument<KubernetesObject>,
  kind: PolicyKind,
  directions: readonly Direction[],
  namespace: string,
  active = true,
): PolicyInfo {
  const written = resourceRef(document.value);
  const ref = { ...written, namespace: clusterScoped.has(kind) ? "" : written.namespace || namespace };
  const id = `${kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${ref.name}`;
  return { id, kind, ref, directions, document, active };
}
