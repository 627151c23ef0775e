import type { JsonPath, JsonValue } from "./json.ts";
import { compileLabelSelector, type LabelPredicate } from "./label-selector.ts";

/** Compiles a label selector that stands at `path` of a document; what is wrong with it is reported there. */
export function compileSelectorField(
  spec: { readonly [key: string]: unknown } | undefined,
  path: JsonPath,
  report: (path: JsonPath, message: string) => void,
): LabelPredicate | undefined {
  if (spec === undefined) return undefined;
  const unknown = Object.keys(spec).find((key) => key !== "matchLabels" && key !== "matchExpressions");
  if (unknown !== undefined) report([...path, unknown], `unknown field ${JSON.stringify(unknown)}`);
  // Read from a document, so JSON all through.
  const compiled = compileLabelSelector(spec as { readonly [key: string]: JsonValue });
  if (compiled.ok) return compiled.matches;
  for (const problem of compiled.problems) report([...path, ...problem.path], problem.message);
  return undefined;
}
