import { describe, expect, test } from "vitest";
import { corpusDirectory, corpusNames, exists, expectedFailuresFile, loadCorpus } from "./corpora.ts";
import { readExpectedFailures, runCorpus } from "./run-corpus.ts";

describe("conformance", async () => {
  for (const name of await corpusNames()) {
    const corpus = await loadCorpus(name);
    const directory = await corpusDirectory(corpus);
    // The suites are not part of the repository: without them there is nothing to compare with.
    test.skipIf(corpus.slow === true || !(await exists(directory)))(name, { timeout: 600_000 }, async () => {
      const result = await runCorpus(corpus, directory, await readExpectedFailures(expectedFailuresFile(corpus)));
      expect(result.unexpectedFailures).toEqual([]);
      expect(result.unexpectedPasses).toEqual([]);
      expect(result.passed).toBeGreaterThan(0);
    });
  }
});
