import { type Diagnostic, placeOf } from "../core/diagnostic.ts";
import type { Finding } from "../core/finding.ts";
import { formatRef } from "../core/kubernetes.ts";
import { formatSpan } from "../core/source.ts";
import { isComplete, type Report } from "./report.ts";
import { indent, type TableContext } from "./table-context.ts";
import { groupDigits, visible, wrap } from "./text.ts";

interface Entry {
  readonly level: "error" | "warn";
  readonly text: string;
  readonly where: string;
  readonly next: string | undefined;
}

/** Of one code; the other formats list every one. */
const shownErrors = 20;
const shownWarnings = 5;

/** What could not be read or checked, and what was odd about the input. */
export function uncheckedLines(report: Report, context: TableContext): readonly string[] {
  const entries = [...diagnosticEntries(report.diagnostics), ...errorEntries(report.findings, context)];
  if (entries.length === 0) return [];
  const { style } = context;
  const room = context.width - indent.length;
  const indented = (lines: readonly string[], shape: (text: string) => string) => lines.map((line) => indent + shape(line));
  const lines = [style.bold(isComplete(report) ? "Notes on the input" : "Could not check")];
  for (const { text, level, where, next } of entries) {
    const [first = "", ...rest] = wrap(text, room);
    lines.push(`  ${style.level(level, level.toUpperCase())}${" ".repeat(10 - level.length)}${first}`);
    lines.push(...indented(rest, (t) => t));
    if (where !== "") lines.push(indent + style.dim(visible(where)));
    if (next !== undefined) lines.push(...indented(wrap(next, room), style.green));
  }
  return [...lines, ""];
}

function diagnosticEntries(diagnostics: readonly Diagnostic[]): readonly Entry[] {
  return [...Map.groupBy(diagnostics, (d) => `${d.severity} ${d.code}`).values()].flatMap((group) => {
    const first = group[0];
    if (first === undefined) return [];
    const level = first.severity === "error" ? "error" : "warn";
    const shown = group.slice(0, level === "error" ? shownErrors : shownWarnings);
    const more = group.length - shown.length;
    const entries = shown.map((diagnostic): Entry => {
      const { code, message, next } = diagnostic;
      return { level, text: `${code}: ${message}`, where: placeOf(diagnostic), next };
    });
    const rest = { level, text: `${first.code}: and ${groupDigits(more)} more`, where: "", next: undefined } as const;
    return more > 0 ? [...entries, rest] : entries;
  });
}

/** Errors of one rule say mostly the same of many objects: one entry with how many and where first. */
function errorEntries(findings: readonly Finding[], { policyName }: TableContext): readonly Entry[] {
  const errors = findings.filter((f) => f.status === "error");
  const groups = Map.groupBy(errors, (f) => `${policyName(f.check.policy)} ${f.check.rule}: ${f.message}`);
  return [...groups].map(([text, group]) => ({ level: "error", text, where: whereFirst(group), next: undefined }));
}

function whereFirst(group: readonly Finding[]): string {
  const first = group[0];
  if (first === undefined) return "";
  const place = first.location === undefined ? formatRef(first.resource) : formatSpan(first.location);
  return group.length === 1 ? place : `${place} and ${groupDigits(group.length - 1)} more`;
}
