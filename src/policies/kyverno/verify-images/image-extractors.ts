import { asString, isArray, isObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { compileJmesPath, NotFound } from "../../../languages/jmespath/index.ts";
import type { ImageExtractor } from "../images.ts";
import type { DocumentReport } from "../report.ts";
import type { RuleScope } from "../rule-types.ts";

type Extractors = { readonly [kind: string]: readonly ImageExtractor[] };

/** Where images stand, by kind, for one evaluation. */
export type ExtractorsProgram = (scope: RuleScope) => Extractors;

/** Compiles `imageExtractors`; undefined where a rule has none. Wrong expressions are reported. */
export function compileImageExtractors(
  spec: JsonValue | undefined,
  path: JsonPath,
  report: DocumentReport,
): ExtractorsProgram | undefined {
  if (!isObject(spec)) return undefined;
  const kinds = Object.entries(spec).map(([kind, entries]) => {
    const compiled = (isArray(entries) ? entries : []).map((entry, i) => compileExtractor(entry, [...path, kind, i], report));
    return [kind, compiled.filter((c) => c !== undefined)] as const;
  });
  return (scope) => Object.fromEntries(kinds.map(([kind, extractors]) => [kind, extractors.map((e) => e(scope))]));
}

function compileExtractor(
  spec: JsonValue,
  path: JsonPath,
  report: DocumentReport,
): ((scope: RuleScope) => ImageExtractor) | undefined {
  const steps = (asString(member(spec, "path")) ?? "")
    .split("/")
    .map((step) => step.trim())
    .filter((step) => step !== "");
  const given = asString(member(spec, "value")) ?? "";
  const last = steps.at(-1);
  if (last === undefined) {
    report.error("KYV_BAD_RULE", path, "needs a path");
    return undefined;
  }
  const extractor: ImageExtractor = {
    name: asString(member(spec, "name")) || "custom",
    key: asString(member(spec, "key")) ?? "",
    value: given === "" ? last : given,
    steps: given === "" ? steps.slice(0, -1) : steps,
  };
  const expression = asString(member(spec, "jmesPath")) ?? "";
  if (expression === "") return () => extractor;
  const program = compileJmesPath(expression);
  report.adopt(program.diagnostics, [...path, "jmesPath"]);
  if (!program.ok) return undefined;
  const search = program.value;
  return ({ host }) => ({
    ...extractor,
    transform(value) {
      const found = search(value, host);
      if (typeof found === "string") return found;
      const what = found instanceof NotFound ? found.message : JSON.stringify(found);
      throw new Error(`jmespath ${expression} must produce a string, but produced ${what}`);
    },
  });
}
