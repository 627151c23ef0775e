import type { ApiResources } from "../../../core/api-resources.ts";
import { toPointer } from "../../../core/json.ts";
import { nearestName } from "../../../core/nearest-name.ts";
import { type LintIssue, patchFix } from "../issue.ts";
import type { PolicyRule } from "./policy-rule.ts";

/** API groups that can match no request: versions written into them, `core`, and misspelt built-in groups. */
export function groupIssues(rule: PolicyRule, resources: ApiResources): LintIssue[] {
  return rule.apiGroups.flatMap((group, index) => {
    const meant = meantGroup(group, resources);
    if (meant === undefined) return [];
    const path = [...rule.path, "apiGroups", index];
    const redundant = rule.apiGroups.includes(meant);
    return {
      check: "rbac-resource",
      rule: "no-such-group",
      path,
      status: redundant ? "warn" : "fail",
      ...(redundant ? { severity: "low" as const } : {}),
      message: `There is no API group ${JSON.stringify(group)}${group.includes("/") ? " (a rule names groups without their version)" : ""}: with it the rule grants nothing. ${meant === "" ? 'The core group is ""' : `The group is ${meant}`}.`,
      evidence: { apiGroup: group, nearest: meant },
      fix: redundant
        ? patchFix(`Remove ${JSON.stringify(group)}.`, { op: "remove", path: toPointer(path) })
        : patchFix(`Write ${JSON.stringify(meant)}.`, { op: "replace", path: toPointer(path), value: meant }),
    } satisfies LintIssue;
  });
}

function meantGroup(group: string, resources: ApiResources): string | undefined {
  if (group === "*" || resources.hasGroup(group)) return undefined;
  if (group === "core" || group === "v1") return "";
  const slash = group.indexOf("/");
  if (slash >= 0) {
    const name = group.slice(0, slash);
    return name === "core" ? "" : name;
  }
  // Groups with a dot may be anybody's, but for the domain that Kubernetes keeps for itself.
  if (group.includes(".") && !group.endsWith(".k8s.io")) return undefined;
  const builtIn = resources
    .all()
    .flatMap((r) => (r.group !== "" && (r.group.endsWith(".k8s.io") || !r.group.includes(".")) ? [r.group] : []));
  return nearestName(group, new Set(builtIn));
}

/** Groups that Kubernetes once served: what they held is elsewhere now. */
const retired = new Map([["extensions", "1.22"]]);

/** Since when a group is gone; undefined for the others. */
export function retiredSince(group: string): string | undefined {
  return retired.get(group);
}
