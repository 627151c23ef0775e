import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import type { DiagnosticCode } from "../../core/diagnostic-codes.ts";
import type { Position } from "../../core/source.ts";
import { quoteLine, type RegoIssue, type RegoIssueCode } from "./issue.ts";
import { type CompileOptions, compileSources, type ModuleSource, type RegoProgram } from "./program.ts";

const codes: { readonly [code in RegoIssueCode]: DiagnosticCode } = {
  rego_parse_error: "REGO_PARSE",
  rego_compile_error: "REGO_COMPILE",
  rego_type_error: "REGO_TYPE",
  rego_unsafe_var_error: "REGO_UNSAFE_VAR",
  rego_recursion_error: "REGO_RECURSION",
};

/** Parses and compiles modules together. A diagnostic's message is OPA's, with the line below it. */
export function compileRego(sources: readonly ModuleSource[], options: CompileOptions = {}): Loaded<RegoProgram> {
  const compiled = compileSources(sources, options);
  if (compiled.ok) return loaded(compiled.value);
  return failed(...compiled.issues.map((issue) => diagnosticOf(issue, sources)));
}

/** The issue as a diagnostic, at its place in the source of that file. */
export function diagnosticOf(issue: RegoIssue, sources: readonly ModuleSource[]): Diagnostic {
  const { at, file } = issue;
  const source = sources.find((candidate) => candidate.file === file)?.source ?? "";
  const code = codes[issue.code];
  if (at === undefined) return { code, severity: "error", message: issue.message };
  const message = `${issue.message}\n${quoteLine(source, at)}`;
  const start = positionAt(source, at.offset);
  return { code, severity: "error", message, span: { file, start, end: positionAt(source, at.end) } };
}

function positionAt(source: string, offset: number): Position {
  const before = source.slice(0, offset);
  return { offset, line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
