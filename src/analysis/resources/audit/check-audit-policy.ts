import { toDotted, toPointer } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { nearestName } from "../../../core/nearest-name.ts";
import type { FieldProblem, UnknownField } from "../fields/problem.ts";
import { describeValue } from "../fields/scalar.ts";
import { walkObject } from "../fields/walk.ts";
import { adviceFix, type LintIssue, orList, patchFix } from "../issue.ts";
import type { ObjectCheck } from "../object-check.ts";
import { leakIssues } from "./leaks.ts";
import { noStart } from "./no-start.ts";
import { orderIssues } from "./order.ts";
import { auditRules } from "./rule.ts";
import { auditPolicySchema } from "./schema.ts";
import { targetIssues } from "./targets.ts";

/** Audit policies: fields that do not exist, rules that are never reached, bodies that must not be recorded. */
export const auditPolicyCheck: ObjectCheck = {
  kinds: ["audit.k8s.io/Policy"],
  check(policy, context) {
    const version = versionIssue(policy);
    if (version !== undefined) return [version];
    const rules = auditRules(policy);
    return [
      ...walkObject(policy, auditPolicySchema, context.schemas, { partial: false, custom: false }).map((p) =>
        fieldIssue(p, policy),
      ),
      ...orderIssues(rules),
      ...leakIssues(rules),
      ...rules.flatMap((rule) => targetIssues(rule, context)),
    ];
  },
};

function versionIssue(policy: KubernetesObject): LintIssue | undefined {
  if (policy.apiVersion === "audit.k8s.io/v1") return undefined;
  return {
    ...noStart(["apiVersion"], `${policy.apiVersion} is not read any more (since Kubernetes 1.24).`, ""),
    fix: patchFix("Write apiVersion: audit.k8s.io/v1.", { op: "replace", path: "/apiVersion", value: "audit.k8s.io/v1" }),
  };
}

const narrowing = /namespace|selector|label|user|group|verb|resource|name|url|exclude|filter|scope/i;

function fieldIssue(problem: FieldProblem, policy: KubernetesObject): LintIssue {
  const place = toDotted(problem.path);
  switch (problem.kind) {
    case "unknown":
      return unknownField(problem, policy);
    case "missing":
      return noStart(
        problem.path,
        `${problem.path.length === 0 ? "The policy" : place} lacks ${problem.key}.`,
        `Add ${problem.key}.`,
      );
    case "enum": {
      const allowed = problem.allowed.map(String);
      const near = typeof problem.value === "string" ? nearestName(problem.value, allowed) : undefined;
      const issue = noStart(
        problem.path,
        `${place} must be ${orList(allowed)}, not ${describeValue(problem.value)}.`,
        `Use ${orList(allowed)}.`,
      );
      if (near === undefined) return issue;
      return { ...issue, fix: patchFix(`Write ${near}.`, { op: "replace", path: toPointer(problem.path), value: near }) };
    }
    case "type":
      return noStart(
        problem.path,
        `${place} must be of type ${problem.expected}, not ${describeValue(problem.value)}.`,
        `Write a value of type ${problem.expected}.`,
      );
    case "format":
      return noStart(problem.path, `${place}: ${problem.reason}.`, "Write a valid value.");
  }
}

/** kube-apiserver logs one warning at its start and goes on without the field. */
function unknownField(problem: UnknownField, policy: KubernetesObject): LintIssue {
  const inRule = problem.path.length > 2 && problem.path[0] === "rules";
  const near = nearestName(problem.key, Object.keys(problem.parent.properties ?? {}));
  const widens = inRule && narrowing.test(problem.key);
  const rule = inRule ? auditRules(policy).find((r) => r.path[1] === problem.path[1]) : undefined;
  const reach = widens && rule?.namespaces.length === 0 ? "in all namespaces" : "everywhere it otherwise matches";
  return {
    check: "audit-policy",
    rule: "unknown-field",
    path: problem.path,
    atKey: true,
    status: "fail",
    severity: widens ? "high" : "medium",
    message: `An audit ${inRule ? "rule" : "policy"} has no field ${problem.key}. kube-apiserver logs a warning at its start and ignores it${widens ? `, so the rule applies ${reach}` : ""}.`,
    evidence: { field: problem.key, ...(near === undefined ? {} : { nearest: near }) },
    fix: advice(problem, near),
  };
}

function advice(problem: UnknownField, near: string | undefined) {
  if (near !== undefined && near !== "namespaces") {
    const target = [...problem.path.slice(0, -1), near];
    return patchFix(`Rename ${problem.key} to ${near}.`, { op: "move", from: toPointer(problem.path), path: toPointer(target) });
  }
  if (/namespace/i.test(problem.key))
    return adviceFix("List the namespaces by name in namespaces; an audit policy knows no selectors.");
  return patchFix(`Remove ${problem.key}.`, { op: "remove", path: toPointer(problem.path) });
}
