import { isArray, type JsonPath, member } from "../../core/json.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import { boolType } from "../../languages/cel/types.ts";
import type { CelSession } from "../cel/expression.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { lazily } from "../cel/inputs.ts";
import { errorResult, passed, reasonOf } from "../kyverno/outcome.ts";
import type { PolicyFormat } from "../policy.ts";
import { annotate, compileAnnotations } from "./audit-annotations.ts";
import { kyvernoEnv } from "./environment.ts";
import { celExceptions } from "./exceptions.ts";
import { compileGate, evaluateNow } from "./gate.ts";
import { Generator, generatorLibrary } from "./generator.ts";
import { celPolicy, downstreamTerms, gatedRule, problemOf, readPolicy, requireMatchConstraints } from "./policy-document.ts";
import { generatingPolicyShape } from "./spec-shapes.ts";
import { compileTemplate } from "./template.ts";

/** One entry of `generate`. @throws Error with the reason, NeedsFacts */
type Maker = (session: CelSession, variables: Activation, generator: Generator) => void;

/** Kyverno's GeneratingPolicy and NamespacedGeneratingPolicy. */
export const generatingPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "policies.kyverno.io", kind: "GeneratingPolicy" },
    { group: "policies.kyverno.io", kind: "NamespacedGeneratingPolicy" },
  ],
  compile(document, env) {
    const policy = readPolicy(document, generatingPolicyShape);
    requireMatchConstraints(policy);
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
    const makers = generations.flatMap((generation, i): Maker[] => {
      const at = [...path, "generate", i];
      const template = member(generation, "template");
      const source = member(generation, "expression");
      if (template !== undefined) {
        if (source !== undefined && source !== "") {
          report.error("KYV_BAD_RULE", at, "only one of expression or template may be set");
        }
        const render = compileTemplate(template, cel, [...at, "template"], compiler, report);
        return [(session, variables, generator) => generator.applyTemplate(render(session, variables))];
      }
      const expression = compiler.compile(source, cel, [boolType], [...at, "expression"]);
      return expression === undefined ? [] : [(session, variables) => void evaluateNow(expression, session, variables)];
    });
    const annotations = compileAnnotations(spec["auditAnnotations"], cel, [...path, "auditAnnotations"], compiler);
    const rule = gatedRule({
      name: "generate",
      kind: "generate",
      gate,
      enforcement: "audit",
      problem: problemOf(report),
      downstream: downstreamTerms(policy, "generateExisting"),
      evaluate: ({ session, variables }, { resources }) => {
        const generator = new Generator(resources, id.namespace);
        const seen = lazily({ generator: () => generator }, variables);
        try {
          for (const make of makers) make(session, seen, generator);
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
