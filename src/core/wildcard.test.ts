import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileWildcard, containsWildcard, matchWildcard } from "./wildcard.ts";

describe("wildcards", () => {
  test.each([
    ["*", "", true],
    ["", "", true],
    ["", "a", false],
    ["?", "", false],
    ["?", "\u{1f600}", true],
    ["??", "\u{1f600}", false],
    ["a?c", "a\u{1f600}c", true],
    ["?*", "", false],
    ["*?", "x", true],
    ["a*b", "ab", true],
    ["a*b", "a", false],
    ["ab*ba", "aba", false],
    ["*:latest", "nginx:latest", true],
    ["*a*a*", "aa", true],
    ["*a*a*", "a", false],
    ["*.*.*", "a.b", false],
    ["a.c", "abc", false],
  ])("%j on %j", (pattern, text, expected) => {
    expect(matchWildcard(pattern, text)).toBe(expected);
    expect(compileWildcard(pattern)(text)).toBe(expected);
  });

  const char = fc.constantFrom("a", "b", ".", "\u00e9", "\u{1f600}");
  const text = fc.array(char, { maxLength: 8 }).map((chars) => chars.join(""));
  const pattern = fc.array(fc.oneof(char, fc.constantFrom("*", "?")), { maxLength: 6 }).map((chars) => chars.join(""));

  test("agrees with a regular expression", () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        const source = p.replace(/[.]/g, "\\$&").replaceAll("*", "[^]*").replaceAll("?", "[^]");
        const expected = new RegExp(`^${source}$`, "u").test(t);
        expect([matchWildcard(p, t), compileWildcard(p)(t)]).toEqual([expected, expected]);
      }),
      { numRuns: 2000 },
    );
  });

  test("a text without wildcards matches itself only", () => {
    fc.assert(fc.property(text, text, (a, b) => !containsWildcard(a) && matchWildcard(a, b) === (a === b)));
  });

  test("no pattern takes exponential time", () => {
    expect(matchWildcard(`${"*a?".repeat(50)}b`, "a".repeat(2000))).toBe(false);
    expect(matchWildcard(`${"*a".repeat(500)}b`, "a".repeat(20_000))).toBe(false);
  });
});
