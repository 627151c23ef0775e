import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Module, RegoVersion } from "../../languages/rego/ast.ts";
import { diagnosticOf } from "../../languages/rego/load.ts";
import { type CompileOptions, compileParsed, type RegoProgram } from "../../languages/rego/program.ts";
import { parseModule } from "../../languages/rego/syntax/module-parser.ts";

/** A `.rego` file after it was parsed. */
export interface RegoFile {
  readonly file: string;
  /** Undefined: it has a syntax error. */
  readonly module: Module | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Parses a file as Rego v1, and as v0 where it is not v1 but v0.
 * @param version undefined: whichever it is
 */
export function parseRegoFile(file: string, source: string, version?: RegoVersion): RegoFile {
  const parsed = parseModule(file, source, version ?? 1);
  if (parsed.ok) return { file, module: parsed.value, diagnostics: [] };
  const older = version === undefined ? parseModule(file, source, 0) : parsed;
  if (older.ok) return { file, module: older.value, diagnostics: [] };
  return { file, module: undefined, diagnostics: parsed.issues.map((issue) => diagnosticOf(issue, [{ file, source }])) };
}

/** Files compiled together, those with syntax errors left out. */
export interface CompiledRegoFiles {
  readonly modules: readonly Module[];
  /** Undefined: something does not compile. */
  readonly program: RegoProgram | undefined;
  /** Of the files, and of what they are together. */
  readonly diagnostics: readonly Diagnostic[];
}

export function compileRegoFiles(files: readonly RegoFile[], options: CompileOptions = {}): CompiledRegoFiles {
  const modules = files.flatMap(({ module }) => (module === undefined ? [] : [module]));
  const syntax = files.flatMap(({ diagnostics }) => diagnostics);
  const compiled = compileParsed(modules, options);
  if (compiled.ok) return { modules, program: compiled.value, diagnostics: syntax };
  return {
    modules,
    program: undefined,
    diagnostics: [...syntax, ...compiled.issues.map((issue) => diagnosticOf(issue, modules))],
  };
}
