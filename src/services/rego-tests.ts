import { dirname } from "node:path";
import type { Span } from "../core/source.ts";
import type { Module } from "../languages/rego/ast.ts";
import { fromJson, RegoObject, type Value } from "../languages/rego/index.ts";
import { formatEvaluationError, type RegoProgram } from "../languages/rego/program.ts";
import { loadRego, type RegoBundle } from "./rego-files.ts";
import type { TestOutcome, TestRequest } from "./test-run.ts";
import type { TestRow } from "./test-score.ts";

/** Rules that are tests, and those that will be. */
const isTest = (name: string): boolean => name.startsWith("test_");
const isTodo = (name: string): boolean => name.startsWith("todo_test_");

/** Whether a file holds tests of Rego. */
export const isRegoTestFile = (path: string): boolean => path.endsWith("_test.rego");

interface TestRule {
  readonly name: string;
  readonly location: Span;
}

function testRules({ file, rules }: Module): readonly TestRule[] {
  const found = new Map<string, TestRule>();
  for (const { head, at } of rules) {
    const { name } = head.ref[0];
    if (found.has(name) || !(isTest(name) || isTodo(name))) continue;
    const position = { offset: at.offset, line: at.line, column: at.column };
    found.set(name, { name, location: { file, start: position, end: { ...position, offset: at.end } } });
  }
  return [...found.values()];
}

type Verdict = Pick<TestRow, "outcome" | "reason" | "actual">;

const verdictOf = (value: Value | undefined): Verdict =>
  value === true
    ? { outcome: "pass", reason: "ok", actual: "true" }
    : { outcome: "fail", reason: value === undefined ? "undefined" : `it is ${String(value)}, not true`, actual: String(value) };

/** What came of one test, and of its cases where it has some: `test_x[case]`. */
function judge(
  program: RegoProgram,
  path: readonly string[],
  data: RegoObject,
  request: TestRequest,
): readonly (Verdict & { readonly part: string })[] {
  const evaluated = program.rule(path).evaluate({ data, host: request.host });
  if (!evaluated.ok) return [{ part: "", outcome: "fail", reason: formatEvaluationError(evaluated.error), actual: "error" }];
  const { value } = evaluated;
  if (!(value instanceof RegoObject)) return [{ part: "", ...verdictOf(value) }];
  return value.sorted().map((member) => ({ part: `/${String(member.key)}`, ...verdictOf(member.value) }));
}

const bundles = new WeakMap<TestRequest, Map<string, RegoBundle>>();

/** The modules and data of a folder; tests see those beside and below them. */
function bundleOf(folder: string, request: TestRequest): RegoBundle {
  const known = bundles.get(request) ?? new Map<string, RegoBundle>();
  bundles.set(request, known);
  const bundle = known.get(folder) ?? loadRego([folder], request.files);
  known.set(folder, bundle);
  return bundle;
}

/** Runs the tests of a `_test.rego` file with all modules and data of its folder, as `opa test` does. */
export function runRegoTests(path: string, request: TestRequest): TestOutcome {
  const { program, modules, data, diagnostics } = bundleOf(dirname(path), request);
  const own = modules.find((module) => module.file === path);
  const name = own?.package.path.join(".") ?? path;
  if (program === undefined || own === undefined) return { file: path, name, rows: [], diagnostics };
  const base = fromJson(data);
  const given = base instanceof RegoObject ? base : RegoObject.empty;
  const rows = testRules(own).flatMap(({ name: test, location }): readonly TestRow[] => {
    const row = { file: path, test, policy: name, rule: test, resource: "", expected: "true", message: "", location };
    if (request.selection({ policy: name, rule: test, resources: [] }) === undefined) return [];
    if (isTodo(test)) return [{ ...row, outcome: "skip", reason: "the test is still to be written", actual: undefined }];
    return judge(program, [...own.package.path, test], given, request).map(({ part, ...verdict }) => ({
      ...row,
      test: `${test}${part}`,
      rule: `${test}${part}`,
      ...verdict,
    }));
  });
  return { file: path, name, rows, diagnostics };
}
