import { adviceFix, type LintIssue } from "../issue.ts";
import { coversRule } from "./coverage.ts";
import { type AuditRule, ruleScope } from "./rule.ts";

/** Rules that an earlier one hides, and requests that no rule matches. */
export function orderIssues(rules: readonly AuditRule[]): LintIssue[] {
  const issues = rules.flatMap((rule, index): LintIssue[] => {
    const earlier = rules.slice(0, index).findIndex((candidate) => coversRule(candidate, rule));
    const hiding = rules[earlier];
    return hiding === undefined ? [] : [hidden(rule, index, hiding, earlier)];
  });
  const last = rules.at(-1);
  if (last !== undefined && !rules.some(matchesEverything)) issues.push(noCatchAll(last));
  return issues;
}

function hidden(rule: AuditRule, index: number, earlier: AuditRule, at: number): LintIssue {
  const same = rule.level === earlier.level;
  return {
    check: "audit-policy",
    rule: "never-reached",
    path: rule.path,
    status: same ? "warn" : "fail",
    severity: same ? "low" : "high",
    message: `rules[${index}] is never reached: the first rule that matches decides, and rules[${at}] matches everything that this one does${same ? "" : ` (at level ${earlier.level}, not ${rule.level})`}.`,
    evidence: { hiddenBy: at },
    fix: adviceFix(same ? "Remove the rule." : `Move it before rules[${at}].`),
  };
}

function matchesEverything(rule: AuditRule): boolean {
  return ruleScope(rule) === "everything" && rule.users.length + rule.userGroups.length + rule.verbs.length === 0;
}

function noCatchAll(last: AuditRule): LintIssue {
  return {
    check: "audit-policy",
    rule: "no-catch-all",
    path: last.path,
    status: "warn",
    severity: "medium",
    message: "Requests that no rule matches are not recorded at all; the policy has no last rule that matches everything.",
    fix: adviceFix("End the list with `- level: Metadata`."),
  };
}
