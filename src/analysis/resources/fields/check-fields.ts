import type { JsonPath } from "../../../core/json.ts";
import { gvkOf, type KubernetesObject } from "../../../core/kubernetes.ts";
import { gvkKey, type KubernetesSchemas, type Schema } from "../../../core/schema.ts";
import type { LintIssue } from "../issue.ts";
import { explainUnknown, explainValue } from "./explain.ts";
import { type FieldIndex, indexFields } from "./field-index.ts";
import type { FieldProblem, UnknownField } from "./problem.ts";
import { type Suggestion, suggest } from "./suggest.ts";
import { walkObject } from "./walk.ts";

/** Schemas of custom kinds: several where the scanned files hold CustomResourceDefinitions that differ. */
export type CustomSchemas = ReadonlyMap<string, readonly Schema[]>;

export interface FieldChecker {
  /** Problems of one object with its kind's schema; none where the kind is not known. */
  check(object: KubernetesObject, partial: boolean): readonly LintIssue[];
}

export function fieldChecker(schemas: KubernetesSchemas, custom: CustomSchemas): FieldChecker {
  const indexes = new Map<string, FieldIndex>();
  return {
    check(object, partial) {
      const key = gvkKey(gvkOf(object));
      const builtIn = schemas.schemaFor(gvkOf(object));
      const candidates = builtIn === undefined ? (custom.get(key) ?? []) : [builtIn];
      const [first, ...others] = candidates;
      if (first === undefined) return [];
      const judge = builtIn === undefined ? "custom" : "built-in";
      const options = { partial, custom: judge === "custom" };
      const problems = agreed(
        walkObject(object, first, schemas, options),
        others.map((schema) => walkObject(object, schema, schemas, options)),
      );
      const index = () => {
        const known = indexes.get(key) ?? indexFields(first, schemas);
        indexes.set(key, known);
        return known;
      };
      const unknown = problems.filter((problem) => problem.kind === "unknown");
      const suggestions = new Map(unknown.map((problem) => [problem, suggest(problem, index, schemas)]));
      const meant = new Set([...suggestions].map(([problem, suggestion]) => meantPlace(problem, suggestion)));
      const missing = new Set(problems.flatMap((p) => (p.kind === "missing" ? placeKey([...p.path, p.key]) : [])));
      return problems.flatMap((problem) => {
        if (isSecretData(object, problem)) return [];
        if (problem.kind === "missing" && meant.has(placeKey([...problem.path, problem.key]))) return [];
        if (problem.kind !== "unknown") return [explainValue(problem, object, judge)];
        const suggestion = suggestions.get(problem);
        const needed = missing.has(meantPlace(problem, suggestion) ?? "");
        return [explainUnknown(object, problem, suggestion, needed)];
      });
    },
  };
}

/** A place by its member names, so that a field that stands elsewhere is not also reported as missing. */
function placeKey(path: JsonPath): string {
  return path.map((step) => (typeof step === "number" ? "[]" : step)).join(".");
}

function meantPlace(problem: UnknownField, suggestion: Suggestion | undefined): string | undefined {
  if (suggestion === undefined) return undefined;
  return suggestion.kind === "misspelt" ? placeKey([...problem.path.slice(0, -1), suggestion.name]) : suggestion.place.join(".");
}

/** The values of a Secret are judged by a check that knows placeholders. */
function isSecretData(object: KubernetesObject, problem: FieldProblem): boolean {
  return problem.kind === "format" && problem.format === "byte" && object.kind === "Secret" && problem.path[0] === "data";
}

/** The problems that every version of the schema sees: with two CustomResourceDefinitions we cannot know which is installed. */
function agreed(problems: readonly FieldProblem[], others: readonly (readonly FieldProblem[])[]): readonly FieldProblem[] {
  if (others.length === 0) return problems;
  const seen = others.map((list) => new Set(list.map(identity)));
  return problems.filter((problem) => seen.every((set) => set.has(identity(problem))));
}

function identity(problem: FieldProblem): string {
  const key = problem.kind === "missing" ? problem.key : "";
  return JSON.stringify([problem.kind, key, ...problem.path]);
}
