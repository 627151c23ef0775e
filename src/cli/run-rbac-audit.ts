import { auditRbac } from "../analysis/rbac/audit/audit.ts";
import type { Severity } from "../core/finding.ts";
import { buildReport, type FormatName } from "../report/index.ts";
import type { CommandContext } from "./command.ts";
import { loadRbac, type RbacFlags } from "./rbac-input.ts";
import { countStatuses } from "./run-net-audit.ts";
import { exitCodeOf } from "./run-scan.ts";
import { writeReport } from "./write-report.ts";

export interface AuditFlags extends Omit<RbacFlags, "output"> {
  readonly output: FormatName;
  readonly outputFile?: string;
  readonly failOn: Severity | "never";
  readonly explain?: boolean;
  readonly includeSystem?: boolean;
}

export async function runAudit(flags: AuditFlags, context: CommandContext): Promise<void> {
  const input = await loadRbac({ ...flags, output: "table" }, "everything", context);
  const findings = auditRbac(input.world, { includeSystem: flags.includeSystem === true });
  const report = buildReport({
    tool: { name: "castellan", version: context.version },
    at: context.io.now(),
    inputs: {
      sources: input.sources,
      files: new Set(input.documents.map((d) => d.file)).size,
      objects: input.documents.length,
      policies: [],
      analyses: ["rbac"],
    },
    findings,
    counts: countStatuses(findings),
    diagnostics: input.diagnostics,
    notes: input.world.complete
      ? []
      : ["Not a whole cluster: bindings to absent roles and accounts are told only where a name is nearly right"],
    accepted: 0,
  });
  writeReport(report, flags, context);
  context.exit(exitCodeOf(report, flags.failOn));
}
