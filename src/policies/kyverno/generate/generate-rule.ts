import { failed, loaded } from "../../../core/diagnostic.ts";
import { asString, isArray, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { formatRef, type KubernetesObject, resourceRef } from "../../../core/kubernetes.ts";
import { compileJmesPath, type JmesPathProgram, NotFound } from "../../../languages/jmespath/index.ts";
import { type ConditionsProgram, compileConditions } from "../conditions.ts";
import { compileContext } from "../context.ts";
import { errorResult, passed, reasonOf } from "../outcome.ts";
import { DocumentReport } from "../report.ts";
import type { RuleBody, RuleCompiler, RuleScope, RuleSource, ScopeExtension } from "../rule-types.ts";
import { elementMembers } from "../validate-foreach.ts";
import { compilePattern, type Generator } from "./generate-pattern.ts";

/**
 * Compiles `generate`: the result carries the objects as they should be. Whether they exist already, and what happens to
 * them later (`synchronize`, `orphanDownstreamOnPolicyDelete`, `generateExisting`, `useServerSideApply`), is up to who writes them.
 */
export const compileGenerateRule: RuleCompiler = (rule) => {
  const report = new DocumentReport(rule.policy.document);
  const path = [...rule.path, "generate"];
  const spec = rule.spec["generate"] ?? null;
  const foreach = member(spec, "foreach");
  const generator = isArray(foreach)
    ? compileForeach(foreach, [...path, "foreach"], rule, report)
    : compilePattern(spec, path, rule, report);
  if (generator === undefined || report.errorCount > 0) return failed(...report.diagnostics);
  // What is generated when something is deleted is for a rule that asks for deletions.
  const asksForDeletions = /"DELETE"/.test(JSON.stringify(rule.spec["match"] ?? null));
  const body: RuleBody = {
    kind: "generate",
    evaluate(scope) {
      const isDeleted = scope.context.action.operation === "DELETE";
      const trigger = isDeleted && asksForDeletions ? scope.context.oldObject : scope.context.object;
      if (trigger === undefined) return [];
      try {
        const generated = generator(scope, trigger);
        const names = generated.map((object) => formatRef(resourceRef(object)));
        return [{ ...passed(names.length === 0 ? "nothing to generate" : `generates ${names.join(", ")}`), generated }];
      } catch (error) {
        return [errorResult(`failed to generate: ${reasonOf(error)}`)];
      }
    },
  };
  return loaded([body], report.diagnostics);
};

interface Loop {
  readonly list: JmesPathProgram;
  readonly extend: ScopeExtension;
  readonly preconditions: ConditionsProgram;
  readonly generate: Generator;
}

function compileForeach(spec: readonly JsonValue[], path: JsonPath, rule: RuleSource, report: DocumentReport): Generator {
  const loops = spec.map((entry, i) => compileLoop(entry, [...path, i], rule, report)).filter((l) => l !== undefined);
  return (scope, trigger) => loops.flatMap((loop) => runLoop(loop, scope, trigger));
}

function compileLoop(spec: JsonValue, path: JsonPath, rule: RuleSource, report: DocumentReport): Loop | undefined {
  const list = compileJmesPath(asString(member(spec, "list"))?.trim() ?? "");
  report.adopt(list.diagnostics, [...path, "list"]);
  const extend = compileContext(member(spec, "context"), [...path, "context"], rule.policy, report);
  const preconditions = compileConditions(member(spec, "preconditions"));
  report.adopt(preconditions.diagnostics, [...path, "preconditions"]);
  const generate = compilePattern(spec, path, rule, report);
  if (!list.ok || !preconditions.ok || generate === undefined) return undefined;
  return { list: list.value, extend, preconditions: preconditions.value, generate };
}

function runLoop(loop: Loop, scope: RuleScope, trigger: KubernetesObject): readonly KubernetesObject[] {
  const value = loop.list(scope.root, scope.host);
  if (value instanceof NotFound) throw new Error(`failed to evaluate foreach list: ${value.message}`);
  const generated: KubernetesObject[] = [];
  for (const [index, element] of (isArray(value) ? value : [value]).entries()) {
    scope.context.budget.spend();
    if (element === null) continue;
    const turn = loop.extend(scope.with(elementMembers(element, index, 0)));
    if (loop.preconditions(turn).met) generated.push(...loop.generate(turn, trigger));
  }
  return generated;
}
