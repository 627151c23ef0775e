import { mutatingAdmissionPolicyFormat } from "./admission-policy/mutating-admission-policy.ts";
import { validatingAdmissionPolicyFormat } from "./admission-policy/validating-admission-policy.ts";
import { cleanupPolicyFormat } from "./kyverno/cleanup-policy.ts";
import { clusterPolicyFormat } from "./kyverno/cluster-policy.ts";
import { deletingPolicyFormat } from "./kyverno-cel/deleting-policy.ts";
import { generatingPolicyFormat } from "./kyverno-cel/generating-policy.ts";
import { imageValidatingPolicyFormat } from "./kyverno-cel/images/image-validating-policy.ts";
import { mutatingPolicyFormat } from "./kyverno-cel/mutating-policy.ts";
import { validatingPolicyFormat } from "./kyverno-cel/validating-policy.ts";
import type { PolicyFormat } from "./policy.ts";

/** Every kind of policy that can be compiled. */
export const policyFormats: readonly PolicyFormat[] = [
  clusterPolicyFormat,
  cleanupPolicyFormat,
  validatingPolicyFormat,
  mutatingPolicyFormat,
  generatingPolicyFormat,
  deletingPolicyFormat,
  imageValidatingPolicyFormat,
  validatingAdmissionPolicyFormat,
  mutatingAdmissionPolicyFormat,
];

interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** Kinds that are no policies themselves but put others into effect. */
export const bindingKinds: readonly GroupKind[] = [
  { group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicyBinding" },
  { group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicyBinding" },
];

/** Kinds that are no policies themselves but bend others. */
export const exceptionKinds: readonly GroupKind[] = [
  { group: "kyverno.io", kind: "PolicyException" },
  { group: "policies.kyverno.io", kind: "PolicyException" },
];
