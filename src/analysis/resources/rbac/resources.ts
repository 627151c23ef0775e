import { toPointer } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import type { LintContext } from "../object-check.ts";
import { retiredSince } from "./groups.ts";
import { type PolicyRule, policyRules } from "./policy-rule.ts";
import { lookUp, suggestName } from "./resource-names.ts";

/** Resources that none of the rule's groups serve, and cluster-scoped ones in a Role. */
export function resourceIssues(role: KubernetesObject, rule: PolicyRule, context: LintContext): LintIssue[] {
  return rule.resources.flatMap((name, index) => {
    const path = [...rule.path, "resources", index];
    const wildcard = wildcardIssue(name, path);
    if (wildcard !== undefined) return [wildcard];
    const verdicts = rule.apiGroups.map((group) => lookUp(context, group, name));
    if (verdicts.length === 0) return [];
    const absent = rule.apiGroups.filter((group, i) => verdicts[i]?.kind === "absent" || retiredSince(group) !== undefined);
    if (absent.length === verdicts.length) {
      const issue = absentIssue(role, rule, name, path, context);
      return issue === undefined ? [] : [issue];
    }
    const scoped = role.kind === "Role" ? clusterScopedIssue(name, path, verdicts) : undefined;
    return scoped === undefined ? [] : [scoped];
  });
}

/** RBAC reads `*` alone and `*` before a subresource; every other star is a letter. */
function wildcardIssue(name: string, path: readonly (string | number)[]): LintIssue | undefined {
  if (!name.includes("*") || name === "*" || /^\*\/[^*]+$/.test(name)) return undefined;
  return {
    check: "rbac-resource",
    rule: "wildcard",
    path,
    status: "fail",
    message: `RBAC does not read ${JSON.stringify(name)} as a pattern: only "*" and "*/<subresource>" are. The rule grants nothing with it.`,
    fix: adviceFix('Name each subresource, or use "*/<subresource>".'),
  };
}

function absentIssue(
  role: KubernetesObject,
  rule: PolicyRule,
  name: string,
  path: readonly (string | number)[],
  { resources }: LintContext,
): LintIssue | undefined {
  const meant = suggestName(resources, rule.apiGroups, name);
  const retired = rule.apiGroups.map(retiredSince).find((since) => since !== undefined);
  if (retired !== undefined && meant !== undefined && coveredElsewhere(role, meant.group, meant.name)) return undefined;
  const groups = rule.apiGroups.map((g) => (g === "" ? "the core group" : g)).join(", ");
  const base = { check: "rbac-resource", path, status: "fail" } as const;
  const grants = "The API server accepts the rule, and it grants nothing.";
  if (meant === undefined) {
    return {
      ...base,
      rule: "no-such-resource",
      message: `There is no resource ${name} in ${groups}. ${grants}`,
      fix: adviceFix("Remove it, or name a resource that `kubectl api-resources` lists."),
    };
  }
  if (rule.apiGroups.includes(meant.group)) {
    return {
      ...base,
      rule: name.includes("/") ? "no-such-subresource" : "no-such-resource",
      message: `There is no resource ${name} in ${groups}; ${meant.name} is one. ${grants}`,
      evidence: { resource: name, nearest: meant.name },
      fix: rule.resources.includes(meant.name)
        ? patchFix(`Remove ${name}; ${meant.name} is granted already.`, { op: "remove", path: toPointer(path) })
        : patchFix(`Write ${meant.name}.`, { op: "replace", path: toPointer(path), value: meant.name }),
    };
  }
  const home = meant.group === "" ? "the core group" : meant.group;
  const gone = retired === undefined ? "" : ` The group was removed in Kubernetes ${retired}.`;
  return {
    ...base,
    rule: "wrong-group",
    message: `${meant.name} are in ${home}, not in ${groups}.${gone} ${grants}`,
    evidence: { resource: name, group: meant.group },
    fix:
      rule.resources.length === 1
        ? patchFix(`Add ${JSON.stringify(meant.group)} to apiGroups.`, {
            op: "add",
            path: `${toPointer(rule.path)}/apiGroups/-`,
            value: meant.group,
          })
        : adviceFix(`Grant ${meant.name} in a rule with apiGroups: [${JSON.stringify(meant.group)}].`),
  };
}

/** A leftover of an old group does no harm where the role also names the new one. */
function coveredElsewhere(role: KubernetesObject, group: string, name: string): boolean {
  return policyRules(role).some(
    (rule) =>
      (rule.apiGroups.includes(group) || rule.apiGroups.includes("*")) &&
      (rule.resources.includes(name) || rule.resources.includes("*")),
  );
}

function clusterScopedIssue(
  name: string,
  path: readonly (string | number)[],
  verdicts: readonly ReturnType<typeof lookUp>[],
): LintIssue | undefined {
  const served = verdicts.filter((verdict) => verdict.kind === "served");
  // A request for a Namespace carries its own name as namespace, so a Role can grant it.
  if (served.length !== verdicts.length || served.some((v) => v.resource.namespaced || v.resource.kind === "Namespace"))
    return undefined;
  return {
    check: "rbac-rule",
    rule: "cluster-scoped",
    path,
    status: "fail",
    message: `${name} belong to no namespace; a Role cannot grant them. The API server accepts the rule, and it grants nothing.`,
    fix: adviceFix("Move it to a ClusterRole that a ClusterRoleBinding binds."),
  };
}
