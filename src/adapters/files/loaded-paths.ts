import type { Diagnostic } from "../../core/diagnostic.ts";
import type { DiagnosticCode } from "../../core/diagnostic-codes.ts";
import type { SourceDocument } from "../../core/source.ts";

/** Why a file that was met, not named, was left alone. */
export type SkipReason = "chart" | "template" | "kustomization" | "kustomize-patch" | "hidden";

export interface SkippedPath {
  readonly path: string;
  readonly reason: SkipReason;
}

/** What paths hold: every document that could be read, what is wrong with the rest, and what was left alone. */
export interface LoadedPaths {
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
  readonly skipped: readonly SkippedPath[];
}

/** A diagnostic about a whole file or directory. */
export function pathDiagnostic(
  code: DiagnosticCode,
  file: string,
  message: string,
  severity: Diagnostic["severity"] = "error",
): Diagnostic {
  const start = { offset: 0, line: 1, column: 1 };
  return { code, severity, message, span: { file, start, end: start } };
}

const reasons: { readonly [reason in SkipReason]: readonly [singular: string, plural: string, what: string] } = {
  chart: ["Helm chart", "Helm charts", "not rendered; name the chart's directory to have it rendered"],
  template: ["template", "templates", "no YAML before rendering"],
  kustomization: ["kustomization", "kustomizations", "its files were read as they are; name its directory to have it built"],
  "kustomize-patch": ["kustomize patch", "kustomize patches", "parts of objects, not objects"],
  hidden: ["hidden directory", "hidden directories", "not searched"],
};

/** One line for each kind of thing that was left alone: `2 Helm charts: not rendered; ...`. */
export function describeSkipped(skipped: readonly SkippedPath[]): readonly string[] {
  const counts = new Map<SkipReason, number>();
  for (const { reason } of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => {
    const [singular, plural, what] = reasons[reason];
    return `${count} ${count === 1 ? singular : plural}: ${what}`;
  });
}
