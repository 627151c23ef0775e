import type { PolicyFormats } from "../formats.ts";
import { mutatingAdmissionPolicyFormat } from "./mutating-admission-policy.ts";
import { validatingAdmissionPolicyFormat } from "./validating-admission-policy.ts";

export const admissionPolicyFormats: PolicyFormats = {
  formats: [validatingAdmissionPolicyFormat, mutatingAdmissionPolicyFormat],
  companionDiagnostics: () => [],
};
