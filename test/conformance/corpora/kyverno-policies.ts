import { kyvernoTestCorpus } from "../kyverno-tests.ts";

/** The tests of Kyverno's own policy library. */
export const corpus = kyvernoTestCorpus("kyverno-policies", true);
