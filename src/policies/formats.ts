import type { Diagnostic } from "../core/diagnostic.ts";
import { mutatingAdmissionPolicyFormat } from "./admission-policy/mutating-admission-policy.ts";
import { validatingAdmissionPolicyFormat } from "./admission-policy/validating-admission-policy.ts";
import { gatekeeperDiagnostics } from "./gatekeeper/companions.ts";
import { constraintFormat } from "./gatekeeper/constraint-format.ts";
import { mutatorFormat } from "./gatekeeper/mutation/mutator-format.ts";
import { guardrailFormat, scheduleDiagnostics } from "./guardrail/guardrail-format.ts";
import { cleanupPolicyFormat } from "./kyverno/cleanup-policy.ts";
import { clusterPolicyFormat } from "./kyverno/cluster-policy.ts";
import { deletingPolicyFormat } from "./kyverno-cel/deleting-policy.ts";
import { generatingPolicyFormat } from "./kyverno-cel/generating-policy.ts";
import { imageValidatingPolicyFormat } from "./kyverno-cel/images/image-validating-policy.ts";
import { mutatingPolicyFormat } from "./kyverno-cel/mutating-policy.ts";
import { validatingPolicyFormat } from "./kyverno-cel/validating-policy.ts";
import type { CompileEnv, PolicyFormat } from "./policy.ts";
import { regoPolicyFormat } from "./rego/rego-policy.ts";

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
  constraintFormat,
  mutatorFormat,
  regoPolicyFormat,
  guardrailFormat,
];

interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** Kinds that are no policies themselves but put others into effect. */
export const bindingKinds: readonly GroupKind[] = [
  { group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicyBinding" },
  { group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicyBinding" },
  { group: "templates.gatekeeper.sh", kind: "ConstraintTemplate" },
  { group: "config.gatekeeper.sh", kind: "Config" },
  { group: "syncset.gatekeeper.sh", kind: "SyncSet" },
  { group: "expansion.gatekeeper.sh", kind: "ExpansionTemplate" },
  { group: "externaldata.gatekeeper.sh", kind: "Provider" },
  { group: "castellan.dev", kind: "Schedule" },
];

/** Kinds that are no policies themselves but bend others. */
export const exceptionKinds: readonly GroupKind[] = [
  { group: "kyverno.io", kind: "PolicyException" },
  { group: "policies.kyverno.io", kind: "PolicyException" },
];

/** What is wrong with companions of policies, whoever needs them. */
export function companionDiagnostics(env: CompileEnv): readonly Diagnostic[] {
  return [...gatekeeperDiagnostics(env), ...scheduleDiagnostics(env)];
}
