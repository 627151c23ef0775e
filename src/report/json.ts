import type { Formatter } from "./format.ts";
import { jsonText } from "./plain.ts";
import type { Report } from "./report.ts";

/** The whole report as data; `docs/reference/reports.md` describes it. */
export function reportData(report: Report) {
  return {
    apiVersion: "castellan.dev/v1alpha1",
    kind: "Report",
    tool: report.tool,
    time: new Date(report.at).toISOString(),
    inputs: report.inputs,
    summary: {
      failures: report.failures,
      results: report.counts,
      acceptedByBaseline: report.accepted,
      byPolicy: report.byPolicy,
      byNamespace: report.byNamespace,
    },
    findings: report.findings,
    diagnostics: report.diagnostics,
    notes: report.notes,
  };
}

export const json: Formatter = (report) => jsonText(reportData(report));
