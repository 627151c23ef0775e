import { type Loaded, loaded } from "../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { annotationsOf, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { CompiledPolicy, CompiledRule, CompileEnv, PolicyFormat, PolicyId } from "../policy.ts";
import { policyLabels } from "../policy-labels.ts";
import { autogenAnnotation, computeRules } from "./autogen.ts";
import { compilePolicyEnforcement } from "./enforcement.ts";
import { policySpecShape, ruleShape } from "./policy-shape.ts";
import { DocumentReport, reportShape } from "./report.ts";
import { compileRule, type PolicyContext, rulePath } from "./rule.ts";
import type { PolicySource } from "./rule-types.ts";
import { gated } from "./webhook-conditions.ts";
import { webhookTimeout } from "./webhook-timeout.ts";

function rulesOf(spec: JsonObject, report: DocumentReport): readonly JsonObject[] {
  const rules = spec["rules"];
  if (!isArray(rules)) {
    report.error("KYV_BAD_RULE", ["spec", "rules"], "a policy needs a list of rules");
    return [];
  }
  return rules.map((rule, i) => {
    if (isObject(rule)) return rule;
    report.error("KYV_WRONG_TYPE", rulePath(i), "must be an object");
    return {};
  });
}

function reportDuplicates(rules: readonly JsonObject[], report: DocumentReport): void {
  const names = new Set<string>();
  for (const [i, rule] of rules.entries()) {
    const name = asString(rule["name"]) ?? "";
    if (names.has(name)) report.error("KYV_BAD_RULE", [...rulePath(i), "name"], `duplicate rule name: ${JSON.stringify(name)}`);
    names.add(name);
  }
}

/** Why no rule of the policy can be evaluated: unknown fields beside the rules. */
function policyProblem(spec: JsonObject, report: DocumentReport): string | undefined {
  if (!reportShape(spec, policySpecShape, ["spec"], report)) {
    const [first] = report.diagnostics;
    return `the policy was not evaluated: ${first?.message ?? "its fields are wrong"}`;
  }
  return undefined;
}

const isFalse = (value: JsonValue | undefined): boolean => value === false;

function failsOpen(spec: JsonObject): boolean {
  return (member(spec["webhookConfiguration"], "failurePolicy") ?? spec["failurePolicy"]) === "Ignore";
}

const timeoutOf = (spec: JsonObject): number | undefined =>
  webhookTimeout(member(spec["webhookConfiguration"], "timeoutSeconds") ?? spec["webhookTimeoutSeconds"]);

/** Compiles ClusterPolicy and Policy of kyverno.io/v1 and v2beta1. Rules with problems answer with error results. */
function compile(document: SourceDocument<KubernetesObject>, env: CompileEnv): Loaded<CompiledPolicy> {
  const object = document.value;
  const report = new DocumentReport(document);
  const raw = object["spec"];
  const spec = isObject(raw) ? raw : {};
  const namespaced = object.kind === "Policy";
  const namespace = namespaced ? namespaceOf(object) || "default" : "";
  const id: PolicyId = { group: "kyverno.io", kind: object.kind, namespace, name: nameOf(object) };
  const problem = policyProblem(spec, report);
  const rules = rulesOf(spec, report);
  reportDuplicates(rules, report);
  const annotations = annotationsOf(object);
  const context: PolicyContext = {
    id,
    env,
    report,
    enforcement: compilePolicyEnforcement(spec, report),
    scored: annotations["policies.kyverno.io/scored"] !== "false",
    problem,
  };
  const policy: PolicySource = { name: id.name, namespace, spec, document };
  const shapeErrors = rules.map((rule, i) => {
    const before = report.errors.length;
    reportShape(rule, ruleShape, rulePath(i), report);
    return report.errors.slice(before);
  });
  const compiled = computeRules(rules, annotations[autogenAnnotation]).flatMap(({ rule, index }): readonly CompiledRule[] => {
    const source = { name: asString(rule["name"]) ?? "", spec: rule, path: rulePath(index), policy };
    return compileRule(source, context, shapeErrors[index] ?? []);
  });
  const rulesBehindGate = gated(compiled, spec, report);
  return loaded(
    {
      id,
      origin: document,
      ...policyLabels(object),
      onError: failsOpen(spec) ? "allow" : "deny",
      webhookTimeoutSeconds: timeoutOf(spec),
      emitWarning: spec["emitWarning"] === true,
      background: !isFalse(spec["background"]),
      admission: !isFalse(spec["admission"]),
      firstRuleOnly: spec["applyRules"] === "One",
      needs: [],
      rules: rulesBehindGate,
    },
    report.diagnostics,
  );
}

/** Kyverno's rule-based policies. */
export const clusterPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "kyverno.io", kind: "ClusterPolicy" },
    { group: "kyverno.io", kind: "Policy" },
  ],
  compile,
};
