import type { Finding } from "../../../core/finding.ts";
import type { RbacWorld } from "../world.ts";
import { bindingIssues } from "./bindings.ts";
import { certificateIssues } from "./certificates.ts";
import { combinedIssues } from "./combined.ts";
import { auditContext } from "./context.ts";
import { toFinding } from "./issue.ts";
import { rightIssues } from "./rights.ts";
import { roleIssues } from "./roles.ts";
import { wildcardIssues } from "./wildcard.ts";
import { workloadIssues } from "./workloads.ts";

const checks = [
  rightIssues,
  combinedIssues,
  wildcardIssues,
  bindingIssues,
  roleIssues,
  workloadIssues,
  certificateIssues,
] as const;

/** What is wrong with who may do what. What Kubernetes gives to itself is judged on request, or where it was changed. */
export function auditRbac(world: RbacWorld, options: { readonly includeSystem?: boolean } = {}): readonly Finding[] {
  const context = auditContext(world, options.includeSystem === true);
  return checks.flatMap((check) => check(context)).map(toFinding);
}
