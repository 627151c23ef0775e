import { adviceFix, type LintIssue, orList } from "../issue.ts";
import { coversResource } from "./coverage.ts";
import { type AuditRule, ruleScope } from "./rule.ts";

/** Requests whose bodies hold credentials. */
const sensitive = [
  { group: "", resource: "secrets", body: "the values of Secrets", reads: true },
  { group: "", resource: "serviceaccounts/token", body: "tokens of service accounts", reads: false },
  { group: "authentication.k8s.io", resource: "tokenreviews", body: "the tokens of whoever signs in", reads: false },
] as const;

const readVerbs = new Set(["get", "list", "watch"]);

/** Rules that write credentials into the log: the first that matches such a request decides, and it records bodies. */
export function leakIssues(rules: readonly AuditRule[]): LintIssue[] {
  const leaking = new Map<AuditRule, string[]>();
  for (const target of sensitive) {
    for (const rule of rules) {
      if (!matches(rule, target.group, target.resource)) continue;
      if (recordsBody(rule)) leaking.set(rule, [...(leaking.get(rule) ?? []), target.body]);
      if (isUnconditional(rule)) break;
    }
  }
  return [...leaking].map(([rule, bodies]) => ({
    check: "audit-policy",
    rule: "credentials-logged",
    path: [...rule.path, "level"],
    status: "fail",
    severity: "critical",
    message: `Level ${rule.level} writes bodies into the audit log, and with this rule ${orList(bodies)}.`,
    evidence: { bodies },
    fix: adviceFix("Put a rule with level Metadata for secrets, serviceaccounts/token and tokenreviews before this one."),
  }));
}

function matches(rule: AuditRule, group: string, resource: string): boolean {
  const scope = ruleScope(rule);
  if (scope === "urls") return false;
  if (scope === "everything" || rule.resources.length === 0) return true;
  return rule.resources.some(
    (entry) =>
      (entry.group === "*" || entry.group === group) &&
      (entry.resources.length === 0 || entry.resources.some((pattern) => coversResource(pattern, resource))),
  );
}

/** A request body at Request, the response too at RequestResponse; reads have no request body. */
function recordsBody(rule: AuditRule): boolean {
  if (rule.level === "RequestResponse") return true;
  return rule.level === "Request" && (rule.verbs.length === 0 || rule.verbs.some((verb) => !readVerbs.has(verb)));
}

/** Whether nothing but the resource decides, so that no later rule sees such a request. */
function isUnconditional(rule: AuditRule): boolean {
  return (
    rule.users.length + rule.userGroups.length + rule.verbs.length + rule.namespaces.length === 0 &&
    rule.resources.every((entry) => entry.resourceNames.length === 0)
  );
}
