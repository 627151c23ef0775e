import fc from "fast-check";
import { test } from "vitest";
import { answersInside, positionsSayValues, readersAgree } from "../../../test/fuzz/loading-properties.ts";
import { damaged, yamlSoup, yamlTexts } from "../../../test/fuzz/yaml-texts.ts";
import { parseDocuments } from "./parse-documents.ts";

const runs = { numRuns: 300 };
const texts = yamlTexts.map(({ text }) => text);

test("the text at each path says the path's value, the text at each key the key", () => {
  fc.assert(
    fc.property(texts, (text) => {
      for (const document of parseDocuments(text, "t").documents) positionsSayValues(text, document);
    }),
    runs,
  );
});

test("any text has an answer, with positions inside it", () => {
  fc.assert(
    fc.property(fc.oneof(yamlSoup, damaged(texts)), (text) => answersInside(text)),
    runs,
  );
});

test("where the fast reader answers, the complete one answers the same", () => {
  let answered = 0;
  fc.assert(
    fc.property(fc.oneof(texts, damaged(texts)), (text) => {
      if (readersAgree(text)) answered++;
    }),
    runs,
  );
  // Or the property says nothing.
  if (answered < 30) throw new Error(`the fast reader answered ${answered} times only`);
});
