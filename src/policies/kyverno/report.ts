import type { Diagnostic } from "../../core/diagnostic.ts";
import type { DiagnosticCode } from "../../core/diagnostic-codes.ts";
import { type JsonPath, type JsonValue, toDotted } from "../../core/json.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type Shape, shapeProblems } from "./shape.ts";

/** Collects what is wrong with one document while it is compiled. */
export class DocumentReport {
  readonly document: SourceDocument<JsonValue>;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #known = new Set<string>();
  readonly #errors: string[] = [];

  constructor(document: SourceDocument<JsonValue>) {
    this.document = document;
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  /** How many errors there are so far. */
  get errorCount(): number {
    return this.#errors.length;
  }

  /** The messages of the errors so far, repeated ones too; to tell which a part added. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** Reports a problem with the value at `path`; the path is part of the message, so that it reads without the file. */
  error(code: DiagnosticCode, path: JsonPath, message: string, next?: string): void {
    this.#add("error", code, path, message, next);
  }

  warning(code: DiagnosticCode, path: JsonPath, message: string, next?: string): void {
    this.#add("warning", code, path, message, next);
  }

  /** Takes over the diagnostics of a part that stands at `path`. */
  adopt(diagnostics: readonly Diagnostic[], path: JsonPath): void {
    for (const d of diagnostics) {
      if (d.span === undefined) this.#add(d.severity, d.code, path, d.message, d.next);
      else this.#push(d);
    }
  }

  #add(severity: Diagnostic["severity"], code: DiagnosticCode, path: JsonPath, message: string, next?: string): void {
    const span = this.document.locateKey(path) ?? this.document.locate(path);
    this.#push({ code, severity, message: path.length === 0 ? message : `${toDotted(path)}: ${message}`, next, span });
  }

  #push(diagnostic: Diagnostic): void {
    const { severity, code, message, span } = diagnostic;
    if (severity === "error") this.#errors.push(message);
    // A rule and the ones generated from it have the same problems at the same place.
    const key = `${code}|${message}|${span?.start.offset}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#diagnostics.push(diagnostic);
  }
}

/** Reports unknown fields and wrong types of the value at `path`; whether there were none. */
export function reportShape(value: JsonValue | undefined, shape: Shape, path: JsonPath, report: DocumentReport): boolean {
  const problems = shapeProblems(value, shape, path);
  for (const problem of problems) {
    if (problem.kind === "wrong-type") report.error("KYV_WRONG_TYPE", problem.path, problem.message);
    else {
      const next = problem.nearest === undefined ? undefined : `Did you mean ${JSON.stringify(problem.nearest)}?`;
      report.error("KYV_UNKNOWN_FIELD", problem.path, problem.message, next);
    }
  }
  return problems.length === 0;
}
