import { kyvernoTestCorpus } from "../kyverno-tests.ts";

/** The tests of Kyverno's command line. */
export const corpus = kyvernoTestCorpus("kyverno-cli");
