import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Module, RegoVersion } from "../../languages/rego/ast.ts";
import type { RegoIssue } from "../../languages/rego/issue.ts";
import { diagnosticOf } from "../../languages/rego/load.ts";
import { parseModule } from "../../languages/rego/syntax/module-parser.ts";

/** A `.rego` file after it was parsed. */
export interface RegoFile {
  readonly file: string;
  /** Undefined: it has a syntax error. */
  readonly module: Module | undefined;
  readonly diagnostics: readonly Diagnostic[];
  diagnosticOf(issue: RegoIssue): Diagnostic;
}

/**
 * Parses a file as Rego v1, and as v0 where it is not v1 but v0.
 * @param version undefined: whichever it is
 */
export function parseRegoFile(file: string, source: string, version?: RegoVersion): RegoFile {
  const asDiagnostic = (issue: RegoIssue) => diagnosticOf(issue, [{ file, source }]);
  const parsed = parseModule(file, source, version ?? 1);
  if (parsed.ok) return { file, module: parsed.value, diagnostics: [], diagnosticOf: asDiagnostic };
  const older = version === undefined ? parseModule(file, source, 0) : parsed;
  if (older.ok) return { file, module: older.value, diagnostics: [], diagnosticOf: asDiagnostic };
  return { file, module: undefined, diagnostics: parsed.issues.map(asDiagnostic), diagnosticOf: asDiagnostic };
}
