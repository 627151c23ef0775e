import type { PolicyFormats } from "../formats.ts";
import { deletingPolicyFormat } from "./deleting-policy.ts";
import { generatingPolicyFormat } from "./generating-policy.ts";
import { imageValidatingPolicyFormat } from "./images/image-validating-policy.ts";
import { mutatingPolicyFormat } from "./mutating-policy.ts";
import { validatingPolicyFormat } from "./validating-policy.ts";

export const kyvernoCelFormats: PolicyFormats = {
  formats: [
    validatingPolicyFormat,
    mutatingPolicyFormat,
    generatingPolicyFormat,
    deletingPolicyFormat,
    imageValidatingPolicyFormat,
  ],
  companionDiagnostics: () => [],
};
