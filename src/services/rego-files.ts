import { basename } from "node:path";
import type { TextFiles } from "../adapters/files/text-files.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { parseDocuments } from "../core/yaml/parse-documents.ts";
import type { Module, RegoVersion } from "../languages/rego/ast.ts";
import type { RegoProgram } from "../languages/rego/program.ts";
import { compileRegoFiles, parseRegoFile, type RegoFile } from "../policies/rego/rego-file.ts";

/** Rego modules and data, as OPA's commands take them from paths. */
export interface RegoBundle {
  readonly files: readonly RegoFile[];
  readonly modules: readonly Module[];
  /** Base documents. */
  readonly data: JsonObject;
  /** Undefined: something does not compile. */
  readonly program: RegoProgram | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export interface RegoOptions {
  readonly strict?: boolean | undefined;
  /** Undefined: each file is what it parses as, v1 first. */
  readonly version?: RegoVersion | undefined;
}

const isData = (path: string): boolean => /^data\.(?:json|ya?ml)$/.test(basename(path));

function readData(path: string, text: string, into: { [name: string]: JsonObject[string] }, diagnostics: Diagnostic[]): void {
  const parsed = parseDocuments(text, path);
  diagnostics.push(...parsed.diagnostics);
  for (const { value } of parsed.documents) if (isObject(value)) Object.assign(into, value);
}

/** Reads `.rego` files and `data.json` or `data.yaml` files below the paths, and compiles them together. */
export function loadRego(paths: readonly string[], files: TextFiles, options: RegoOptions = {}): RegoBundle {
  const diagnostics: Diagnostic[] = [];
  const parsed: RegoFile[] = [];
  const data: { [name: string]: JsonObject[string] } = {};
  const all = [...new Set(paths.flatMap((path) => files.walk(path)))];
  for (const path of all) {
    const isRego = path.endsWith(".rego");
    if (!isRego && !isData(path) && !paths.includes(path)) continue;
    const file = files.read(path);
    if (!file.ok) diagnostics.push({ code: "FILE_UNREADABLE", severity: "error", message: `${path}: ${file.message}` });
    else if (isRego) parsed.push(parseRegoFile(path, file.text, options.version));
    else readData(path, file.text, data, diagnostics);
  }
  const compiled = compileRegoFiles(parsed, { strict: options.strict });
  const { modules } = compiled;
  const program = modules.length === parsed.length ? compiled.program : undefined;
  return { files: parsed, modules, data, program, diagnostics: [...diagnostics, ...compiled.diagnostics] };
}
