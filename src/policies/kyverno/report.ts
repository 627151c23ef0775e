import type { Diagnostic } from "../../core/diagnostic.ts";
import type { DiagnosticCode } from "../../core/diagnostic-codes.ts";
import { type JsonPath, type JsonValue, toDotted } from "../../core/json.ts";
import type { SourceDocument } from "../../core/source.ts";

/** Collects what is wrong with one document while it is compiled. */
export class DocumentReport {
  readonly document: SourceDocument<JsonValue>;
  readonly #diagnostics: Diagnostic[] = [];

  constructor(document: SourceDocument<JsonValue>) {
    this.document = document;
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  /** Reports a problem with the value at `path`; the path is part of the message, so that it reads without the file. */
  error(code: DiagnosticCode, path: JsonPath, message: string, next?: string): void {
    const span = this.document.locateKey(path) ?? this.document.locate(path);
    this.#diagnostics.push({ code, severity: "error", message: `${toDotted(path)}: ${message}`, next, span });
  }

  warning(code: DiagnosticCode, path: JsonPath, message: string, next?: string): void {
    const span = this.document.locateKey(path) ?? this.document.locate(path);
    this.#diagnostics.push({ code, severity: "warning", message: `${toDotted(path)}: ${message}`, next, span });
  }

  add(diagnostics: readonly Diagnostic[]): void {
    this.#diagnostics.push(...diagnostics);
  }

  /** How many errors there are so far; to tell whether a part added some. */
  get errorCount(): number {
    return this.#diagnostics.filter((d) => d.severity === "error").length;
  }
}
