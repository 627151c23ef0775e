import { auditNetwork } from "../analysis/network/audit/audit.ts";
import { proveFixes } from "../analysis/network/audit/proof.ts";
import type { Finding, Severity, StatusCounts } from "../core/finding.ts";
import { buildReport, type FormatName } from "../report/index.ts";
import type { CommandContext } from "./command.ts";
import { loadComponents, loadNetwork, type NetFlags } from "./net-input.ts";
import { exitCodeOf } from "./run-scan.ts";
import { writeReport } from "./write-report.ts";

export interface NetAuditFlags extends NetFlags {
  readonly output: FormatName;
  readonly outputFile?: string;
  readonly failOn: Severity | "never";
  readonly explain?: boolean;
  readonly catalogue?: readonly string[];
}

/** What is wrong with the policies, each with its fix; `scan` says the same beside everything else. */
export async function runNetAudit(flags: NetAuditFlags, context: CommandContext): Promise<void> {
  const components = await loadComponents(flags.catalogue ?? []);
  const input = await loadNetwork(flags, context);
  const findings = proveFixes(input.network, auditNetwork(input.network, components));
  const report = buildReport({
    tool: { name: "castellan", version: context.version },
    at: context.io.now(),
    inputs: {
      sources: input.sources,
      files: new Set(input.documents.map((d) => d.file)).size,
      objects: input.network.documents.length,
      policies: [],
      analyses: ["network"],
    },
    findings,
    counts: countStatuses(findings),
    diagnostics: input.diagnostics,
    notes:
      input.options.complete === true ? [] : ["Not a whole cluster: a policy may select pods that are not among these objects"],
    accepted: 0,
  });
  writeReport(report, flags, context);
  context.exit(exitCodeOf(report, flags.failOn));
}

export function countStatuses(findings: readonly Finding[]): StatusCounts {
  const of = (status: Finding["status"]) => findings.filter((f) => f.status === status).length;
  return { pass: of("pass"), fail: of("fail"), warn: of("warn"), error: of("error"), skip: of("skip") };
}
