import type { PolicyFormats } from "../formats.ts";
import { cleanupPolicyFormat } from "./cleanup-policy.ts";
import { clusterPolicyFormat } from "./cluster-policy.ts";
import { compileException, isPolicyException } from "./exceptions.ts";

export const kyvernoFormats: PolicyFormats = {
  formats: [clusterPolicyFormat, cleanupPolicyFormat],
  companionDiagnostics: ({ exceptions = [] }) =>
    exceptions.filter(({ value }) => isPolicyException(value)).flatMap((document) => compileException(document).diagnostics),
};
