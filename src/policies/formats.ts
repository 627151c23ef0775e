import type { Diagnostic } from "../core/diagnostic.ts";
import type { JsonValue } from "../core/json.ts";
import { groupOf, isKubernetesObject } from "../core/kubernetes.ts";
import type { CompileEnv, PolicyFormat } from "./policy.ts";

/** Compilers of kinds of policies. */
export interface PolicyFormats {
  readonly formats: readonly PolicyFormat[];
  /** What is wrong with companions of policies, whoever needs them. */
  companionDiagnostics(env: CompileEnv): readonly Diagnostic[];
}

interface FormatsOfGroup {
  isOf(group: string, kind: string): boolean;
  load(): Promise<PolicyFormats>;
}

/** A kind brings a language, curves, calendars or a library of schemas with it: only those that are met are loaded. */
const formatsOfGroups: readonly FormatsOfGroup[] = [
  {
    isOf: (group) => group === "kyverno.io",
    load: async () => (await import("./kyverno/kyverno-formats.ts")).kyvernoFormats,
  },
  {
    isOf: (group) => group === "policies.kyverno.io",
    load: async () => (await import("./kyverno-cel/kyverno-cel-formats.ts")).kyvernoCelFormats,
  },
  {
    isOf: (group) => group === "admissionregistration.k8s.io",
    load: async () => (await import("./admission-policy/admission-policy-formats.ts")).admissionPolicyFormats,
  },
  {
    isOf: (group) => group.endsWith(".gatekeeper.sh"),
    load: async () => (await import("./gatekeeper/gatekeeper-formats.ts")).gatekeeperFormats,
  },
  {
    isOf: (group, kind) => group === "castellan.dev" && kind === "RegoPolicy",
    load: async () => (await import("./rego/rego-policy.ts")).regoFormats,
  },
  {
    isOf: (group, kind) => group === "castellan.dev" && kind !== "RegoPolicy",
    load: async () => (await import("./guardrail/guardrail-format.ts")).guardrailFormats,
  },
];

export function joinFormats(parts: readonly PolicyFormats[]): PolicyFormats {
  return {
    formats: parts.flatMap((part) => part.formats),
    companionDiagnostics: (env) => parts.flatMap((part) => part.companionDiagnostics(env)),
  };
}

/** All formats that these documents may be of. */
export async function formatsFor(documents: Iterable<{ readonly value: JsonValue }>): Promise<PolicyFormats> {
  const met = new Set<FormatsOfGroup>();
  for (const { value } of documents) {
    if (!isKubernetesObject(value)) continue;
    const group = groupOf(value);
    const formats = formatsOfGroups.find((one) => one.isOf(group, value.kind));
    if (formats !== undefined) met.add(formats);
  }
  return joinFormats(await Promise.all(formatsOfGroups.filter((group) => met.has(group)).map((group) => group.load())));
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
