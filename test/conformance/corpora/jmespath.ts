import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonValue } from "../../../src/core/json.ts";
import { compileStandardJmesPath, JmesPathError, NotFound } from "../../../src/languages/jmespath/index.ts";
import { type Corpus, expectJson, failure, type Outcome, passed } from "../corpus.ts";

interface Suite {
  readonly given: JsonValue;
  readonly cases: readonly Row[];
}

interface Row {
  readonly id: string;
  readonly expression: string;
  readonly result?: JsonValue;
  /** Kind of error that is expected. */
  readonly error?: string;
  /** A benchmark: it only has to run. */
  readonly bench?: string;
}

const host = { now: () => 0, random: () => 0 };

type Answer = { readonly value: JsonValue } | { readonly error: string };

function evaluate(expression: string, given: JsonValue): Answer {
  const program = compileStandardJmesPath(expression);
  if (!program.ok) return { error: program.diagnostics.map((d) => d.message).join("; ") };
  try {
    const value = program.value(given, host);
    return { value: value instanceof NotFound ? null : value };
  } catch (error) {
    if (error instanceof JmesPathError) return { error: error.message };
    throw error;
  }
}

function judge(row: Row, given: JsonValue): Outcome {
  const answer = evaluate(row.expression, given);
  if (row.error !== undefined)
    return "error" in answer ? passed : failure(`expected error ${row.error}, got ${JSON.stringify(answer.value)}`);
  if ("error" in answer) return failure(`${row.expression}: ${answer.error}`);
  return row.bench === undefined ? expectJson(answer.value, row.result) : passed;
}

/** The compliance suite of jmespath.org, on our engine without Kyverno's additions. */
export const corpus: Corpus = {
  name: "jmespath",
  async *cases(directory) {
    for (const file of (await readdir(directory)).filter((name) => name.endsWith(".json")).sort()) {
      const suites: readonly Suite[] = JSON.parse(await readFile(join(directory, file), "utf8"));
      for (const { given, cases } of suites) {
        for (const row of cases) yield { id: row.id, run: () => judge(row, given) };
      }
    }
  },
};
