import { commonFormats, type PolicyFormats } from "./formats.ts";
import { gatekeeperDiagnostics } from "./gatekeeper/companions.ts";
import { constraintFormat } from "./gatekeeper/constraint-format.ts";
import { mutatorFormat } from "./gatekeeper/mutation/mutator-format.ts";
import { guardrailFormat, scheduleDiagnostics } from "./guardrail/guardrail-format.ts";
import { regoPolicyFormat } from "./rego/rego-policy.ts";

/** Every kind of policy that can be compiled. */
export const allFormats: PolicyFormats = {
  formats: [...commonFormats.formats, constraintFormat, mutatorFormat, regoPolicyFormat, guardrailFormat],
  companionDiagnostics: (env) => [...gatekeeperDiagnostics(env), ...scheduleDiagnostics(env)],
};
