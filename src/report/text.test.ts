import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { displayWidth, groupDigits, headline, padEnd, padStart, visible, wrap } from "./text.ts";
import { element, escapeMarkup } from "./xml.ts";

describe("wrap", () => {
  test.each([
    ["breaks at spaces", "one two three", 8, ["one two", "three"]],
    ["keeps line feeds", "one\n\ntwo", 20, ["one", "", "two"]],
    ["drops empty ends", "\n one \n", 20, ["one"]],
    ["cuts long words", "abcdefghijklmnop", 10, ["abcdefghij", "klmnop"]],
    ["cuts after a slash", "registry.io/team/image", 14, ["registry.io/", "team/image"]],
    ["counts wide characters twice", "节点节点节点", 8, ["节点节点", "节点"]],
    ["shows control characters", "a\u001b[2Jb", 20, ["a\\u001b[2Jb"]],
  ])("%s", (_, text, width, lines) => expect(wrap(text, width)).toEqual(lines));

  test("no line is wider than asked, and no visible character is lost", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 8, max: 40 }), (text, width) => {
        const lines = wrap(text, width);
        expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(width);
        expect(lines.join("").replace(/\s/gu, "")).toBe(visible(text).replace(/\s/gu, ""));
      }),
    );
  });
});

test.each([
  ["text", 4],
  ["节点", 4],
  ["🚀", 2],
  ["e\u0301", 1],
])("%s takes %i columns", (text, width) => {
  expect(displayWidth(text)).toBe(width);
  expect(displayWidth(padEnd(text, 8))).toBe(8);
  expect(displayWidth(padStart(text, 8))).toBe(8);
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [1234567, "1,234,567"],
])("%i is written %s", (n, text) => expect(groupDigits(n)).toBe(text));

test("a headline is one line and not too long", () => {
  expect(headline("first\nsecond")).toBe("first");
  expect(headline("x".repeat(30), 10)).toBe(`${"x".repeat(9)}…`);
});

describe("markup", () => {
  test.each([
    ["special characters", `<a href="x">'&'</a>`, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"],
    ["control characters", "a\u0000\u001b\uFFFEb", "a\uFFFD\uFFFD\uFFFDb"],
    ["half of a pair", "a\uD83Db", "a\uFFFDb"],
    ["a whole pair", "🚀", "🚀"],
    ["carriage returns", "a\r\nb\rc", "a\nb\uFFFDc"],
  ])("%s", (_, text, written) => expect(escapeMarkup(text)).toBe(written));

  test("attributes keep line feeds; those without a value are left out", () => {
    expect(element("a", { b: "1\n2", c: undefined, d: 0 })).toBe(`<a b="1&#10;2" d="0"/>`);
    expect(element("a", {}, ["x"])).toBe("<a>x</a>");
  });
});
