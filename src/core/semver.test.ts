import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareSemver, parseSemver, type SemanticVersion } from "./semver.ts";
import { parseSemverRange } from "./semver-range.ts";

function version(text: string): SemanticVersion {
  const parsed = parseSemver(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
}

describe("semantic versions", () => {
  test.each(["1", "1.2", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.3-a..b", "18446744073709551616.0.0", ""])(
    "%j is none",
    (text) => {
      expect(parseSemver(text)).toBeUndefined();
    },
  );

  // https://semver.org/#spec-item-11
  test("precedence", () => {
    const ordered =
      "1.0.0-1 1.0.0-2 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.1.0 2.0.0 10.0.0";
    const versions = ordered.split(" ").map(version);
    for (const [i, a] of versions.entries()) {
      for (const [j, b] of versions.entries()) expect(Math.sign(compareSemver(a, b))).toBe(Math.sign(i - j));
    }
    expect(compareSemver(version("1.0.0+a"), version("1.0.0+b"))).toBe(0);
  });

  test.each([
    ["1.2.3", ">1.0.0 <2.0.0", true],
    ["2.0.0", ">1.0.0 <2.0.0", false],
    ["3.1.0", "<2.0.0 || >=3.0.0", true],
    ["1.2.9", "1.2.x", true],
    ["1.3.0", "1.2.x", false],
    ["1.9.9", "1.x", true],
    ["2.0.0", ">1.x", true],
    ["1.9.0", ">1.x", false],
    ["1.9.0", "<=1.x", true],
    ["1.1.0", "!=1.x", false],
    ["1.0.0", "!1.0.0", false],
    ["1.0.0-rc1", ">=1.0.0", false],
    ["1.0.0", "> = 1.0.0", true],
    ["1.0.0", ">=  1.0.0", true],
  ])("%s in %s: %s", (text, range, expected) => {
    const parsed = parseSemverRange(range);
    const accepted = parsed.ok ? parsed.value(version(text)) : false;
    expect(accepted).toBe(expected);
  });

  test.each(["", "||", "1.0.0 ||", "|| 1.0.0", "x", "1", "~1.0.0", ">a"])("range %j is refused", (range) => {
    expect(parseSemverRange(range).ok).toBe(false);
  });

  test("a range never throws", () => {
    const word = fc.constantFrom(">", "<", "=", "!", "||", "1.2.3", "1.x", "x", " ", "1.2.x", "-a", ".");
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const range = parseSemverRange(words.join(""));
        return range.ok ? typeof range.value(version("1.2.3")) === "boolean" : range.message !== "";
      }),
    );
  });
});
