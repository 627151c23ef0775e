import { asString, type JsonObject, type JsonPath, member } from "../../core/json.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { compileMatchResources } from "../cel/match-resources.ts";
import { DocumentReport } from "../kyverno/report.ts";
import type { CompiledRule, CompileEnv, PolicyFormat } from "../policy.ts";
import { compileAnnotations } from "./audit-annotations.ts";
import { authorizationMode, authorizationRule } from "./authorization-policy.ts";
import { autogenSpecs } from "./autogen.ts";
import { kyvernoEnv } from "./environment.ts";
import { celExceptions } from "./exceptions.ts";
import { compileGate } from "./gate.ts";
import {
  celPolicy,
  enforcementOf,
  gatedRule,
  type PolicyDocument,
  problemOf,
  readPolicy,
  requireMatchConstraints,
} from "./policy-document.ts";
import { validatingPolicyShape } from "./spec-shapes.ts";
import { compileValidations, judge } from "./validations.ts";

const textOf = (value: JsonObject[string]) => asString(value) ?? "";

/** One spec of a policy: its own, or one that was generated for the kinds that make pods. */
function compileSpec(name: string, spec: JsonObject, policy: PolicyDocument, env: CompileEnv): CompiledRule {
  const { id, report } = policy;
  const path: JsonPath = ["spec"];
  const base = kyvernoEnv(id.namespace, env.resources);
  const mode = textOf(member(spec["evaluation"], "mode"));
  if (!["", "Kubernetes", "JSON"].includes(mode)) {
    report.error("KYV_NOT_SUPPORTED", [...path, "evaluation", "mode"], `policies of mode ${mode} are not supported`);
  }
  const exceptions = celExceptions(env, id, base, report);
  const gate = compileGate(
    { spec, path, namespace: id.namespace, env: base, exceptions, conditions: "matchConditions", anyObject: mode === "JSON" },
    env,
    report,
  );
  const compiler = new ExpressionCompiler(report);
  const cel = gate.variables.env;
  const validations = compileValidations(spec["validations"], cel, [...path, "validations"], compiler);
  const annotations = compileAnnotations(spec["auditAnnotations"], cel, [...path, "auditAnnotations"], compiler);
  return gatedRule({
    name,
    kind: "validate",
    gate,
    enforcement: enforcementOf(spec["validationActions"], "enforce"),
    problem: problemOf(report),
    evaluate: ({ session, variables }) => [judge(validations, annotations, session, variables)],
  });
}

/** A rule that was generated: compiled when the first object comes that it is about. What is wrong with it is then its result. */
function generatedRule(name: string, spec: JsonObject, policy: PolicyDocument, env: CompileEnv): CompiledRule {
  const report = new DocumentReport(policy.document);
  const { selectors, operations } = compileMatchResources(spec["matchConstraints"], ["spec", "matchConstraints"], report, {
    equivalent: false,
    resources: env.resources,
  });
  const enforcement = enforcementOf(spec["validationActions"], "enforce");
  let compiled: CompiledRule | undefined;
  return {
    name,
    kind: "validate",
    selectors,
    operations,
    enforcement: () => enforcement,
    evaluate(context) {
      compiled ??= compileSpec(name, spec, { ...policy, report }, env);
      return compiled.evaluate(context);
    },
  };
}

/** Kyverno's ValidatingPolicy and NamespacedValidatingPolicy. */
export const validatingPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "policies.kyverno.io", kind: "ValidatingPolicy" },
    { group: "policies.kyverno.io", kind: "NamespacedValidatingPolicy" },
  ],
  compile(document, env) {
    const policy = readPolicy(document, validatingPolicyShape);
    const { spec, report } = policy;
    const mode = authorizationMode(spec);
    if (mode !== undefined) return celPolicy(policy, [authorizationRule(policy, mode, env)]);
    const isJson = member(spec["evaluation"], "mode") === "JSON";
    if (!isJson) requireMatchConstraints(policy);
    const { specs, unknown } = isJson ? { specs: [], unknown: [] } : autogenSpecs(spec);
    for (const name of unknown) {
      const path = ["spec", "autogen", "podControllers", "controllers"];
      report.error("KYV_NOT_SUPPORTED", path, `rules for the controller ${name} are not supported`);
    }
    const own = compileSpec("validations", spec, policy, env);
    const compile = report.errorCount === 0 ? generatedRule : compileSpec;
    const generated = specs.map((one) => compile(`autogen-${one.template}`, one.spec, policy, env));
    return celPolicy(policy, [own, ...generated]);
  },
};
