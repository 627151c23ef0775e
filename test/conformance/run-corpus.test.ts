import { describe, expect, test } from "vitest";
import { type Corpus, failure, type Outcome, passed, skipped } from "./corpus.ts";
import { runCorpus } from "./run-corpus.ts";

function corpusOf(outcomes: { readonly [id: string]: () => Outcome }): Corpus {
  return {
    name: "sample",
    async *cases() {
      for (const [id, run] of Object.entries(outcomes)) yield { id, run };
    },
  };
}

describe("runCorpus", () => {
  const corpus = corpusOf({
    good: () => passed,
    bad: () => failure("no"),
    broken: () => {
      throw new Error("oops");
    },
    later: () => skipped("waits for CEL"),
  });

  test("counts failures, exceptions and skips", async () => {
    const result = await runCorpus(corpus, "", new Map());
    expect([result.passed, result.failed]).toEqual([1, 2]);
    expect(result.unexpectedFailures.map((f) => f.id)).toEqual(["bad", "broken"]);
    expect([...result.skipped]).toEqual([["waits for CEL", 1]]);
  });

  test("expected failures count as failed but are no surprise; absent entries are ignored", async () => {
    const result = await runCorpus(
      corpus,
      "",
      new Map([
        ["bad", "known"],
        ["broken", "known"],
        ["elsewhere", "known"],
      ]),
    );
    expect(result.failed).toBe(2);
    expect(result.unexpectedFailures).toEqual([]);
    expect(result.unexpectedPasses).toEqual([]);
  });

  test("a listed case that passes is a surprise", async () => {
    const result = await runCorpus(corpus, "", new Map([["good", "known"]]));
    expect(result.unexpectedPasses).toEqual(["good"]);
  });
});
