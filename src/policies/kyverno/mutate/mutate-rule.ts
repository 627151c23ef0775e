import { failed, loaded } from "../../../core/diagnostic.ts";
import { isArray, type JsonObject, member } from "../../../core/json.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import type { RuleResult } from "../../policy.ts";
import { errorResult, passed, skipped } from "../outcome.ts";
import { DocumentReport } from "../report.ts";
import type { RuleBody, RuleCompiler, RuleSource } from "../rule-types.ts";
import { compileTemplate } from "../variables.ts";
import { compileForeach } from "./foreach.ts";
import { compilePatch, failedMutation, type Mutation, type Patcher } from "./patch.ts";
import { compileTargets } from "./targets.ts";

/**
 * Compiles `mutate`. Without `targets` the result carries the changed object; with them there is one result for each
 * live object that is found (mutate existing).
 */
export const compileMutateRule: RuleCompiler = (rule) => {
  const report = new DocumentReport(rule.policy.document);
  const patcher = compilePatcher(rule, report);
  const targets = member(rule.spec["mutate"], "targets");
  const hasTargets = isArray(targets) && targets.length > 0;
  const find = hasTargets ? compileTargets(targets, [...rule.path, "mutate", "targets"], rule.policy, report) : undefined;
  if (patcher === undefined || report.errorCount > 0) return failed(...report.diagnostics);
  const body: RuleBody = {
    kind: "mutate",
    evaluate(scope) {
      if (find === undefined) {
        const { object } = scope.context;
        return object === undefined ? [] : [toResult(patcher(scope, object), "object")];
      }
      return find(scope).map((turn) => ("result" in turn ? turn.result : toResult(patcher(turn.scope, turn.object), "target")));
    },
  };
  return loaded([body], report.diagnostics);
};

function compilePatcher(rule: RuleSource, report: DocumentReport): Patcher | undefined {
  const { spec, path, policy } = rule;
  const mutate = spec["mutate"] ?? null;
  const mutatePath = [...path, "mutate"];
  const foreach = member(mutate, "foreach");
  const patch = compilePatch(mutate, "/mutate", mutatePath, report);
  if (isArray(foreach)) {
    if (patch !== undefined) {
      report.error("KYV_BAD_RULE", mutatePath, "only one of foreach, patchStrategicMerge, patchesJson6902 is allowed");
    }
    return compileForeach(foreach, { path: [...mutatePath, "foreach"], policy, report, nesting: 0 });
  }
  if (patch === undefined) {
    if (report.errorCount === 0) {
      report.error("KYV_BAD_RULE", mutatePath, "needs one of foreach, patchStrategicMerge, patchesJson6902");
    }
    return undefined;
  }
  return withWholeRule(rule, patch, report);
}

/** Kyverno substitutes the variables of the whole rule at once: one that cannot be resolved stops it wherever it stands. */
function withWholeRule(rule: RuleSource, patch: Patcher, report: DocumentReport): Patcher | undefined {
  const template = compileTemplate(withoutPatches(rule.spec));
  report.adopt(template.diagnostics, rule.path);
  if (!template.ok) return undefined;
  if (template.value.constant) return patch;
  return (scope, object) => {
    try {
      template.value.substitute(scope);
    } catch (error) {
      return failedMutation("variable substitution failed", error);
    }
    return patch(scope, object);
  };
}

function withoutPatches(spec: JsonObject): JsonObject {
  const { mutate, ...others } = spec;
  return { ...others, mutate: { targets: member(mutate, "targets") } };
}

function toResult(mutation: Mutation, changed: "object" | "target"): RuleResult {
  switch (mutation.status) {
    case "pass":
      return { ...passed(`mutated ${describe(mutation.object)}`), [changed]: mutation.object };
    case "skip":
      return skipped(mutation.message);
    case "error":
      return errorResult(mutation.message);
  }
}

function describe(object: KubernetesObject): string {
  const namespace = namespaceOf(object);
  return `${object.kind}/${nameOf(object)}${namespace === "" ? "" : ` in namespace ${namespace}`}`;
}
