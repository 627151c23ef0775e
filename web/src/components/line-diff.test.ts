import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { folded, lineDiff } from "./line-diff.ts";

const signs = { same: " ", removed: "-", added: "+" } as const;
const text = (before: string, after: string) =>
  lineDiff([...before], [...after])
    .map(({ change, text }) => `${signs[change]}${text}`)
    .join("");

describe("lineDiff", () => {
  test.each([
    ["abc", "abc", " a b c"],
    ["abc", "axc", " a-b+x c"],
    ["ac", "abc", " a+b c"],
    ["", "ab", "+a+b"],
    ["ab", "", "-a-b"],
    ["abcd", "bd", "-a b-c d"],
  ])("%s to %s", (before, after, expected) => {
    expect(text(before, after)).toBe(expected);
  });

  test("the lines without the added are the old text, those without the removed the new one", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 30 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = lineDiff(before, after);
        expect(diff.filter(({ change }) => change !== "added").map(({ text }) => text)).toEqual(before);
        expect(diff.filter(({ change }) => change !== "removed").map(({ text }) => text)).toEqual(after);
      }),
    );
  });
});

test("far from every change, lines are counted", () => {
  const before = ["1", "2", "3", "4", "5", "6", "7", "8"];
  const after = ["1", "2", "3", "4", "x", "6", "7", "8"];
  expect(folded(lineDiff(before, after), 1)).toEqual([
    { change: "folded", lines: 3 },
    { change: "same", text: "4" },
    { change: "removed", text: "5" },
    { change: "added", text: "x" },
    { change: "same", text: "6" },
    { change: "folded", lines: 2 },
  ]);
  expect(folded(lineDiff(before, before), 1)).toEqual([{ change: "folded", lines: 8 }]);
});
