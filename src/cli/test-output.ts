import type { Diagnostic } from "../core/diagnostic.ts";
import { formatSpan } from "../core/source.ts";
import { type Style, styleFor } from "../report/style.ts";
import { count } from "../report/text.ts";
import { element } from "../report/xml.ts";
import type { TestOutcome } from "../services/test-run.ts";
import type { TestRow } from "../services/test-score.ts";

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Files or parts of them that could not be read or understood. */
  readonly problems: number;
}

export function countTests(outcomes: readonly TestOutcome[]): TestCounts {
  const rows = outcomes.flatMap((o) => o.rows);
  const count = (outcome: TestRow["outcome"]) => rows.filter((row) => row.outcome === outcome).length;
  const problems = outcomes.flatMap((o) => o.diagnostics).filter((d) => d.severity === "error").length;
  return { passed: count("pass"), failed: count("fail"), skipped: count("skip"), problems };
}

interface TestOutputOptions {
  readonly failOnly: boolean;
  readonly color: boolean;
}

type TestFormatter = (outcomes: readonly TestOutcome[], options: TestOutputOptions) => string;

const marks: { readonly [outcome in TestRow["outcome"]]: string } = { pass: "pass", fail: "FAIL", skip: "skip" };

/** The name of one of our own cases; the rows of a Kyverno test share the name of the test. */
function caseOf(row: TestRow, outcome: TestOutcome): string | undefined {
  return row.test === outcome.name || row.test === "" ? undefined : row.test;
}

function formatRow(row: TestRow, outcome: TestOutcome, style: Style): string {
  const level = row.outcome === "fail" ? "high" : row.outcome;
  const rule = [row.policy, row.rule].filter((s) => s !== "").join("/");
  const own = caseOf(row, outcome);
  const [what, about] = own === undefined ? [rule, row.resource] : [own, `${rule}  ${row.resource}`];
  const line = `  ${style.level(level, marks[row.outcome])}  ${what}  ${style.dim(about)}`;
  if (row.outcome === "pass") return line;
  const where = row.location === undefined ? "" : style.dim(` (${formatSpan(row.location)})`);
  const said = row.message === "" || row.outcome === "skip" ? "" : `\n        ${row.message.split("\n").join("\n        ")}`;
  return `${line}\n        ${row.reason}${where}${said}`;
}

function formatDiagnostic(d: Diagnostic, style: Style): string {
  const where = d.span === undefined ? "" : `${formatSpan(d.span)}: `;
  return `  ${style.level(d.severity === "error" ? "error" : "warn", d.severity)}  ${where}${d.message}`;
}

function formatOutcome(outcome: TestOutcome, options: TestOutputOptions, style: Style): string | undefined {
  const rows = options.failOnly ? outcome.rows.filter((row) => row.outcome === "fail") : outcome.rows;
  const diagnostics = options.failOnly ? outcome.diagnostics.filter((d) => d.severity === "error") : outcome.diagnostics;
  if (rows.length === 0 && diagnostics.length === 0) return undefined;
  const title = outcome.name === outcome.file ? outcome.file : `${outcome.name}  ${style.dim(outcome.file)}`;
  return [
    style.bold(title),
    ...diagnostics.map((d) => formatDiagnostic(d, style)),
    ...rows.map((r) => formatRow(r, outcome, style)),
  ].join("\n");
}

const table: TestFormatter = (outcomes, options) => {
  const style = styleFor(options.color);
  const blocks = outcomes.map((o) => formatOutcome(o, options, style)).filter((b) => b !== undefined);
  const { passed, failed, skipped, problems } = countTests(outcomes);
  const extra = [skipped > 0 ? `${skipped} skipped` : "", problems > 0 ? count(problems, "problem") : ""].filter((s) => s !== "");
  const summary = [`${passed} passed`, `${failed} failed`, ...extra].join(", ");
  return `${[...blocks, style.bold(summary)].join("\n\n")}\n`;
};

const json: TestFormatter = (outcomes, options) => {
  const tests = outcomes.map((outcome) => ({
    file: outcome.file,
    name: outcome.name,
    results: outcome.rows
      .filter((row) => !options.failOnly || row.outcome === "fail")
      .map((judged) => {
        const { location, file: _file, test: _test, ...row } = judged;
        const own = caseOf(judged, outcome);
        return { ...(own === undefined ? {} : { case: own }), ...row, line: location?.start.line };
      }),
    problems: outcome.diagnostics.map(({ code, severity, message, span }) => ({
      code,
      severity,
      message,
      ...(span === undefined ? {} : { location: formatSpan(span) }),
    })),
  }));
  return `${JSON.stringify({ summary: countTests(outcomes), tests }, null, 2)}\n`;
};

function junitCase(row: TestRow): string {
  const name = [row.rule, row.resource, row.test].filter((s) => s !== "").join(" ");
  const attributes = { classname: row.policy, name, file: row.file, line: row.location?.start.line };
  if (row.outcome === "pass") return element("testcase", attributes);
  if (row.outcome === "skip") return element("testcase", attributes, [element("skipped", { message: row.reason })]);
  return element("testcase", attributes, [
    element("failure", { message: `${row.reason}${row.message === "" ? "" : `: ${row.message}`}` }),
  ]);
}

function junitProblem(d: Diagnostic): string {
  const failure = element("error", { message: d.message });
  return element("testcase", { classname: d.code, name: d.span === undefined ? d.code : formatSpan(d.span) }, [failure]);
}

const junit: TestFormatter = (outcomes, options) => {
  const suites = outcomes.map((outcome) => {
    const rows = options.failOnly ? outcome.rows.filter((row) => row.outcome === "fail") : outcome.rows;
    const problems = outcome.diagnostics.filter((d) => d.severity === "error");
    const attributes = {
      name: outcome.name,
      file: outcome.file,
      tests: rows.length + problems.length,
      failures: rows.filter((row) => row.outcome === "fail").length,
      errors: problems.length,
      skipped: rows.filter((row) => row.outcome === "skip").length,
    };
    return element("testsuite", attributes, [...problems.map(junitProblem), ...rows.map(junitCase)]);
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", {}, suites)}\n`;
};

/** How the outcome of tests is written. */
export const testFormatters = { table, json, junit } as const satisfies Record<string, TestFormatter>;

export type TestFormatName = keyof typeof testFormatters;
