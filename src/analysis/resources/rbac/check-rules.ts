import { type KubernetesObject, labelsOf } from "../../../core/kubernetes.ts";
import type { LintIssue } from "../issue.ts";
import type { LintContext, ObjectCheck } from "../object-check.ts";
import { groupIssues } from "./groups.ts";
import { policyRules } from "./policy-rule.ts";
import { resourceIssues } from "./resources.ts";
import { ruleShapeIssues } from "./rule-shape.ts";
import { verbIssues } from "./verbs.ts";

/** Rules of Roles and ClusterRoles that grant nothing, or less than they say. The API server's own default roles are left out. */
export const rbacRulesCheck: ObjectCheck = {
  kinds: ["rbac.authorization.k8s.io/Role", "rbac.authorization.k8s.io/ClusterRole"],
  check(role, context) {
    if (labelsOf(role)["kubernetes.io/bootstrapping"] === "rbac-defaults") return [];
    return policyRules(role).flatMap((rule) => ruleIssues(role, context, rule));
  },
};

function ruleIssues(role: KubernetesObject, context: LintContext, rule: ReturnType<typeof policyRules>[number]): LintIssue[] {
  return [
    ...ruleShapeIssues(role, rule),
    ...groupIssues(rule, context.resources),
    ...resourceIssues(role, rule, context),
    ...verbIssues(rule, context),
  ];
}
