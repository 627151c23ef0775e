import { assertNever, type Diagnostic } from "../core/diagnostic.ts";
import type { Finding } from "../core/finding.ts";
import { formatRef } from "../core/kubernetes.ts";
import { formatSpan } from "../core/source.ts";
import { explain } from "./explain.ts";
import type { FormatOptions, Formatter } from "./format.ts";
import { levelOf } from "./order.ts";
import type { Report } from "./report.ts";
import { headline } from "./text.ts";
import { element, escapeMarkup } from "./xml.ts";

interface Case {
  readonly xml: string;
  readonly outcome: "passed" | "failure" | "error" | "skipped";
}

/** JUnit XML as Jenkins, GitLab and Azure read it: one suite a policy, one case per rule and object, one suite for the input. */
export const junit: Formatter = (report, options) => {
  const byPolicy = Map.groupBy(report.findings, (f) => f.check.policy);
  const suites = [
    ...[...byPolicy].map(([policy, findings]) =>
      suite(
        policy,
        findings.map((f) => findingCase(f, options)),
        report,
      ),
    ),
    ...(report.diagnostics.length > 0 || byPolicy.size === 0 ? [suite("input", inputCases(report), report)] : []),
  ];
  const all = suites.flatMap((s) => s.cases);
  const body = suites.map((s) => s.xml);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", { name: report.tool.name, ...tally(all) }, ["\n", ...body])}\n`;
};

function suite(name: string, cases: readonly Case[], report: Report) {
  const timestamp = new Date(report.at).toISOString().slice(0, 19);
  const xml = element("testsuite", { name, timestamp, time: 0, ...tally(cases) }, ["\n", ...cases.map((c) => `${c.xml}\n`)]);
  return { cases, xml: `${xml}\n` };
}

function tally(cases: readonly Case[]) {
  const number = (outcome: Case["outcome"]) => cases.filter((c) => c.outcome === outcome).length;
  return { tests: cases.length, failures: number("failure"), errors: number("error"), skipped: number("skipped") };
}

function findingCase(finding: Finding, options: FormatOptions): Case {
  const { location, resource, check, message, fix } = finding;
  const lines = [
    ...(location === undefined ? [] : [formatSpan(location)]),
    message,
    ...(fix === undefined ? [] : [`Fix: ${fix.description}`]),
    ...(options.explain ? explain(finding) : []),
  ];
  const attributes = {
    classname: check.policy,
    name: `${check.rule}: ${formatRef(resource)}`,
    file: location?.file,
    line: location?.start.line,
    time: 0,
  };
  const said = { message: headline(message), type: levelOf(finding) };
  const outcome = outcomeOf(finding);
  const inner =
    outcome === "passed" ? [] : [element(outcome, said, outcome === "skipped" ? [] : [escapeMarkup(lines.join("\n"))])];
  return { outcome, xml: element("testcase", attributes, inner) };
}

/** A warning is no failure in JUnit's terms; it is kept as a skipped case, whose message viewers show. */
function outcomeOf(finding: Finding): Case["outcome"] {
  switch (finding.status) {
    case "fail":
      return "failure";
    case "error":
      return "error";
    case "warn":
    case "skip":
      return "skipped";
    case "pass":
      return "passed";
    default:
      return assertNever(finding.status);
  }
}

/** What could not be read; a run without findings holds one passed case, as readers refuse an empty file. */
function inputCases(report: Report): readonly Case[] {
  if (report.diagnostics.length === 0) {
    const name = `${report.inputs.objects} objects, ${report.counts.pass} results passed`;
    return [{ outcome: "passed", xml: element("testcase", { classname: "input", name, time: 0 }) }];
  }
  return report.diagnostics.map((d) => diagnosticCase(d));
}

function diagnosticCase(d: Diagnostic): Case {
  const name = d.span === undefined ? d.message : `${formatSpan(d.span)}: ${d.message}`;
  const attributes = {
    classname: "input",
    name: `${d.code}: ${headline(name)}`,
    file: d.span?.file,
    line: d.span?.start.line,
    time: 0,
  };
  const outcome = d.severity === "error" ? "error" : "skipped";
  const text = [name, ...(d.next === undefined ? [] : [d.next])].join("\n");
  const inner = element(outcome, { message: headline(d.message), type: d.code }, outcome === "error" ? [escapeMarkup(text)] : []);
  return { outcome, xml: element("testcase", attributes, [inner]) };
}
