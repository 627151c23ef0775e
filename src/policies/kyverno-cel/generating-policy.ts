import { isArray, type JsonPath, member } from "../../core/json.ts";
import { boolType } from "../../languages/cel/types.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { lazily } from "../cel/inputs.ts";
import { errorResult, passed, reasonOf } from "../kyverno/outcome.ts";
import type { PolicyFormat } from "../policy.ts";
import { annotate, compileAnnotations } from "./audit-annotations.ts";
import { kyvernoEnv } from "./environment.ts";
import { celExceptions } from "./exceptions.ts";
import { compileGate, evaluateNow } from "./gate.ts";
import { Generator, generatorLibrary } from "./generator.ts";
import { celPolicy, gatedRule, problemOf, readPolicy } from "./policy-document.ts";
import { generatingPolicyShape } from "./spec-shapes.ts";

/** Kyverno's GeneratingPolicy and NamespacedGeneratingPolicy. */
export const generatingPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "policies.kyverno.io", kind: "GeneratingPolicy" },
    { group: "policies.kyverno.io", kind: "NamespacedGeneratingPolicy" },
  ],
  compile(document, env) {
    const policy = readPolicy(document, generatingPolicyShape);
    const { id, spec, report } = policy;
    const path: JsonPath = ["spec"];
    const base = kyvernoEnv(id.namespace, env.resources, [generatorLibrary(id.namespace)]);
    const exceptions = celExceptions(env, id, base, report);
    const gate = compileGate(
      { spec, path, namespace: id.namespace, env: base, exceptions, conditions: "matchConditions" },
      env,
      report,
    );
    const compiler = new ExpressionCompiler(report);
    const cel = gate.variables.env;
    const generations = isArray(spec["generate"]) ? spec["generate"] : [];
    if (generations.length === 0) report.error("KYV_BAD_RULE", ["spec", "generate"], "a generating policy needs expressions");
    const expressions = generations.flatMap((generation, i) => {
      const at = [...path, "generate", i];
      if (member(generation, "template") !== undefined) {
        report.error("KYV_NOT_SUPPORTED", [...at, "template"], "templates are not supported");
        return [];
      }
      return compiler.compile(member(generation, "expression"), cel, [boolType], [...at, "expression"]) ?? [];
    });
    const annotations = compileAnnotations(spec["auditAnnotations"], cel, [...path, "auditAnnotations"], compiler);
    const rule = gatedRule({
      name: "generate",
      kind: "generate",
      gate,
      enforcement: "audit",
      problem: problemOf(report),
      evaluate: ({ session, variables }, { resources }) => {
        const generator = new Generator(resources, id.namespace);
        const seen = lazily({ generator: () => generator }, variables);
        try {
          for (const expression of expressions) evaluateNow(expression, session, seen);
          const evidence =
            annotations.length === 0 ? {} : { evidence: { auditAnnotations: annotate(annotations, session, seen) } };
          return [{ ...passed("policy evaluated successfully"), ...evidence, generated: generator.objects }];
        } catch (error) {
          return [errorResult(`failed to evaluate policy: ${reasonOf(error)}`)];
        }
      },
    });
    return celPolicy(policy, [rule]);
  },
};
