import { toPointer } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { adviceFix, type LintIssue, orList, patchFix } from "../issue.ts";
import type { PolicyRule } from "./policy-rule.ts";

/** What the API server refuses about a rule, and names that can never match. */
export function ruleShapeIssues(role: KubernetesObject, rule: PolicyRule): LintIssue[] {
  return [...refused(role, rule), ...nameIssues(rule)];
}

function refused(role: KubernetesObject, rule: PolicyRule): LintIssue[] {
  const issues: LintIssue[] = [];
  const add = (path: readonly (string | number)[], message: string, fix: string) =>
    issues.push({
      check: "rbac-rule",
      rule: "rejected",
      path,
      status: "fail",
      server: "refuses-object",
      message: `${message} The API server refuses the ${role.kind}.`,
      fix: adviceFix(fix),
    });
  if (rule.nonResourceUrls.length > 0) {
    const path = [...rule.path, "nonResourceURLs"];
    if (role.kind === "Role")
      add(path, "A Role is namespaced and cannot cover URLs outside the API.", "Use a ClusterRole for nonResourceURLs.");
    if (rule.apiGroups.length + rule.resources.length + rule.resourceNames.length > 0) {
      add(path, "One rule cannot cover both resources and nonResourceURLs.", "Split the rule in two.");
    }
  } else {
    if (rule.apiGroups.length === 0) add(rule.path, "The rule names no apiGroups.", 'Add apiGroups; the core group is "".');
    if (rule.resources.length === 0) add(rule.path, "The rule names no resources.", "Name the resources.");
  }
  return issues;
}

/** `create` and `deletecollection` requests carry no name that RBAC could compare; wildcards are not read in names. */
function nameIssues(rule: PolicyRule): LintIssue[] {
  if (rule.resourceNames.length === 0) return [];
  const issues: LintIssue[] = [];
  // Signers are the exception: the admission plugin itself asks about the name `<domain>/*`.
  const signers = rule.resources.includes("signers");
  const globs = rule.resourceNames.filter((name) => name.includes("*") && !(signers && name.endsWith("/*")));
  if (globs.length > 0) {
    issues.push({
      check: "rbac-rule",
      rule: "name-wildcard",
      path: [...rule.path, "resourceNames"],
      status: "fail",
      message: `resourceNames are compared letter by letter: ${orList(globs.map((g) => JSON.stringify(g)))} matches only an object of that very name, which cannot exist.`,
      fix:
        globs.length === 1 && rule.resourceNames.length === 1 && globs[0] === "*"
          ? patchFix("Remove resourceNames: without it every name is meant.", {
              op: "remove",
              path: toPointer([...rule.path, "resourceNames"]),
            })
          : adviceFix("List the names, or remove resourceNames."),
    });
  }
  const nameless = rule.verbs.filter((verb) => verb === "deletecollection" || (verb === "create" && hasTopLevel(rule)));
  if (nameless.length > 0) {
    const all = nameless.length === rule.verbs.length;
    issues.push({
      check: "rbac-rule",
      rule: "nameless-verb",
      path: [...rule.path, "resourceNames"],
      status: all ? "fail" : "warn",
      severity: all ? "medium" : "low",
      message: `A request to ${orList(nameless)} carries no name that RBAC can compare with resourceNames, so this rule never allows it.`,
      evidence: { verbs: nameless, resourceNames: rule.resourceNames },
      fix: adviceFix(`Grant ${orList(nameless)} in a rule of its own, without resourceNames.`),
    });
  }
  return issues;
}

function hasTopLevel(rule: PolicyRule): boolean {
  return rule.resources.some((resource) => !resource.includes("/"));
}
