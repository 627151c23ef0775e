import type { DiagnosticCode } from "./diagnostic-codes.ts";
import { formatSpan, type Span } from "./source.ts";

/** Something that could not be read, understood or checked. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  /** What is wrong, with the offending value. */
  readonly message: string;
  /** What to do next, as an imperative sentence. */
  readonly next?: string | undefined;
  readonly span?: Span | undefined;
}

/** `file:line:column`, the path alone where all of it is meant, or nothing where no place is known. */
export function placeOf({ code, span }: Diagnostic): string {
  if (span === undefined) return "";
  return /^(?:FILE|DIRECTORY|RENDER)/.test(code) ? span.file : formatSpan(span);
}

/** The result of reading something: expected failures are values, bugs throw. */
export type Loaded<T> =
  | { readonly ok: true; readonly value: T; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export function loaded<T>(value: T, diagnostics: readonly Diagnostic[] = []): Loaded<T> {
  return { ok: true, value, diagnostics };
}

export function failed(...diagnostics: readonly Diagnostic[]): {
  readonly ok: false;
  readonly diagnostics: readonly Diagnostic[];
} {
  return { ok: false, diagnostics };
}

export function assertNever(value: never): never {
  throw new Error(`unreachable: ${String(value)}`);
}
