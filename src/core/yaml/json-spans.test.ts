import { assert, integer, jsonValue, property } from "fast-check";
import { expect, test } from "vitest";
import { positionsSayValues } from "../../../test/fuzz/loading-properties.ts";
import { JsonSpans } from "./json-spans.ts";
import { parseDocuments } from "./parse-documents.ts";

test("the text at each path of a JSON text says the path's value, the text at each key the key", () => {
  assert(
    property(jsonValue(), integer({ min: 0, max: 3 }), (value, indent) => {
      const text = JSON.stringify([value, { kind: "Pod", items: [value] }], null, indent);
      for (const document of parseDocuments(text, "t.json").documents) positionsSayValues(text, document);
    }),
  );
});

const text = '{"a" : [1, {"b\\"]": "x\\\\"} , [ ]], "a": {"c": null},\n "d":-2.5e3}  ';

test.each([
  [[], '{"a" : [1, {"b\\"]": "x\\\\"} , [ ]], "a": {"c": null},\n "d":-2.5e3}', undefined],
  [["a"], '{"c": null}', '"a"'],
  [["a", "c"], "null", '"c"'],
  [["d"], "-2.5e3", '"d"'],
  [["a", "c", "e"], "null", undefined],
  [["a", 0], '{"c": null}', undefined],
  [["e"], text.trim(), undefined],
] as const)("%j", (path, value, key) => {
  const spans = new JsonSpans(text, 0);
  const at = (extent: { readonly start: number; readonly end: number } | undefined) =>
    extent === undefined ? undefined : text.slice(extent.start, extent.end);
  expect([at(spans.value(path)), at(spans.key(path))]).toEqual([value, key]);
});
