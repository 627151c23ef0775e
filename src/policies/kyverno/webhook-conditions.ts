import { isArray, type JsonObject, member } from "../../core/json.ts";
import { webhookEnv } from "../cel/environment.ts";
import { type Matched, matchConditions } from "../cel/evaluate-condition.ts";
import { CelSession, matchConditionLimits, OutOfCost } from "../cel/expression.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { admissionInputs, withAuthorizer } from "../cel/inputs.ts";
import type { CompiledRule, RuleContext } from "../policy.ts";
import { errorResult } from "./outcome.ts";
import type { DocumentReport } from "./report.ts";

/** The rules as they are behind `webhookConfiguration.matchConditions`: where one does not hold, the policy is not asked. */
export function gated(rules: readonly CompiledRule[], spec: JsonObject, report: DocumentReport): readonly CompiledRule[] {
  const specs = member(spec["webhookConfiguration"], "matchConditions");
  if (!isArray(specs) || specs.length === 0) return rules;
  const path = ["spec", "webhookConfiguration", "matchConditions"];
  const conditions = new ExpressionCompiler(report).conditions(specs, webhookEnv(), path);
  const broken = conditions.length < specs.length;
  const matched = (context: RuleContext): Matched => {
    if (broken) return { kind: "error", message: "webhookConfiguration.matchConditions do not compile" };
    const { facts, host } = context;
    try {
      const session = new CelSession({ facts, host }, matchConditionLimits);
      return matchConditions(conditions, session, withAuthorizer(context, admissionInputs(context)));
    } catch (error) {
      if (error instanceof OutOfCost) return { kind: "error", message: error.message };
      throw error;
    }
  };
  return rules.map((rule) => ({
    ...rule,
    evaluate: (context) => {
      const gate = matched(context);
      if (gate.kind === "no") return [];
      if (gate.kind === "yes") return rule.evaluate(context);
      // Only objects that the rule is about are in doubt.
      return rule.evaluate(context).length === 0 ? [] : [errorResult(`the policy was not evaluated: ${gate.message}`)];
    },
  }));
}
