import { corpusDirectory, corpusNames, exists, expectedFailuresFile, loadCorpus } from "./corpora.ts";
import { readExpectedFailures, runCorpus } from "./run-corpus.ts";

/** `node test/conformance/run.ts CORPUS [DIR]`: exit 0 as expected, 1 an unexpected failure or pass, 2 nothing to run, 3 usage. */
async function main(args: readonly string[]): Promise<number> {
  const [name, given, ...rest] = args;
  const names = await corpusNames();
  if (name === undefined || rest.length > 0 || !names.includes(name)) {
    console.error(`usage: npm run conformance -- CORPUS [DIR]\nCORPUS is one of: ${names.join(", ")}`);
    return 3;
  }
  const corpus = await loadCorpus(name);
  const directory = await corpusDirectory(corpus, given);
  if (!(await exists(directory))) {
    console.error(`${directory} does not exist: give DIR or set CASTELLAN_CONFORMANCE`);
    return 2;
  }
  const result = await runCorpus(corpus, directory, await readExpectedFailures(expectedFailuresFile(corpus)));
  for (const [reason, count] of result.skipped) console.log(`skipped ${count}: ${reason}`);
  for (const { id, reason } of result.expectedFailures) console.log(`expected failure ${id}: ${reason}`);
  for (const { id, message } of result.unexpectedFailures) console.log(`FAIL ${id}: ${message}`);
  for (const id of result.unexpectedPasses) console.log(`FAIL ${id}: listed as an expected failure, but it passes`);
  const skipped = Array.from(result.skipped.values()).reduce((sum, n) => sum + n, 0);
  console.log(`${name}: ${result.passed} passed, ${result.failed} failed, ${skipped} skipped`);
  return result.unexpectedFailures.length + result.unexpectedPasses.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
