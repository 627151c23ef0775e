import { severities } from "../core/finding.ts";
import { formatSpan } from "../core/source.ts";
import { explain } from "./explain.ts";
import type { FormatOptions, Formatter } from "./format.ts";
import { groupByResource, levelOf, type ResourceGroup, resourceTitle } from "./order.ts";
import {
  countFailures,
  isComplete,
  judgesText,
  type Report,
  type SeverityCounts,
  type SummaryRow,
  summaryColumns,
  total,
} from "./report.ts";
import { count, groupDigits, visible } from "./text.ts";
import { escapeMarkup } from "./xml.ts";

/** GitHub refuses comments over 65,536 characters; GitLab and Bitbucket allow more. */
const longest = 60_000;
const worstFirst = severities.toReversed();

/** A comment for a pull request: the verdict, tables by policy and namespace, and the findings folded by object. */
export const markdown: Formatter = (report, options) => {
  const head = [
    `## Castellan: ${verdict(report)}`,
    "",
    `${count(report.inputs.objects, "object")} in ${count(report.inputs.files, "file")} judged by ${judgesText(report.inputs)}: ${groupDigits(report.counts.pass)} passed, ${count(report.counts.warn, "warning")}, ${groupDigits(report.counts.error)} could not be checked${report.accepted > 0 ? `, ${groupDigits(report.accepted)} accepted by the baseline` : ""}.`,
    "",
    ...(report.notes.length > 0 ? [...report.notes.map((note) => `- ${inline(note)}`), ""] : []),
    ...unchecked(report),
    ...summary("Policy", report.byPolicy),
    ...summary("Namespace", report.byNamespace),
  ].join("\n");
  return `${head}\n${folded(report, options, longest - head.length)}`;
};

function verdict(report: Report): string {
  const failures = total(report.failures);
  if (failures > 0) return `${count(failures, "finding")} (${severityList(report.failures)})`;
  return isComplete(report) ? "no findings" : "no findings, but not everything could be checked";
}

function severityList(counts: SeverityCounts): string {
  const present = worstFirst.filter((s) => counts[s] > 0);
  return present.map((s) => `${groupDigits(counts[s])} ${s}`).join(", ");
}

function summary(title: string, rows: readonly SummaryRow[]): readonly string[] {
  if (rows.length === 0) return [];
  const columns = summaryColumns.filter((c) => rows.some((row) => c.value(row) > 0));
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const row = (r: SummaryRow) => [r.name === "" ? "(none)" : inline(r.name), ...columns.map((c) => groupDigits(c.value(r)))];
  const heads = [title, ...columns.map((c) => c.head)];
  return [line(heads), line(heads.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map((r) => line(row(r))), ""];
}

function unchecked(report: Report): readonly string[] {
  const errors = report.diagnostics.filter((d) => d.severity === "error");
  if (errors.length === 0) return [];
  const shown = errors
    .slice(0, 20)
    .map((d) => `- ${d.span === undefined ? "" : `\`${formatSpan(d.span)}\` `}${inline(d.message)}`);
  const rest = errors.length > shown.length ? [`- and ${groupDigits(errors.length - shown.length)} more`] : [];
  return [`**Could not check ${count(errors.length, "input")}:**`, "", ...shown, ...rest, ""];
}

/** As many objects as fit, worst first; what is left out is said. */
function folded(report: Report, options: FormatOptions, room: number): string {
  let text = "";
  let left = report.findings.length;
  for (const group of groupByResource(report.findings)) {
    const next = groupText(group, options);
    if (text.length + next.length > room) break;
    text += next;
    left -= group.findings.length;
  }
  return left === 0 ? text : `${text}\n${count(left, "more finding")} did not fit here: see the full report.\n`;
}

function groupText(group: ResourceGroup, options: FormatOptions): string {
  const failures = severityList(countFailures(group.findings));
  const file = group.file === "" ? "" : ` <code>${escapeMarkup(visible(group.file))}</code>`;
  const title = `<b>${escapeMarkup(visible(resourceTitle(group.resource)))}</b>${file}${failures === "" ? "" : `: ${failures}`}`;
  const rows = group.findings.map((f) => {
    const place = f.location === undefined ? "" : `${f.location.start.line}:${f.location.start.column}`;
    const lines = [
      f.message,
      ...(f.fix === undefined ? [] : [`Fix: ${f.fix.description}`]),
      ...(options.explain ? explain(f) : []),
    ];
    return `| ${levelOf(f)} | ${place} | ${inline(`${f.check.policy} ${f.check.rule}`)} | ${lines.map(inline).join("<br>")} |`;
  });
  return `<details><summary>${title}</summary>\n\n| severity | where | check | finding |\n|---|---|---|---|\n${rows.join("\n")}\n\n</details>\n`;
}

/** Text that cannot become mark-up, a table cell's end, or a mention of a person. */
function inline(text: string): string {
  return visible(text)
    .trim()
    .replace(/[\\`*_[\]|~]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/@(?=\w)/g, "@<!-- -->")
    .replaceAll("\n", "<br>");
}
