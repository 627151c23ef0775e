import { array, assert, dictionary, json, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { compose } from "./compose.ts";
import { readJsonDocument } from "./json-document.ts";
import { parseDocuments } from "./parse-documents.ts";

const read = (text: string) => readJsonDocument(text, 0, text.length)?.value;

describe("readJsonDocument", () => {
  test.each([
    ["---\n{}\n", {}],
    ['--- {"a": [1, -2.5, 1e3, true, null, "x"]}\n', { a: [1, -2.5, 1000, true, null, "x"] }],
    ['\n[{"a":1},\r\n{"a":2}]\n', [{ a: 1 }, { a: 2 }]],
  ])("reads %j", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test.each([
    ["what is not JSON", "{a: 1}\n"],
    ["block mappings", "a: 1\n"],
    ["a comment behind the value", '{"a": 1} # b\n'],
    ["a space before the colon", '{"a" : 1}\n'],
    ["keys that stand twice", '{"a": 1, "a": 2}\n'],
    ["keys that stand twice, escaped", '{"a": 1, "\\u0061": 2}\n'],
    ["integers beyond 2^53", '{"a": 9007199254740993}\n'],
    ["minus zero", '{"a": -0}\n'],
    ["texts that begin with a colon", '{"a": ":8080"}\n'],
    ["deep documents", `${"[".repeat(30)}${"]".repeat(30)}\n`],
  ])("leaves to other readers: %s", (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  test("reads what the complete reader reads, where it reads anything", () => {
    assert(
      property(json(), (text) => {
        const value = read(`--- ${text}\n`);
        if (value !== undefined) expect(compose(`--- ${text}\n`).values[0]).toEqual(value);
      }),
    );
  });

  test("a list of objects is read, whatever their keys are", () => {
    assert(
      property(array(dictionary(string({ unit: "binary-ascii" }), string({ unit: "grapheme" }))), (value) => {
        const text = `---\n${JSON.stringify(value)}\n`;
        const found = read(text);
        expect(found ?? value).toEqual(value);
      }),
    );
  });

  test("its parts are located as those of any YAML", () => {
    const [document] = parseDocuments('---\n{"apiVersion":"v1","kind":"Pod","spec":{"a\\n":["x",{"b":2}]}}\n', "f").documents;
    expect(document?.locate(["spec", "a\n", 1, "b"])?.start).toMatchObject({ line: 2, column: 57 });
    expect(document?.locateKey(["spec"])?.start).toMatchObject({ line: 2, column: 33 });
  });
});
