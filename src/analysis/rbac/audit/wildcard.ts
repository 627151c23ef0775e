import { toPointer } from "../../../core/json.ts";
import { proofOf } from "../capability-proof.ts";
import type { Role } from "../objects.ts";
import type { PolicyRule } from "../policy-rule.ts";
import type { AuditContext } from "./context.ts";
import { type AuditIssue, describeBindings } from "./issue.ts";

type Case = "resources" | "groups" | "verbs";

/** What a wildcard stands in, by how much it opens. */
const cases: readonly {
  readonly rule: Case;
  readonly holds: (rule: PolicyRule) => boolean;
  readonly says: (rule: PolicyRule) => string;
}[] = [
  {
    rule: "groups",
    holds: (rule) => rule.apiGroups.includes("*") && rule.resources.length > 0,
    says: ({ resources }) => `${resources.join(", ")} of every API group`,
  },
  {
    rule: "resources",
    holds: (rule) => rule.resources.includes("*"),
    says: ({ apiGroups }) =>
      `every resource of ${apiGroups.map((g) => (g === "" ? "the core group" : g)).join(", ")}, subresources included`,
  },
  { rule: "verbs", holds: (rule) => rule.verbs.includes("*"), says: ({ resources }) => `every verb on ${resources.join(", ")}` },
];

/** Wildcards in roles; the worst of each role. Reading everything is `groups`, too. */
export function wildcardIssues({ world, system, includeSystem, held }: AuditContext): AuditIssue[] {
  return [...world.index.roles()].flatMap((role) => {
    if (role.document === undefined || (system.isOwnRole(role) && !includeSystem)) return [];
    const bindings = held.get(role) ?? [];
    // That somebody is the administrator is said already.
    if (bindings.length > 0 && proofOf(role.rules, "cluster-admin", true) !== undefined) return [];
    return wildcardOf(
      role,
      role.document,
      bindings.map((b) => b.namespace === ""),
      describeBindings(bindings),
    );
  });
}

function wildcardOf(
  role: Role,
  document: AuditIssue["document"],
  bindings: readonly boolean[],
  names: readonly string[],
): AuditIssue[] {
  if (role.aggregationSelectors !== undefined) return [];
  for (const { rule, holds, says } of cases) {
    const index = role.rules.findIndex((r) => holds(r) && r.nonResourceURLs.length === 0);
    const found = role.rules[index];
    if (found === undefined) continue;
    const field = rule === "groups" ? "apiGroups" : rule;
    const path = ["rules", index, field, found[field].indexOf("*")];
    const reads = found.verbs.every((verb) => ["get", "list", "watch"].includes(verb));
    const builtIn = found.apiGroups.some((group) => group === "" || group === "*" || !group.includes("."));
    const severity = rule === "verbs" || !builtIn || reads ? "low" : bindings.includes(true) ? "high" : "medium";
    return [
      {
        check: "wildcard",
        rule,
        document,
        path,
        status: rule === "verbs" ? "warn" : "fail",
        severity,
        message: `The rule grants ${found.verbs.includes("*") ? "every verb" : found.verbs.join(", ")} on ${rule === "verbs" ? found.resources.join(", ") : says(found)}.`,
        evidence: { rule: toPointer(["rules", index]), bindings: names },
        fix: { description: `Name the ${field === "apiGroups" ? "API groups" : field} that are used.` },
      },
    ];
  }
  return [];
}
