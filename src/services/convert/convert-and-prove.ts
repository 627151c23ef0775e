import { isArray, isObject, member } from "../../core/json.ts";
import { type KubernetesObject, nameOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { PolicySet } from "../../engine/index.ts";
import { type OverlapEnv, overlapUnits } from "../../engine/overlap/unit.ts";
import type { CompiledPolicy, RuleKind } from "../../policies/policy.ts";
import { compilePolicies, type PolicyDocument } from "../policies.ts";
import { boundaryObjects } from "./boundary-objects.ts";
import { type ConversionTarget, convertPolicy, type PolicyConversion } from "./convert-policy.ts";
import { type Difference, type Proof, type ProofObject, prove } from "./prove.ts";

export type ConversionOutcome =
  | {
      readonly kind: "proven";
      readonly policy: string;
      readonly objects: readonly KubernetesObject[];
      /** Judgements that were the same, and how many of them stopped the request. */
      readonly agreed: number;
      readonly stopped: number;
      readonly sources: { readonly [source in ProofObject["source"]]: number };
      readonly assumptions: readonly string[];
    }
  /** What stands in the way; with the objects that show it, where a conversion was tried and is not the same. */
  | {
      readonly kind: "refused";
      readonly policy: string;
      readonly reasons: readonly string[];
      readonly differences: readonly Difference[];
    };

export interface ConversionRequest {
  readonly target: ConversionTarget;
  readonly env: OverlapEnv;
  /** Objects of the policy's own tests, and of the user. */
  readonly objects: readonly ProofObject[];
  /** The converted policies may stop updates of objects that violate them already, as if the policy said so itself. */
  readonly stopExistingViolations?: boolean;
}

/** The policy as if it did not let objects that violate it already be updated. */
function strict(document: PolicyDocument): PolicyDocument {
  const { value } = document;
  const spec = value["spec"];
  const rules = member(spec, "rules");
  if (!isObject(spec) || !isArray(rules)) return document;
  const strictRules = rules.map((rule) => {
    const validate = member(rule, "validate");
    if (!isObject(rule) || !isObject(validate)) return rule;
    return { ...rule, validate: { ...validate, allowExistingViolations: false } };
  });
  return asDocument({ ...value, spec: { ...spec, rules: strictRules } }, document);
}

const asDocument = (value: KubernetesObject, origin: PolicyDocument): SourceDocument<KubernetesObject> => ({
  file: origin.file,
  index: origin.index,
  value,
  locate: () => undefined,
  locateKey: () => undefined,
});

type ProofOutcome =
  | { readonly ok: true; readonly proof: Proof }
  | { readonly ok: false; readonly reason: string; readonly differences: readonly Difference[] };

interface Sides {
  readonly before: PolicySet;
  readonly after: readonly KubernetesObject[];
  readonly objects: readonly ProofObject[];
}

/** Whether two sides are the same as far as can be seen, and something was seen. */
function compare({ before, after, objects }: Sides, document: PolicyDocument, env: OverlapEnv): ProofOutcome {
  const refused = (reason: string, differences: readonly Difference[] = []): ProofOutcome => ({ ok: false, reason, differences });
  const compiled = compilePolicies(
    after.map((object) => asDocument(object, document)),
    env.resources,
  );
  const errors = compiled.diagnostics.filter((d) => d.severity === "error");
  if (errors.length > 0) return refused(`what it would become does not compile: ${errors[0]?.message ?? ""}`);
  const proof = prove(before, compiled.set, objects, env);
  const [first] = proof.differences;
  if (first !== undefined) {
    const what = `${first.operation} of ${first.object.kind} ${nameOf(first.object)} was ${first.before} and would be ${first.after}`;
    return refused(`the conversion is not the same: ${what}`, proof.differences);
  }
  if (proof.stopped === 0 || proof.stopped === proof.agreed) {
    return refused(
      `nothing could be proven: no object was found that it ${proof.stopped === 0 ? "stops or changes" : "leaves alone"}`,
    );
  }
  return { ok: true, proof };
}

const isConverted = (kind: RuleKind): boolean => kind === "validate" || kind === "mutate";

/** Every rule by itself, then the policy as a whole. */
function proveAll(
  conversion: PolicyConversion & { kind: "converted" },
  policy: CompiledPolicy,
  document: PolicyDocument,
  { env, objects }: ConversionRequest,
): readonly ProofOutcome[] {
  const units = overlapUnits(policy);
  const boundaryOf = (rule: string) => units.filter((unit) => unit.rule === rule).flatMap((unit) => boundaryObjects(unit, env));
  const ofRules = conversion.rules.map(({ rule, names, objects: after }): ProofOutcome => {
    const rules = policy.rules.filter((r) => isConverted(r.kind) && names.includes(r.name));
    const before = new PolicySet([{ ...policy, rules }]);
    const outcome = compare({ before, after, objects: [...boundaryOf(rule), ...objects] }, document, env);
    return outcome.ok ? outcome : { ...outcome, reason: `rule ${rule}: ${outcome.reason}` };
  });
  if (ofRules.some((outcome) => !outcome.ok)) return ofRules;
  const boundary = conversion.rules.flatMap(({ rule }) => boundaryOf(rule));
  const before = new PolicySet([{ ...policy, rules: policy.rules.filter((r) => isConverted(r.kind)) }]);
  return [compare({ before, after: conversion.objects, objects: [...boundary, ...objects] }, document, env)];
}

/** Converts a policy and replays both on its tests, on objects at its boundaries and on the user's. */
export function convertAndProve(given: PolicyDocument, request: ConversionRequest): ConversionOutcome {
  const { env, target } = request;
  const document = request.stopExistingViolations === true ? strict(given) : given;
  const policy = nameOf(document.value);
  const refused = (reasons: readonly string[], differences: readonly Difference[] = []): ConversionOutcome => ({
    kind: "refused",
    policy,
    reasons,
    differences,
  });
  const conversion = convertPolicy(document.value, target, env.schemas);
  if (conversion.kind === "refused") return refused(conversion.reasons);
  const original = compilePolicies([document], env.resources);
  const errors = original.diagnostics.filter((d) => d.severity === "error");
  const [compiled] = original.set.policies;
  if (errors.length > 0 || compiled === undefined) return refused([`the policy itself has errors: ${errors[0]?.message ?? ""}`]);
  const outcomes = proveAll(conversion, compiled, document, request);
  const failures = outcomes.filter((outcome) => !outcome.ok);
  const [proven] = outcomes.filter((outcome) => outcome.ok);
  if (failures.length > 0 || proven === undefined) {
    return refused(
      failures.map((f) => f.reason),
      failures.flatMap((f) => f.differences),
    );
  }
  const { agreed, stopped, sources } = proven.proof;
  const assumptions = [...new Set(conversion.rules.flatMap((rule) => rule.assumptions))];
  return { kind: "proven", policy, objects: conversion.objects, agreed, stopped, sources, assumptions };
}
