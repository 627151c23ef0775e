import { asString, isArray, type JsonObject, type JsonPath, member } from "../../core/json.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import { boolType, stringType } from "../../languages/cel/types.ts";
import type { CelSession, CompiledExpression } from "../cel/expression.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { errorResult, failedWith, passed, reasonOf } from "../kyverno/outcome.ts";
import type { CompiledRule, CompileEnv, PolicyFormat, RuleResult } from "../policy.ts";
import { annotate, compileAnnotations } from "./audit-annotations.ts";
import { autogenSpecs } from "./autogen.ts";
import { kyvernoEnv } from "./environment.ts";
import { celExceptions } from "./exceptions.ts";
import { compileGate, evaluateNow } from "./gate.ts";
import { celPolicy, enforcementOf, gatedRule, type PolicyDocument, problemOf, readPolicy } from "./policy-document.ts";
import { validatingPolicyShape } from "./spec-shapes.ts";

interface Validation {
  readonly expression: CompiledExpression;
  readonly message: string;
  readonly messageExpression: CompiledExpression | undefined;
}

function messageOf(
  { message, messageExpression }: Validation,
  index: number,
  session: CelSession,
  variables: Activation,
): string {
  let text = message;
  if (messageExpression !== undefined) {
    try {
      const value = evaluateNow(messageExpression, session, variables);
      text = typeof value === "string" ? value : "failed to convert message expression to string";
    } catch (error) {
      text = `failed to evaluate message expression: ${reasonOf(error)}`;
    }
  }
  return text === "" ? `CEL expression validation failed at index ${index}` : text;
}

function judge(
  validations: readonly Validation[],
  annotations: ReturnType<typeof compileAnnotations>,
  session: CelSession,
  variables: Activation,
): RuleResult {
  const described = (result: RuleResult): RuleResult => {
    if (annotations.length === 0) return result;
    return { ...result, evidence: { auditAnnotations: annotate(annotations, session, variables) } };
  };
  try {
    for (const [index, validation] of validations.entries()) {
      if (evaluateNow(validation.expression, session, variables) !== true) {
        return described(failedWith(messageOf(validation, index, session, variables)));
      }
    }
    return described(passed("success"));
  } catch (error) {
    return errorResult(`error: ${reasonOf(error)}`);
  }
}

const listOf = (value: JsonObject[string]) => (isArray(value) ? value : []);
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
  const validations = listOf(spec["validations"]).flatMap((validation, i): Validation[] => {
    const at = [...path, "validations", i];
    const expression = compiler.compile(member(validation, "expression"), cel, [boolType], [...at, "expression"]);
    const source = textOf(member(validation, "messageExpression"));
    const place = [...at, "messageExpression"];
    const messageExpression = source === "" ? undefined : compiler.compile(source, cel, [stringType], place);
    return expression === undefined ? [] : [{ expression, message: textOf(member(validation, "message")), messageExpression }];
  });
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

/** Kyverno's ValidatingPolicy and NamespacedValidatingPolicy. */
export const validatingPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "policies.kyverno.io", kind: "ValidatingPolicy" },
    { group: "policies.kyverno.io", kind: "NamespacedValidatingPolicy" },
  ],
  compile(document, env) {
    const policy = readPolicy(document, validatingPolicyShape);
    const { spec, report } = policy;
    const isJson = member(spec["evaluation"], "mode") === "JSON";
    const { specs, unknown } = isJson ? { specs: [], unknown: [] } : autogenSpecs(spec);
    for (const name of unknown) {
      const path = ["spec", "autogen", "podControllers", "controllers"];
      report.error("KYV_NOT_SUPPORTED", path, `rules for the controller ${name} are not supported`);
    }
    const own = compileSpec("validations", spec, policy, env);
    const generated = specs.map((one) => compileSpec(`autogen-${one.template}`, one.spec, policy, env));
    return celPolicy(policy, [own, ...generated]);
  },
};
