import type { Diagnostic } from "../core/diagnostic.ts";
import { type Finding, severities } from "../core/finding.ts";
import { formatRef } from "../core/kubernetes.ts";
import { formatSpan } from "../core/source.ts";
import { explain } from "./explain.ts";
import type { FormatOptions, Formatter } from "./format.ts";
import { apiVersionOf, groupByResource, levelOf, type ResourceGroup, resourceTitle } from "./order.ts";
import { isComplete, type Report, type SummaryRow, total } from "./report.ts";
import { type Style, styleFor } from "./style.ts";
import { count, displayWidth, groupDigits, padEnd, padStart, visible, wrap } from "./text.ts";

/** Text further to the right is hard to read. */
const widest = 120;
const indent = "            ";

/** For people at a terminal: by object, worst first, then what could not be checked, then the summary. */
export const table: Formatter = (report, options) => {
  const style = styleFor(options.color);
  const width = Math.min(options.width, widest);
  const settled = report.findings.filter((f) => f.status !== "error");
  const lines = [
    ...groupByResource(settled).flatMap((group) => groupLines(group, { ...options, width }, style)),
    ...unchecked(report, width, style),
    ...summaryTable("By policy", report.byPolicy, width, style),
    ...summaryTable("By namespace", report.byNamespace, width, style),
    ...verdict(report, width, style),
  ];
  return `${lines.join("\n")}\n`;
};

function groupLines(group: ResourceGroup, options: FormatOptions, style: Style): string[] {
  return [
    `${style.bold(visible(resourceTitle(group.resource)))} ${style.dim(apiVersionOf(group.resource))}`,
    ...(group.file === "" ? [] : [style.dim(visible(group.file))]),
    ...group.findings.flatMap((f) => findingLines(f, options, style)),
    "",
  ];
}

function findingLines(finding: Finding, options: FormatOptions, style: Style): string[] {
  const level = levelOf(finding);
  const place = finding.location === undefined ? "" : `${finding.location.start.line}:${finding.location.start.column}`;
  const room = options.width - indent.length;
  const check = wrap(`${finding.check.policy} ${finding.check.rule}`, room - 9);
  const body = wrap(finding.message, room);
  const fix = finding.fix === undefined ? [] : wrap(`Fix: ${finding.fix.description}`, room).map(style.green);
  const why = options.explain
    ? explain(finding)
        .flatMap((line) => wrap(line, room))
        .map(style.dim)
    : [];
  const [first = "", ...rest] = check;
  return [
    `  ${style.level(level, level.toUpperCase())}${" ".repeat(10 - level.length)}${style.dim(padEnd(place, 8))} ${first}`,
    ...rest.map((line) => `${indent}${" ".repeat(9)}${line}`),
    ...[...body, ...fix, ...why].map((line) => indent + line),
  ];
}

/** Errors of one rule say mostly the same of many objects: one entry with how many and where first. */
function unchecked(report: Report, width: number, style: Style): string[] {
  const errors = report.findings.filter((f) => f.status === "error");
  const groups = Map.groupBy(errors, (f) => `${f.check.policy} ${f.check.rule}: ${f.message}`);
  const entries = [
    ...report.diagnostics.map((d) => diagnosticEntry(d)),
    ...[...groups].map(([text, group]) => ({ text, level: "error" as const, where: whereFirst(group), next: undefined })),
  ];
  if (entries.length === 0) return [];
  const lines = [style.bold(isComplete(report) ? "Notes on the input" : "Could not check")];
  for (const { text, level, where, next } of entries) {
    const [first = "", ...rest] = wrap(text, width - indent.length);
    lines.push(`  ${style.level(level, level.toUpperCase())}${" ".repeat(10 - level.length)}${first}`);
    lines.push(...rest.map((line) => indent + line));
    if (where !== "") lines.push(indent + style.dim(visible(where)));
    if (next !== undefined) lines.push(...wrap(next, width - indent.length).map((line) => indent + style.green(line)));
  }
  return [...lines, ""];
}

function diagnosticEntry(d: Diagnostic) {
  const level = d.severity === "error" ? ("error" as const) : ("warn" as const);
  return { text: `${d.code}: ${d.message}`, level, where: d.span === undefined ? "" : formatSpan(d.span), next: d.next };
}

function whereFirst(group: readonly Finding[]): string {
  const first = group[0];
  if (first === undefined) return "";
  const place = first.location === undefined ? formatRef(first.resource) : formatSpan(first.location);
  return group.length === 1 ? place : `${place} and ${groupDigits(group.length - 1)} more`;
}

interface SummaryColumn {
  readonly head: string;
  readonly value: (row: SummaryRow) => number;
}

const summaryColumns: readonly SummaryColumn[] = [
  ...severities.toReversed().map((s): SummaryColumn => ({ head: s, value: (row) => row.failures[s] })),
  { head: "warn", value: (row) => row.warnings },
  { head: "error", value: (row) => row.errors },
];

function summaryTable(title: string, rows: readonly SummaryRow[], width: number, style: Style): string[] {
  if (rows.length === 0) return [];
  const columns = summaryColumns.filter((c) => rows.some((row) => c.value(row) > 0));
  const widths = columns.map((c) => Math.max(c.head.length, ...rows.map((row) => cell(c, row).length)) + 2);
  const cells = (texts: readonly string[]) => texts.map((t, i) => padStart(t, widths[i] ?? 0)).join("");
  const room = Math.max(12, width - widths.reduce((sum, w) => sum + w, 0));
  const nameWidth = Math.min(room, Math.max(displayWidth(title), ...rows.map((r) => displayWidth(nameOf(r)))));
  const line = (row: SummaryRow) => {
    const [first = "", ...rest] = wrap(nameOf(row), nameWidth);
    return [padEnd(first, nameWidth) + cells(columns.map((c) => cell(c, row))), ...rest.map((part) => `  ${part}`)];
  };
  return [style.bold(padEnd(title, nameWidth)) + style.dim(cells(columns.map((c) => c.head))), ...rows.flatMap(line), ""];
}

function cell(column: SummaryColumn, row: SummaryRow): string {
  const n = column.value(row);
  return n === 0 ? "-" : groupDigits(n);
}

function nameOf(row: SummaryRow): string {
  return row.name === "" ? "(no namespace)" : row.name;
}

function verdict(report: Report, width: number, style: Style): string[] {
  const failures = total(report.failures);
  const { pass, warn, error, skip } = report.counts;
  const by = severities
    .toReversed()
    .filter((s) => report.failures[s] > 0)
    .map((s) => `${groupDigits(report.failures[s])} ${s}`);
  const looked = `${count(report.inputs.objects, "object")} in ${count(report.inputs.files, "file")}, ${count(report.inputs.policies.length, "policy", "policies")}`;
  const also = [
    warn > 0 ? count(warn, "warning") : "",
    `${groupDigits(pass)} passed`,
    skip > 0 ? `${groupDigits(skip)} skipped` : "",
    error > 0 ? `${groupDigits(error)} could not be checked` : "",
    report.accepted > 0 ? `${groupDigits(report.accepted)} accepted by the baseline` : "",
  ].filter((s) => s !== "");
  const headline =
    failures > 0
      ? style.level("high", `${count(failures, "finding")} (${by.join(", ")})`)
      : isComplete(report)
        ? style.green("No findings")
        : style.level("error", "No findings, but not everything could be checked");
  return [headline, ...wrap(`${looked}: ${also.join(", ")}`, width)];
}
