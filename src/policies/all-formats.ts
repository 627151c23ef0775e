import { admissionPolicyFormats } from "./admission-policy/admission-policy-formats.ts";
import { joinFormats } from "./formats.ts";
import { gatekeeperFormats } from "./gatekeeper/gatekeeper-formats.ts";
import { guardrailFormats } from "./guardrail/guardrail-format.ts";
import { kyvernoFormats } from "./kyverno/kyverno-formats.ts";
import { kyvernoCelFormats } from "./kyverno-cel/kyverno-cel-formats.ts";
import { regoFormats } from "./rego/rego-policy.ts";

/** Every kind of policy that can be compiled. */
export const allFormats = joinFormats([
  kyvernoFormats,
  kyvernoCelFormats,
  admissionPolicyFormats,
  gatekeeperFormats,
  regoFormats,
  guardrailFormats,
]);
