import type { JsonPath } from "../../../core/json.ts";
import { adviceFix, type LintIssue } from "../issue.ts";

/** Something about an audit policy that keeps kube-apiserver from starting. */
export function noStart(path: JsonPath, message: string, fix: string): LintIssue {
  return {
    check: "audit-policy",
    rule: "rejected",
    path,
    status: "fail",
    message: `${message} kube-apiserver refuses the policy and does not start.`,
    fix: adviceFix(fix),
  };
}
