import type { Finding } from "../core/finding.ts";
import { severities } from "../core/finding.ts";
import { toDotted } from "../core/json.ts";
import { explain } from "./explain.ts";
import type { FormatOptions, Formatter } from "./format.ts";
import { apiVersionOf, groupByResource, levelOf, type ResourceGroup, resourceTitle, shortPolicyNames } from "./order.ts";
import { isComplete, judgesText, type Report, total } from "./report.ts";
import { styleFor } from "./style.ts";
import { indent, type TableContext } from "./table-context.ts";
import { summaryTable } from "./table-summary.ts";
import { uncheckedLines } from "./table-unchecked.ts";
import { count, groupDigits, padEnd, visible, wrap } from "./text.ts";

/** Text further to the right is hard to read. */
const widest = 120;
/** For people at a terminal: by object, worst first, then what could not be checked, then the summary. */
export const table: Formatter = (report, options) => {
  const context: TableContext = {
    ...options,
    width: Math.min(options.width, widest),
    style: styleFor(options.color),
    policyName: shortPolicyNames(report.byPolicy.map((row) => row.name)),
  };
  const settled = report.findings.filter((f) => f.status !== "error");
  const lines = [
    ...groupByResource(settled).flatMap((group) => groupLines(group, context)),
    ...uncheckedLines(report, context),
    ...summaryTable("By policy", report.byPolicy, context.policyName, context),
    ...summaryTable("By namespace", report.byNamespace, (name) => name || "(no namespace)", context),
    ...verdictLines(report, options),
  ];
  return `${lines.join("\n")}\n`;
};

function groupLines(group: ResourceGroup, context: TableContext): string[] {
  const { bold, dim } = context.style;
  return [
    `${bold(visible(resourceTitle(group.resource)))} ${dim(apiVersionOf(group.resource))}`,
    ...(group.file === "" ? [] : [dim(visible(group.file))]),
    ...group.findings.flatMap((f) => findingLines(f, context)),
    "",
  ];
}

function findingLines(finding: Finding, { style, width, explain: why, policyName }: TableContext): string[] {
  const level = levelOf(finding);
  const place = finding.location === undefined ? "" : `${finding.location.start.line}:${finding.location.start.column}`;
  const room = width - indent.length;
  const [first = "", ...rest] = wrap(`${policyName(finding.check.policy)} ${finding.check.rule}`, room - 9);
  // Live objects have no lines: the field says where.
  const field =
    finding.location === undefined && finding.path !== undefined && finding.path.length > 0 ? [toDotted(finding.path)] : [];
  const fix = finding.fix === undefined ? [] : wrap(`Fix: ${finding.fix.description}`, room).map(style.green);
  const reasons = why
    ? explain(finding)
        .flatMap((line) => wrap(line, room))
        .map(style.dim)
    : [];
  return [
    `  ${style.level(level, level.toUpperCase())}${" ".repeat(10 - level.length)}${style.dim(padEnd(place, 8))} ${first}`,
    ...rest.map((line) => `${indent}${" ".repeat(9)}${line}`),
    ...[...field.flatMap((f) => wrap(f, room)).map(style.dim), ...wrap(finding.message, room), ...fix, ...reasons].map(
      (line) => indent + line,
    ),
  ];
}

/** The last lines: how many findings, and what was looked at. */
export function verdictLines(report: Report, options: FormatOptions): readonly string[] {
  const style = styleFor(options.color);
  const failures = total(report.failures);
  const { pass, warn, error, skip } = report.counts;
  const by = severities
    .toReversed()
    .filter((s) => report.failures[s] > 0)
    .map((s) => `${groupDigits(report.failures[s])} ${s}`);
  const { objects, files } = report.inputs;
  const where = files === 0 ? "" : ` in ${count(files, "file")}`;
  const looked = `${count(objects, "object")}${where}, ${judgesText(report.inputs)}`;
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
  const room = Math.min(options.width, widest);
  const notes = report.notes.flatMap((note) => wrap(note, room)).map(style.dim);
  return [headline, ...wrap(`${looked}: ${also.join(", ")}`, room), ...notes];
}
