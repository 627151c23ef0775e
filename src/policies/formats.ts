import type { Diagnostic } from "../core/diagnostic.ts";
import type { JsonValue } from "../core/json.ts";
import { groupOf, isKubernetesObject } from "../core/kubernetes.ts";
import { mutatingAdmissionPolicyFormat } from "./admission-policy/mutating-admission-policy.ts";
import { validatingAdmissionPolicyFormat } from "./admission-policy/validating-admission-policy.ts";
import { cleanupPolicyFormat } from "./kyverno/cleanup-policy.ts";
import { clusterPolicyFormat } from "./kyverno/cluster-policy.ts";
import { deletingPolicyFormat } from "./kyverno-cel/deleting-policy.ts";
import { generatingPolicyFormat } from "./kyverno-cel/generating-policy.ts";
import { imageValidatingPolicyFormat } from "./kyverno-cel/images/image-validating-policy.ts";
import { mutatingPolicyFormat } from "./kyverno-cel/mutating-policy.ts";
import { validatingPolicyFormat } from "./kyverno-cel/validating-policy.ts";
import type { CompileEnv, PolicyFormat } from "./policy.ts";

/** Compilers of kinds of policies. */
export interface PolicyFormats {
  readonly formats: readonly PolicyFormat[];
  /** What is wrong with companions of policies, whoever needs them. */
  companionDiagnostics(env: CompileEnv): readonly Diagnostic[];
}

const formats: readonly PolicyFormat[] = [
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

/** Those of Kyverno and of Kubernetes itself. */
export const commonFormats: PolicyFormats = { formats, companionDiagnostics: () => [] };

/** Gatekeeper's kinds and our own bring a language, curves and a library of schemas with them: two thirds of the start. */
const isOfOthers = (group: string): boolean => group.endsWith(".gatekeeper.sh") || group === "castellan.dev";

/** All formats that these documents may be of; those that take long to load only where there is such a document. */
export async function formatsFor(documents: Iterable<{ readonly value: JsonValue }>): Promise<PolicyFormats> {
  for (const { value } of documents) {
    if (isKubernetesObject(value) && isOfOthers(groupOf(value))) return (await import("./all-formats.ts")).allFormats;
  }
  return commonFormats;
}

export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** Of Gatekeeper's ConstraintTemplates. */
export const templateGroup = "templates.gatekeeper.sh";

/** Kinds that are no policies themselves but put others into effect. */
export const bindingKinds: readonly GroupKind[] = [
  { group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicyBinding" },
  { group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicyBinding" },
  { group: templateGroup, kind: "ConstraintTemplate" },
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
