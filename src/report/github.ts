import { assertNever, type Diagnostic } from "../core/diagnostic.ts";
import type { Finding } from "../core/finding.ts";
import type { Span } from "../core/source.ts";
import type { Formatter } from "./format.ts";
import { type Level, levelOf, resourceTitle } from "./order.ts";
import { isComplete, total } from "./report.ts";
import { count, visible } from "./text.ts";

type Command = "error" | "warning" | "notice";

/** Workflow commands that GitHub Actions turns into annotations; it shows the first ten of each kind per step, so the worst come first. */
export const github: Formatter = (report) => {
  const lines = [
    ...report.diagnostics.map(diagnosticCommand),
    ...report.findings.filter((f) => f.status !== "pass" && f.status !== "skip").map(findingCommand),
  ];
  const incomplete = isComplete(report) ? "" : ", not everything could be checked";
  return `${[...lines, `castellan: ${count(total(report.failures), "finding")}${incomplete}`].join("\n")}\n`;
};

function findingCommand(finding: Finding): string {
  const fix = finding.fix === undefined ? "" : `\nFix: ${finding.fix.description}`;
  const title = `${finding.check.policy} ${finding.check.rule}`;
  const message = `${resourceTitle(finding.resource)}: ${finding.message}${fix}`;
  return command(commandOf(levelOf(finding)), finding.location, title, message);
}

function diagnosticCommand(d: Diagnostic): string {
  const next = d.next === undefined ? "" : `\n${d.next}`;
  return command(d.severity, d.span, d.code, d.message + next);
}

function commandOf(level: Level): Command {
  switch (level) {
    case "critical":
    case "high":
    case "error":
      return "error";
    case "medium":
    case "low":
    case "warn":
      return "warning";
    case "info":
    case "skip":
    case "pass":
      return "notice";
    default:
      return assertNever(level);
  }
}

function command(kind: Command, span: Span | undefined, title: string, message: string): string {
  const place =
    span === undefined || span.file === "-"
      ? []
      : [`file=${property(span.file)}`, `line=${span.start.line}`, `col=${span.start.column}`];
  return `::${kind} ${[...place, `title=${property(title)}`].join(",")}::${data(message)}`;
}

/** Escapes of github.com/actions/toolkit `command.ts`: a message must not be able to start a command of its own. */
function data(text: string): string {
  return visible(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
