import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { readYaml } from "../../../src/core/yaml/read-yaml.ts";
import { constantOf } from "../../../src/languages/rego/compile/ground.ts";
import { formatIssue } from "../../../src/languages/rego/issue.ts";
import {
  type Bindings,
  compileSources,
  type EvaluationError,
  formatEvaluationError,
} from "../../../src/languages/rego/program.ts";
import { parseQuery } from "../../../src/languages/rego/syntax/module-parser.ts";
import { compareValues } from "../../../src/languages/rego/values/compare.ts";
import { toJson } from "../../../src/languages/rego/values/json.ts";
import { printValue } from "../../../src/languages/rego/values/print.ts";
import { fromJson, RegoObject, RegoSet, type Value } from "../../../src/languages/rego/values/value.ts";
import { type Corpus, failure, type Outcome, passed } from "../corpus.ts";

/** One case of OPA's suite. */
interface Row {
  readonly note: string;
  readonly query: string;
  readonly modules?: readonly string[];
  readonly data?: JsonObject;
  readonly input?: JsonValue;
  /** A term in Rego's syntax instead of `input`. */
  readonly input_term?: string;
  readonly want_result?: readonly JsonObject[];
  readonly want_error_code?: string;
  readonly want_error?: string;
  readonly sort_bindings?: boolean;
  readonly ignore_generated_vars?: boolean;
  readonly strict_error?: boolean;
}

interface Suite {
  readonly cases: readonly Row[];
}

type Answer = { readonly results: readonly Bindings[] } | { readonly error: EvaluationError } | { readonly refused: string };

function inputOf(row: Row): Value | undefined {
  if (row.input_term === undefined) return row.input === undefined ? undefined : fromJson(row.input);
  const parsed = parseQuery(row.input_term);
  const [expr] = parsed.ok ? parsed.value : [];
  return expr?.kind === "term-expr" ? constantOf(expr.term) : undefined;
}

function answer(row: Row, version: 0 | 1): Answer {
  const sources = (row.modules ?? []).map((source, i) => ({ file: `test-${i}.rego`, source, version }));
  const program = compileSources(sources);
  if (!program.ok) return { refused: program.issues.map(formatIssue).join("; ") };
  const query = program.value.query(row.query);
  if (!query.ok) return { refused: query.issues.map(formatIssue).join("; ") };
  const evaluated = query.value.evaluate({
    input: inputOf(row),
    data: row.data === undefined ? RegoObject.empty : RegoObject.fromJson(row.data),
    host: { now: () => Date.now(), random: () => Math.random() },
    strictBuiltinErrors: row.strict_error === true,
  });
  return evaluated.ok ? { results: evaluated.value } : { error: evaluated.error };
}

function judge(row: Row, version: 0 | 1): Outcome {
  const got = answer(row, version);
  if ("refused" in got) return failure(got.refused);
  if (row.want_error_code === undefined && row.want_error === undefined) {
    return "error" in got ? failure(formatEvaluationError(got.error)) : judgeResults(row, got.results);
  }
  if (!("error" in got))
    return failure(`expected ${row.want_error ?? row.want_error_code}, got ${print(setOf(row, got.results))}`);
  if (row.want_error_code !== undefined && got.error.code !== row.want_error_code) {
    return failure(`expected ${row.want_error_code}, got ${formatEvaluationError(got.error)}`);
  }
  const text = formatEvaluationError(got.error);
  return text.includes(row.want_error ?? "") ? passed : failure(`expected ${row.want_error}, got ${text}`);
}

/** Results are a set of objects, of JSON values. */
function setOf(row: Row, results: readonly Bindings[]): RegoSet {
  return RegoSet.of(
    results.map((bindings) =>
      RegoObject.of([...bindings].map(([name, value]) => [name, sorted(fromJson(toJson(value)), row)] as const)),
    ),
  );
}

function sorted(value: Value, row: Row): Value {
  return row.sort_bindings === true && Array.isArray(value) ? value.toSorted(compareValues) : value;
}

function judgeResults(row: Row, results: readonly Bindings[]): Outcome {
  const wanted = RegoSet.of((row.want_result ?? []).map((bindings) => fromJson(bindings)));
  const got = setOf(row, results);
  return compareValues(wanted, got) === 0 ? passed : failure(`got ${print(got)}, expected ${print(wanted)}`);
}

function print(value: Value): string {
  const text = printValue(value);
  return text.length > 600 ? `${text.slice(0, 600)}...` : text;
}

/** OPA's own cases of the language and its builtins, in the syntax of v0 and v1. */
export const corpus: Corpus = {
  name: "opa",
  async *cases(directory) {
    for (const version of [0, 1] as const) {
      const folder = `v${version}`;
      const files = (await readdir(join(directory, folder), { recursive: true })).filter((f) => f.endsWith(".yaml"));
      for (const file of files.sort()) {
        const loaded = readYaml(await readFile(join(directory, folder, file), "utf8"));
        if (!loaded.ok) throw new Error(`${file}: ${loaded.diagnostics.map((d) => d.message).join("; ")}`);
        for (const [i, row] of suiteOf(loaded.value).cases.entries()) {
          yield { id: `${folder}/${file}#${i} ${row.note}`, run: () => judge(row, version) };
        }
      }
    }
  },
};

/** The suite's own shape; numbers stay what they were read as. */
function suiteOf(json: JsonValue): Suite {
  return json as unknown as Suite;
}
