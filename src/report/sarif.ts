import { assertNever, type Diagnostic } from "../core/diagnostic.ts";
import { type Finding, type Fix, type Severity, severityAtLeast } from "../core/finding.ts";
import { toDotted } from "../core/json.ts";
import { formatRef } from "../core/kubernetes.ts";
import type { Span } from "../core/source.ts";
import { artifactUri } from "./artifact-uri.ts";
import type { Formatter } from "./format.ts";
import { resourceTitle } from "./order.ts";
import { jsonText } from "./plain.ts";
import { isComplete } from "./report.ts";

/** SARIF 2.1.0, as GitHub code scanning and the editors' viewers read it. */
export const sarif: Formatter = (report) => {
  const rules = rulesOf(report.findings);
  const index = new Map(rules.map((r, i) => [r.id, i]));
  const shown = report.findings.filter((f) => f.status !== "error");
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: report.tool.name,
            semanticVersion: report.tool.version,
            rules: rules.map(ruleData),
          },
        },
        columnKind: "utf16CodeUnits",
        automationDetails: { id: "castellan/scan/" },
        invocations: [
          {
            executionSuccessful: isComplete(report),
            endTimeUtc: new Date(report.at).toISOString(),
            toolExecutionNotifications: [
              ...report.diagnostics.map(diagnosticNotification),
              ...report.notes.map((text) => ({ level: "note", message: { text } })),
              ...report.findings.filter((f) => f.status === "error").map((f) => errorNotification(f, index)),
            ],
          },
        ],
        results: shown.map((f) => resultData(f, index)),
      },
    ],
  };
  return jsonText(log);
};

interface Rule {
  readonly id: string;
  /** The worst finding of the rule: code scanning shows one severity per rule. */
  readonly worst: Finding;
}

function ruleId(finding: Finding): string {
  return `${finding.check.policy}/${finding.check.rule}`;
}

/** Findings come worst first, so a rule's first is its worst. */
function rulesOf(findings: readonly Finding[]): readonly Rule[] {
  const rules = new Map<string, Rule>();
  for (const f of findings) if (!rules.has(ruleId(f))) rules.set(ruleId(f), { id: ruleId(f), worst: f });
  return [...rules.values()];
}

function ruleData({ id, worst }: Rule) {
  const { check, fix, controls, severity } = worst;
  const title = check.title === undefined || check.title === "" ? `${check.policy}: ${check.rule}` : check.title;
  const more = check.url === undefined ? [] : [`Read more: ${check.url}`];
  const help = [title, ...(fix === undefined ? [] : [fix.description]), ...more];
  return {
    id,
    name: check.rule,
    shortDescription: { text: title },
    fullDescription: { text: `Rule ${check.rule} of ${check.policy}${check.category ? ` (${check.category})` : ""}.` },
    help: { text: help.join("\n"), markdown: help.join("\n\n") },
    helpUri: check.url,
    defaultConfiguration: { level: levelFor(severity) },
    properties: {
      tags: ["kubernetes", ...(check.category ? [check.category] : []), ...controls],
      "security-severity": securitySeverity[severity],
      "problem.severity": severityAtLeast(severity, "high")
        ? "error"
        : severityAtLeast(severity, "medium")
          ? "warning"
          : "recommendation",
    },
  };
}

/** GitHub's bands: critical over 9.0, high from 7.0, medium from 4.0, low from 0.1. */
const securitySeverity: { readonly [severity in Severity]: string } = {
  critical: "9.5",
  high: "8.0",
  medium: "5.5",
  low: "3.0",
  info: "0.0",
};

function levelFor(severity: Severity): "error" | "warning" | "note" {
  if (severityAtLeast(severity, "high")) return "error";
  return severityAtLeast(severity, "medium") ? "warning" : "note";
}

function resultData(finding: Finding, index: ReadonlyMap<string, number>) {
  const fix = finding.fix === undefined ? "" : `\nFix: ${finding.fix.description}`;
  return {
    ruleId: ruleId(finding),
    ruleIndex: index.get(ruleId(finding)),
    ...verdictOf(finding),
    message: { text: `${resourceTitle(finding.resource)}: ${finding.message}${fix}` },
    locations: [locationData(finding)],
    fixes: fixData(finding.fix),
    partialFingerprints: { "castellanFinding/v1": finding.id },
    properties: { severity: finding.severity, path: toDotted(finding.path ?? []), evidence: finding.evidence },
  };
}

/** Only fixes that are made of text can be told. */
function fixData(fix: Fix | undefined) {
  if (fix?.edits === undefined) return undefined;
  const byFile = Map.groupBy(fix.edits, (edit) => edit.span.file);
  const artifactChanges = [...byFile.values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return [];
    const replacements = [first, ...rest].map(({ span, text }) => ({ deletedRegion: regionOf(span), insertedContent: { text } }));
    return [{ artifactLocation: artifactLocation(first.span.file), replacements }];
  });
  return [{ description: { text: fix.description }, artifactChanges }];
}

function verdictOf(finding: Finding): { readonly kind: string; readonly level: string } {
  switch (finding.status) {
    case "fail":
      return { kind: "fail", level: levelFor(finding.severity) };
    case "warn":
      return { kind: "fail", level: "note" };
    case "error":
      return { kind: "open", level: "none" };
    case "skip":
      return { kind: "notApplicable", level: "none" };
    case "pass":
      return { kind: "pass", level: "none" };
    default:
      return assertNever(finding.status);
  }
}

function locationData(finding: Finding) {
  const { namespace, name, kind } = finding.resource;
  // Code scanning refuses results without a file; live objects get one that says what they are.
  const live = { artifactLocation: { uri: artifactUri(["cluster", namespace, kind, name].filter((s) => s !== "").join("/")) } };
  return {
    physicalLocation: finding.location === undefined ? live : physicalLocation(finding.location),
    logicalLocations: [
      { name, fullyQualifiedName: formatRef(finding.resource), kind: "resource", properties: { namespace, kind } },
    ],
  };
}

function physicalLocation(span: Span) {
  // A whole object is to blame at its beginning; viewers would else underline all of it.
  const spread = span.end.line > span.start.line;
  return {
    artifactLocation: artifactLocation(span.file),
    region: spread ? { startLine: span.start.line, startColumn: span.start.column } : regionOf(span),
  };
}

function artifactLocation(file: string) {
  return { uri: artifactUri(file), uriBaseId: file.startsWith("/") ? undefined : "%SRCROOT%" };
}

function regionOf({ start, end }: Span) {
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}

function diagnosticNotification(d: Diagnostic) {
  return {
    descriptor: { id: d.code },
    level: d.severity,
    message: { text: d.next === undefined ? d.message : `${d.message} ${d.next}` },
    locations: d.span === undefined ? undefined : [{ physicalLocation: physicalLocation(d.span) }],
  };
}

function errorNotification(finding: Finding, index: ReadonlyMap<string, number>) {
  return {
    level: "error",
    message: { text: `${formatRef(finding.resource)} could not be checked: ${finding.message}` },
    associatedRule: { id: ruleId(finding), index: index.get(ruleId(finding)) },
    locations: [locationData(finding)],
  };
}
