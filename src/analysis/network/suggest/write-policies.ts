import type { KubernetesObject } from "../../../core/kubernetes.ts";
import type { PolicyPlan } from "./allow.ts";
import { writeCalico } from "./write-calico.ts";
import { writeCilium } from "./write-cilium.ts";
import { writeClusterNetworkPolicies } from "./write-cluster-network-policy.ts";
import { writeNetworkPolicies } from "./write-network-policy.ts";

export const policyTargets = ["networkpolicy", "cilium", "calico", "cnp"] as const;
export type PolicyTarget = (typeof policyTargets)[number];

export interface WrittenPolicies {
  readonly objects: readonly KubernetesObject[];
  /** What the format cannot say, and what stands in its place. */
  readonly notes: readonly string[];
}

const writers: { readonly [target in PolicyTarget]: (plans: readonly PolicyPlan[]) => WrittenPolicies } = {
  networkpolicy: writeNetworkPolicies,
  cilium: writeCilium,
  calico: writeCalico,
  cnp: writeClusterNetworkPolicies,
};

export function writePolicies(plans: readonly PolicyPlan[], target: PolicyTarget): WrittenPolicies {
  return writers[target](plans);
}
