import fc from "fast-check";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { jsonEquals } from "../../src/core/json.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { fuzzSuite } from "./fuzz.ts";
import { answersInside, jsonComesBack, positionsSayValues, readersAgree, show } from "./loading-properties.ts";
import { damaged, jsonValues, yamlSoup, yamlTexts } from "./yaml-texts.ts";

/** Far more than any text of some hundred characters needs; what takes longer grows too fast. */
const budgetMilliseconds = 2000;

function withinBudget(run: () => void): void {
  const start = performance.now();
  run();
  const took = performance.now() - start;
  if (took > budgetMilliseconds) throw new Error(`took ${took.toFixed(0)} ms`);
}

const texts = yamlTexts.map(({ text }) => text);

fuzzSuite({
  "any text has an answer, with positions inside it": (limits) =>
    fc.assert(
      fc.property(fc.oneof(yamlSoup, damaged(texts), fc.string({ unit: "binary", maxLength: 200 })), (text) =>
        withinBudget(() => answersInside(text)),
      ),
      limits,
    ),
  "any bytes have an answer": (limits) =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        async function* input() {
          yield bytes;
        }
        await loadPaths(["-"], { input: input() });
      }),
      limits,
    ),
  "repeated pieces stay within the budget": (limits) =>
    fc.assert(
      fc.property(fc.tuple(yamlSoup, yamlSoup, fc.integer({ min: 1, max: 400 })), ([piece, rest, count]) =>
        withinBudget(() => answersInside((piece.slice(0, 12).repeat(count) + rest).slice(0, 4000))),
      ),
      limits,
    ),
  "values that another library writes come back, and so does the text at each path": (limits) =>
    fc.assert(
      fc.property(yamlTexts, ({ value, text }) => {
        const { documents, diagnostics } = parseDocuments(text, "t");
        if (diagnostics.length > 0) throw new Error(`${diagnostics[0]?.message} in ${JSON.stringify(text)}`);
        const [document] = documents;
        if (!jsonEquals(document?.value ?? null, value)) throw new Error(`${show(document?.value)} of ${JSON.stringify(text)}`);
        if (document !== undefined) positionsSayValues(text, document);
      }),
      limits,
    ),
  "the fast reader agrees with the complete one": (limits) =>
    fc.assert(
      fc.property(fc.oneof(texts, damaged(texts), damaged(damaged(texts)), yamlSoup), (text) => {
        readersAgree(text);
      }),
      limits,
    ),
  "JSON values come back, one after the other": (limits) =>
    fc.assert(
      fc.property(
        fc.array(jsonValues, { maxLength: 3 }),
        fc.constantFrom("\n", " ", "\r\n\t"),
        fc.nat(4),
        (values, between, indent) => {
          jsonComesBack(
            values,
            values.map((value) => jsonText(value, indent)),
            between,
          );
        },
      ),
      limits,
    ),
});

/** JSON of a value that may hold 64-bit integers. */
function jsonText(value: unknown, indent: number): string {
  const text = JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `\u0001${v}\u0001` : v), indent);
  return text.replaceAll(/"\\u0001(\d+)\\u0001"/g, "$1");
}
