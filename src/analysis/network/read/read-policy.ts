import type { Diagnostic } from "../../../core/diagnostic.ts";
import { groupOf, type KubernetesObject } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import type { CompiledPolicy } from "../rule.ts";
import { readAdminNetworkPolicy } from "./admin-policy.ts";
import { readCalicoPolicy } from "./calico.ts";
import { readCiliumPolicy } from "./cilium.ts";
import { readClusterNetworkPolicy } from "./cluster-policy.ts";
import { readNetworkPolicy } from "./network-policy.ts";
import type { PolicyContext } from "./policy-context.ts";
import { Reader } from "./reader.ts";

type PolicyReader = (reader: Reader, context: PolicyContext) => CompiledPolicy | readonly CompiledPolicy[] | undefined;

const calicoKinds = ["", "Staged"].flatMap((stage) =>
  ["NetworkPolicy", "GlobalNetworkPolicy"].flatMap((kind) =>
    ["projectcalico.org", "crd.projectcalico.org"].map((group) => `${group}/${stage}${kind}`),
  ),
);

const readers: { readonly [kind: string]: PolicyReader } = {
  "networking.k8s.io/NetworkPolicy": (reader, { namespace }) => readNetworkPolicy(reader, namespace),
  "policy.networking.k8s.io/AdminNetworkPolicy": readAdminNetworkPolicy,
  "policy.networking.k8s.io/BaselineAdminNetworkPolicy": readAdminNetworkPolicy,
  "policy.networking.k8s.io/ClusterNetworkPolicy": readClusterNetworkPolicy,
  "cilium.io/CiliumNetworkPolicy": readCiliumPolicy,
  "cilium.io/CiliumClusterwideNetworkPolicy": readCiliumPolicy,
  ...Object.fromEntries(calicoKinds.map((kind) => [kind, readCalicoPolicy])),
};

export function isPolicy(object: KubernetesObject): boolean {
  return Object.hasOwn(readers, `${groupOf(object)}/${object.kind}`);
}

/** Reads a policy of any kind. One that cannot be understood at all gives only diagnostics. */
export function readPolicy(
  document: SourceDocument<KubernetesObject>,
  context: PolicyContext,
): { readonly policies: readonly CompiledPolicy[]; readonly diagnostics: readonly Diagnostic[] } {
  const reader = new Reader(document);
  const read = readers[`${groupOf(document.value)}/${document.value.kind}`]?.(reader, context);
  const policies = read === undefined ? [] : "info" in read ? [read] : read;
  return { policies, diagnostics: reader.diagnostics };
}
