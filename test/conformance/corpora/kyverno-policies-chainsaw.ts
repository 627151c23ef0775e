import { chainsawCorpus } from "../chainsaw/corpus.ts";

export const corpus = chainsawCorpus("kyverno-policies-chainsaw");
