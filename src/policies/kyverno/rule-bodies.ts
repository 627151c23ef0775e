import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import type { CompileEnv, RuleKind } from "../policy.ts";
import { compileAssertRule } from "./assert-rule.ts";
import { compileCelRule } from "./cel-rule.ts";
import { compileGenerateRule } from "./generate/generate-rule.ts";
import { compileManifestsRule } from "./manifests/manifests-rule.ts";
import { compileMutateRule } from "./mutate/mutate-rule.ts";
import { errorResult } from "./outcome.ts";
import { compilePodSecurityRule } from "./pod-security-rule.ts";
import type { DocumentReport } from "./report.ts";
import type { RuleBody, RuleCompiler, RuleSource } from "./rule-types.ts";
import { compileValidate, isPresent } from "./validate.ts";
import { compileVerifyImagesRule } from "./verify-images/verify-rule.ts";

/** What a rule can do; each is the name of its field. */
const operations = ["validate", "mutate", "generate", "verifyImages"] as const;
type RuleOperation = (typeof operations)[number];

const kinds: { readonly [operation in RuleOperation]: RuleKind } = {
  validate: "validate",
  mutate: "mutate",
  generate: "generate",
  verifyImages: "verify",
};

/** Compilers of the parts that have their own folder. */
const compilers: { readonly [operation in Exclude<RuleOperation, "validate">]: RuleCompiler } = {
  mutate: compileMutateRule,
  generate: compileGenerateRule,
  verifyImages: compileVerifyImagesRule,
};

const isFilled = (value: JsonValue | undefined): boolean =>
  isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;

const operationsOf = (rule: JsonObject): readonly RuleOperation[] => operations.filter((o) => isFilled(rule[o]));

/** The kind of a rule by what it holds; one that holds nothing counts as a check. */
export function kindOfRule(rule: JsonObject): RuleKind {
  const [operation] = operationsOf(rule);
  return operation === undefined ? "validate" : kinds[operation];
}

/** Parts of Kyverno's language that are understood but not evaluated, and why. */
function unsupported(rule: JsonObject): { readonly field: string; readonly why: string } | undefined {
  const validate = rule["validate"];
  if (isFilled(rule["celPreconditions"]) && !isFilled(member(validate, "cel"))) {
    return { field: "celPreconditions", why: "apply only to rules with validate.cel" };
  }
  return undefined;
}

function compileValidateBody(rule: RuleSource, env: CompileEnv, report: DocumentReport): readonly RuleBody[] {
  const validate = rule.spec["validate"];
  if (isFilled(member(validate, "podSecurity")))
    return compileWith(compilePodSecurityRule, rule, env, report, "validate.podSecurity");
  if (isFilled(member(validate, "cel"))) return compileCelRule(rule, report);
  if (isFilled(member(member(validate, "manifests"), "attestors"))) {
    return compileWith(compileManifestsRule, rule, env, report, "validate.manifests");
  }
  if (isPresent(member(validate, "assert"))) return compileAssertRule(rule, report);
  const errorsBefore = report.errorCount;
  const check = compileValidate(rule, report);
  if (check === undefined) {
    if (report.errorCount === errorsBefore) {
      report.error(
        "KYV_BAD_RULE",
        [...rule.path, "validate"],
        "needs one of deny, pattern, anyPattern, foreach, podSecurity, assert, cel",
      );
    }
    return [];
  }
  return [
    {
      kind: "validate",
      evaluate: (scope) => {
        const result = check({ scope, element: undefined });
        return result === undefined ? [] : [result];
      },
    },
  ];
}

function compileWith(
  compiler: RuleCompiler | undefined,
  rule: RuleSource,
  env: CompileEnv,
  report: DocumentReport,
  field: string,
): readonly RuleBody[] {
  if (compiler === undefined) {
    report.error("KYV_NOT_SUPPORTED", [...rule.path, ...field.split(".")], "is not supported yet");
    return [];
  }
  const compiled = compiler(rule, env);
  report.adopt(compiled.diagnostics, rule.path);
  return compiled.ok ? compiled.value : [];
}

/** Compiles what a rule does. Problems go to the report; a part that is not supported is an error result that names it. */
export function compileRuleBodies(rule: RuleSource, env: CompileEnv, report: DocumentReport): readonly RuleBody[] {
  const [operation, second] = operationsOf(rule.spec);
  if (operation === undefined) {
    report.error("KYV_BAD_RULE", rule.path, `the rule does nothing: it needs one of ${operations.join(", ")}`);
    return [];
  }
  if (second !== undefined) {
    report.error("KYV_BAD_RULE", rule.path, `a rule can do one thing only, and this one has ${operation} and ${second}`);
    return [];
  }
  const missing = unsupported(rule.spec);
  if (missing !== undefined) {
    report.warning("KYV_NOT_SUPPORTED", [...rule.path, ...missing.field.split(".")], missing.why);
    return [{ kind: kinds[operation], evaluate: () => [errorResult(`${missing.field}: ${missing.why}`)] }];
  }
  if (operation === "validate") return compileValidateBody(rule, env, report);
  return compileWith(compilers[operation], rule, env, report, operation);
}
