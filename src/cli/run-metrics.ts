import { loadPaths } from "../adapters/files/load-paths.ts";
import { describeSkipped } from "../adapters/files/loaded-paths.ts";
import { hasAlerts, lintAlerts } from "../analysis/metrics/lint-alerts.ts";
import type { Severity } from "../core/finding.ts";
import { buildReport, type FormatName } from "../report/index.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodeOf } from "./run-scan.ts";
import { writeReport } from "./write-report.ts";

export interface LintAlertsFlags {
  readonly output: FormatName;
  readonly outputFile?: string;
  readonly failOn: Severity | "never";
}

export async function lintAlertFiles(paths: readonly string[], flags: LintAlertsFlags, context: CommandContext): Promise<void> {
  const input = await loadPaths(paths);
  const documents = input.documents.filter(hasAlerts);
  if (documents.length === 0) throw new UsageError(`no alert is in ${paths.join(", ")}`);
  const { findings, rules } = lintAlerts(documents);
  const report = buildReport({
    tool: { name: "castellan", version: context.version },
    at: context.io.now(),
    inputs: {
      sources: paths,
      files: new Set(documents.map((d) => d.file)).size,
      objects: rules,
      policies: [],
      analyses: ["metrics"],
    },
    findings,
    counts: { pass: 0, fail: findings.length, warn: 0, error: 0, skip: 0 },
    diagnostics: input.diagnostics,
    notes: describeSkipped(input.skipped),
    accepted: 0,
  });
  writeReport(report, flags, context);
  context.exit(exitCodeOf(report, flags.failOn));
}
