import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExactJson, writeExactJson } from "./exact-json.ts";

test("64-bit integers go through unchanged", () => {
  const text = '{"a":[9223372036854775807,1.5,"x"],"b":{"c":-9223372036854775808,"d":null}}';
  expect(writeExactJson(parseExactJson(text))).toBe(text);
});

test.each([
  "9223372036854775807",
  "-9223372036854775808",
  "[1,9223372036854775807]",
  '{"a":\n-9007199254740993}',
  " 9007199254740993",
])("64-bit integers are seen wherever a number may stand: %j", (text) =>
  expect(writeExactJson(parseExactJson(text))).toBe(text.replaceAll(/\s/g, "")),
);

test("what JSON.stringify writes is written the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.parse(JSON.stringify(value));
      expect(writeExactJson(json)).toBe(JSON.stringify(json));
      expect(writeExactJson([json, 2n ** 60n])).toBe(`[${JSON.stringify(json)},1152921504606846976]`);
    }),
  );
});
