import { type Loaded, loaded } from "../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, member } from "../../core/json.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { isCron } from "../../core/schedule/cron.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { CompiledPolicy, CompileEnv, PolicyFormat, PolicyId, RuleContext, RuleResult } from "../policy.ts";
import { policyLabels } from "../policy-labels.ts";
import { compileOwnConditions } from "./conditions.ts";
import { compileContext } from "./context.ts";
import { compileMatch } from "./match.ts";
import { errorResult, failedWith, joinNonEmpty, passed, reasonOf } from "./outcome.ts";
import { cleanupSpecShape } from "./policy-shape.ts";
import { DocumentReport, reportShape } from "./report.ts";
import { matchInput } from "./rule.ts";
import type { PolicySource } from "./rule-types.ts";
import { ruleScope } from "./scope.ts";

/** The one rule of a cleanup policy; Kyverno gives it no name. */
const ruleName = "cleanup";

/**
 * Compiles CleanupPolicy and ClusterCleanupPolicy of kyverno.io/v2 and v2beta1 to a `delete` rule: it passes for objects
 * that the policy would delete now, and fails for those that match but do not meet the conditions.
 */
function compile(document: SourceDocument<KubernetesObject>, _env: CompileEnv): Loaded<CompiledPolicy> {
  const object = document.value;
  const report = new DocumentReport(document);
  const raw = object["spec"];
  const spec = isObject(raw) ? raw : {};
  const namespace = object.kind === "CleanupPolicy" ? namespaceOf(object) || "default" : "";
  const id: PolicyId = { group: "kyverno.io", kind: object.kind, namespace, name: nameOf(object) };
  const source: PolicySource = { name: id.name, namespace, spec, document };
  reportShape(spec, cleanupSpecShape, ["spec"], report);
  if (![member(spec["match"], "any"), member(spec["match"], "all")].some((list) => isArray(list) && list.length > 0)) {
    report.error("KYV_BAD_MATCH", ["spec", "match"], "neither any nor all names a resource, so nothing would ever be deleted");
  }
  for (const [path, message] of misfits(spec)) report.error("KYV_BAD_RULE", ["spec", ...path], message);
  const match = compileMatch({ match: spec["match"], exclude: spec["exclude"] }, namespace, ["spec"], report, "cleanup");
  const extend = compileContext(spec["context"], ["spec", "context"], source, report);
  const conditions = compileOwnConditions(spec["conditions"] ?? null);
  report.adopt(conditions.diagnostics, ["spec", "conditions"]);
  const problem = report.errorCount === 0 ? undefined : report.diagnostics.map((d) => d.message).join("; ");

  const evaluate = (context: RuleContext): readonly RuleResult[] => {
    const input = matchInput(context);
    if (input === undefined || !match.matches(input)) return [];
    if (problem !== undefined || !conditions.ok) return [errorResult(`the policy was not evaluated: ${problem ?? ""}`)];
    const scope = extend(ruleScope(context, id, ruleName));
    try {
      // Kyverno hands the object that may be deleted to the conditions as `target`.
      const { met, message } = conditions.value(context.object === undefined ? scope : scope.with({ target: context.object }));
      return [met ? passed("resource matched") : failedWith(joinNonEmpty(["resource did not match", message], "; "))];
    } catch (error) {
      return [errorResult(`failed to check conditions: ${reasonOf(error)}`)];
    }
  };

  return loaded(
    {
      id,
      origin: document,
      ...policyLabels(object),
      onError: "allow",
      emitWarning: false,
      background: true,
      admission: false,
      firstRuleOnly: false,
      needs: [],
      rules: [
        {
          name: ruleName,
          kind: "delete",
          selectors: match.selectors,
          operations: undefined,
          enforcement: () => "audit",
          evaluate,
        },
      ],
    },
    report.diagnostics,
  );
}

const ofUsers = ["subjects", "roles", "clusterRoles"] as const;
const ofContext = ["apiCall", "globalReference", "variable"] as const;

/** What no policy can have that looks at stored objects at times: times that are none, users, and what Kyverno has no look-up for there. */
function* misfits(spec: JsonObject): Iterable<readonly [JsonPath, string]> {
  const schedule = asString(spec["schedule"]) ?? "";
  if (!isCron(schedule)) yield [["schedule"], `"${schedule}" is no cron schedule of five parts`];
  for (const block of ["match", "exclude"] as const) {
    for (const list of ["any", "all"] as const) {
      const filters = member(spec[block], list);
      for (const [i, filter] of (isArray(filters) ? filters : []).entries()) {
        const field = ofUsers.find((name) => member(filter, name) !== undefined);
        if (field !== undefined)
          yield [[block, list, i, field], `nobody asks when objects are cleaned up: ${field} match nobody`];
      }
    }
  }
  const context = spec["context"];
  for (const [i, entry] of (isArray(context) ? context : []).entries()) {
    if (!ofContext.some((name) => member(entry, name) !== undefined))
      yield [["context", i], `an entry of context needs one of ${ofContext.join(", ")} here`];
  }
}

/** Kyverno's policies that delete objects on a schedule. */
export const cleanupPolicyFormat: PolicyFormat = {
  kinds: [
    { group: "kyverno.io", kind: "CleanupPolicy" },
    { group: "kyverno.io", kind: "ClusterCleanupPolicy" },
  ],
  compile,
};
