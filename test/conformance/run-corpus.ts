import { readFile } from "node:fs/promises";
import { load } from "js-yaml";
import type { Case, Corpus, Outcome } from "./corpus.ts";

/** Cases that are known to fail, each with its reason. */
export type ExpectedFailures = ReadonlyMap<string, string>;

interface FailedCase {
  readonly id: string;
  readonly message: string;
}

export interface CorpusResult {
  readonly passed: number;
  /** Expected failures included. */
  readonly failed: number;
  readonly skipped: ReadonlyMap<string, number>;
  readonly expectedFailures: readonly (FailedCase & { readonly reason: string })[];
  readonly unexpectedFailures: readonly FailedCase[];
  /** Listed as failing, but they pass: the list has to shrink. */
  readonly unexpectedPasses: readonly string[];
}

interface Entry {
  readonly reason: string;
  readonly ids: readonly string[];
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null || !("reason" in value) || !("ids" in value)) return false;
  const { reason, ids } = value;
  return typeof reason === "string" && reason !== "" && Array.isArray(ids) && ids.every((id) => typeof id === "string");
}

/** Reads `expected-failures/<corpus>.yaml`: a list of `{reason, ids}`. No file means no expected failures. */
export async function readExpectedFailures(file: string): Promise<ExpectedFailures> {
  const text = await readFile(file, "utf8").catch(() => "[]");
  const entries: unknown = load(text) ?? [];
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw new Error(`${file}: each entry needs a reason and a list of ids`);
  const failures = new Map<string, string>();
  for (const { reason, ids } of entries) {
    for (const id of ids) {
      if (failures.has(id)) throw new Error(`${file}: ${id} is listed twice`);
      failures.set(id, reason);
    }
  }
  return failures;
}

async function outcomeOf(one: Case): Promise<Outcome> {
  try {
    return await one.run();
  } catch (error) {
    return {
      status: "fail",
      message: error instanceof Error ? `threw ${error.stack ?? error.message}` : `threw ${String(error)}`,
    };
  }
}

/** Runs every case of a corpus. Expected failures that the directory does not hold are ignored. */
export async function runCorpus(corpus: Corpus, directory: string, expected: ExpectedFailures): Promise<CorpusResult> {
  let passed = 0;
  const skipped = new Map<string, number>();
  const expectedFailures: (FailedCase & { reason: string })[] = [];
  const unexpectedFailures: FailedCase[] = [];
  const unexpectedPasses: string[] = [];
  for await (const one of corpus.cases(directory)) {
    const outcome = await outcomeOf(one);
    const reason = expected.get(one.id);
    switch (outcome.status) {
      case "pass":
        passed++;
        if (reason !== undefined) unexpectedPasses.push(one.id);
        break;
      case "skip":
        skipped.set(outcome.reason, (skipped.get(outcome.reason) ?? 0) + 1);
        break;
      case "fail":
        if (reason === undefined) unexpectedFailures.push({ id: one.id, message: outcome.message });
        else expectedFailures.push({ id: one.id, message: outcome.message, reason });
        break;
    }
  }
  const failed = expectedFailures.length + unexpectedFailures.length;
  return { passed, failed, skipped, expectedFailures, unexpectedFailures, unexpectedPasses };
}
