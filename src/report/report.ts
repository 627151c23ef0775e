import type { Diagnostic } from "../core/diagnostic.ts";
import type { Finding, Severity, StatusCounts } from "../core/finding.ts";
import { severities } from "../core/finding.ts";
import type { Instant } from "../core/host.ts";
import { inOrder } from "./order.ts";
import { count } from "./text.ts";

/** What was looked at. */
export interface ReportInputs {
  /** Paths and clusters as the user named them. */
  readonly sources: readonly string[];
  readonly files: number;
  readonly objects: number;
  /** Policies that judged them, as `CheckRef.policy` names them. */
  readonly policies: readonly string[];
  /** Analyses beside them: `lint`, `rbac`. */
  readonly analyses: readonly string[];
}

export type SeverityCounts = { readonly [severity in Severity]: number };

/** One line of the summary: the failures of one policy or namespace by severity, and what else was said. */
export interface SummaryRow {
  /** Empty for objects without a namespace. */
  readonly name: string;
  readonly failures: SeverityCounts;
  readonly warnings: number;
  readonly errors: number;
}

/** A column of the summary tables. */
export interface SummaryColumn {
  readonly head: string;
  readonly value: (row: SummaryRow) => number;
}

export const summaryColumns: readonly SummaryColumn[] = [
  ...severities.toReversed().map((s): SummaryColumn => ({ head: s, value: (row) => row.failures[s] })),
  { head: "warn", value: (row) => row.warnings },
  { head: "error", value: (row) => row.errors },
];

export interface ReportSource {
  readonly tool: { readonly name: string; readonly version: string };
  readonly at: Instant;
  readonly inputs: ReportInputs;
  readonly findings: readonly Finding[];
  /** Results by status; passes are counted here also where they are no findings. */
  readonly counts: StatusCounts;
  /** What could not be read or understood; severity `error` means that the report is not complete. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was left alone, and why that is no problem: one line each. */
  readonly notes: readonly string[];
  /** Findings left out because a baseline accepts them. */
  readonly accepted: number;
}

/** Everything a format needs to write. */
export interface Report extends ReportSource {
  readonly failures: SeverityCounts;
  readonly byPolicy: readonly SummaryRow[];
  readonly byNamespace: readonly SummaryRow[];
}

/** `38 policies and 2 analyses` */
export function judgesText({ policies, analyses }: ReportInputs): string {
  const parts = [
    ...(policies.length > 0 || analyses.length === 0 ? [count(policies.length, "policy", "policies")] : []),
    ...(analyses.length > 0 ? [count(analyses.length, "analysis", "analyses")] : []),
  ];
  return parts.join(" and ");
}

/** Orders the findings, worst first, and adds the summaries. */
export function buildReport(source: ReportSource): Report {
  const findings = inOrder(source.findings);
  return {
    ...source,
    findings,
    diagnostics: distinct(source.diagnostics),
    failures: countFailures(findings),
    byPolicy: summarise(findings, (f) => f.check.policy),
    byNamespace: summarise(findings, (f) => f.resource.namespace),
  };
}

/** Errors before warnings, and nothing twice: a problem of a rule shows once, however many rules were generated from it. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const key = (d: Diagnostic) => JSON.stringify([d.code, d.message, d.span?.file, d.span?.start.offset]);
  const unique = [...new Map(diagnostics.map((d) => [key(d), d])).values()];
  return [...unique.filter((d) => d.severity === "error"), ...unique.filter((d) => d.severity !== "error")];
}

/** Whether everything asked for was checked. */
export function isComplete(report: Report): boolean {
  return report.counts.error === 0 && report.diagnostics.every((d) => d.severity !== "error");
}

export function countFailures(findings: readonly Finding[]): SeverityCounts {
  const counts = { info: 0, low: 0, medium: 0, high: 0, critical: 0 };
  for (const f of findings) if (f.status === "fail") counts[f.severity]++;
  return counts;
}

export function total(counts: SeverityCounts): number {
  return severities.reduce((sum, s) => sum + counts[s], 0);
}

function summarise(findings: readonly Finding[], key: (finding: Finding) => string): SummaryRow[] {
  const groups = Map.groupBy(
    findings.filter((f) => f.status !== "pass" && f.status !== "skip"),
    key,
  );
  return [...groups]
    .map(([name, group]) => ({
      name,
      failures: countFailures(group),
      warnings: group.filter((f) => f.status === "warn").length,
      errors: group.filter((f) => f.status === "error").length,
    }))
    .sort((a, b) => worseRow(a, b) || (a.name < b.name ? -1 : 1));
}

function worseRow(a: SummaryRow, b: SummaryRow): number {
  for (const severity of severities.toReversed()) {
    const difference = b.failures[severity] - a.failures[severity];
    if (difference !== 0) return difference;
  }
  return b.warnings - a.warnings || b.errors - a.errors;
}
