import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { describeSkipped, type LoadedPaths } from "../adapters/files/loaded-paths.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Severity, StatusCounts } from "../core/finding.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { buildReport, type FormatName, writeYaml } from "../report/index.ts";
import { explainPolicy } from "../services/explain/explain-policy.ts";
import { compilePolicies, isPolicyObject, type PolicyDocument } from "../services/policies.ts";
import { lintPolicyDocuments } from "../services/policy-lint/lint-documents.ts";
import { summarisePolicy } from "../services/policy-list.ts";
import { type CommandContext, nothingFound, placed } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { explanationText, summaryText } from "./policy-text.ts";
import { exitCodeOf } from "./run-scan.ts";
import { writeReport } from "./write-report.ts";

export interface LintFlags {
  readonly output: FormatName;
  readonly outputFile?: string;
  readonly failOn: Severity | "never";
}

export interface ShowFlags {
  readonly output: "table" | "json" | "yaml";
}

export async function lintPolicies(paths: readonly string[], flags: LintFlags, context: CommandContext): Promise<void> {
  const input = await loadPaths(paths, { rego: true });
  const { findings, policies, others } = lintPolicyDocuments(input.documents, loadKubernetesSchemas());
  requirePolicies(policies, paths, input.diagnostics);
  const counts: StatusCounts = { pass: 0, fail: findings.length, warn: 0, error: 0, skip: 0 };
  const report = buildReport({
    tool: { name: "castellan", version: context.version },
    at: context.io.now(),
    inputs: { sources: paths, files: countFiles(input), objects: policies.length, policies: [], analyses: ["policy-lint"] },
    findings,
    counts,
    diagnostics: input.diagnostics,
    notes: [...describeSkipped(input.skipped), ...(others > 0 ? [`${others} documents are no policies`] : [])],
    accepted: 0,
  });
  writeReport(report, flags, context);
  context.exit(exitCodeOf(report, flags.failOn));
}

export async function showPolicies(paths: readonly string[], flags: ShowFlags, context: CommandContext): Promise<void> {
  const input = await loadPaths(paths, { rego: true });
  const policies = input.documents.filter(isPolicyDocument);
  requirePolicies(policies, paths, input.diagnostics);
  const { set, diagnostics } = compilePolicies(policies, loadKubernetesSchemas().resources());
  const summaries = set.policies.map(summarisePolicy);
  write(summaries, (summary) => summaryText(summary, context.io), flags, context);
  finish([...input.diagnostics, ...diagnostics], context);
}

export async function explainPolicies(paths: readonly string[], flags: ShowFlags, context: CommandContext): Promise<void> {
  const input = await loadPaths(paths);
  const policies = input.documents.filter(isPolicyDocument);
  requirePolicies(policies, paths, input.diagnostics);
  const { diagnostics } = compilePolicies(policies, loadKubernetesSchemas().resources());
  const explanations = policies.flatMap((document) => explainPolicy(document) ?? []);
  write(explanations, (explanation) => explanationText(explanation, context.io), flags, context);
  const missing = policies.filter((document) => explainPolicy(document) === undefined);
  for (const { value, file } of missing) context.io.err(`${file}: a ${value.kind} cannot be put into words yet\n`);
  finish([...input.diagnostics, ...diagnostics], context);
}

function write<T extends object>(items: readonly T[], text: (item: T) => string, flags: ShowFlags, { io }: CommandContext): void {
  if (flags.output === "table") io.out(items.map(text).join(""));
  else if (flags.output === "json") io.out(`${JSON.stringify(items, null, 2)}\n`);
  else io.out(writeYaml(items));
}

/** Of one code; `policy lint` lists every problem. */
const shownProblems = 5;

/** What could not be understood, on standard error, and the exit code that says so. */
export function finish(diagnostics: readonly Diagnostic[], { io, exit }: CommandContext): void {
  const errors = diagnostics.filter((d) => d.severity === "error");
  for (const [code, group] of Map.groupBy(errors, (d) => d.code)) {
    const lines = [...new Set(group.map(placed))];
    for (const line of lines.slice(0, shownProblems)) io.err(`${code}: ${line}\n`);
    if (lines.length > shownProblems) io.err(`${code}: and ${lines.length - shownProblems} more\n`);
  }
  if (errors.length > 0) exit(exitCodes.incomplete);
}

export function isPolicyDocument(document: SourceDocument): document is PolicyDocument {
  return isKubernetesObject(document.value) && isPolicyObject(document.value);
}

export function requirePolicies(
  policies: readonly PolicyDocument[],
  paths: readonly string[],
  read: readonly Diagnostic[],
): void {
  if (policies.length === 0) throw nothingFound(read, `no policy is in ${paths.join(", ")}`);
}

function countFiles(input: LoadedPaths): number {
  return new Set(input.documents.map((d) => d.file)).size;
}
