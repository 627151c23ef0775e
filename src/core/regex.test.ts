// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of Go look like those of JavaScript
import { describe, expect, test } from "vitest";
import { compileRegex, type Regex } from "./regex.ts";

function regex(source: string): Regex {
  const compiled = compileRegex(source);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.value;
}

describe("regular expressions", () => {
  // Expected texts are those of Go's regexp.ReplaceAllString.
  test.each([
    ["a(x*)b", "-ab-axxb-", "${1}W", "-W-xxW-"],
    ["a(x*)b", "-ab-axxb-", "$1W", "---"],
    ["a(?P<mid>x*)b", "-axxb-", "<$mid>", "-<xx>-"],
    ["(\\w)(\\w*)", "hello world", "$2-$1", "ello-h orld-w"],
    ["a*", "baaau", "x", "xbxux"],
    ["", "ab", "-", "-a-b-"],
    ["b", "abc", "$$", "a$c"],
    ["b", "abc", "$9${9}$x", "ac"],
    ["b", "abc", "${", "a${c"],
    ["\u00e9", "caf\u00e9\u{1f600}", "e", "cafe\u{1f600}"],
  ])("%j on %j by %j", (source, text, template, expected) => {
    expect(regex(source).replaceAll(text, template)).toBe(expected);
  });

  test("a literal replacement is taken as it is", () => {
    expect(regex("(b)").replaceAllLiteral("abc", "$1")).toBe("a$1c");
  });

  test("groups of the first match", () => {
    expect(regex("(a)|(b)").match("xb")).toEqual(["b", undefined, "b"]);
    expect(regex("c").match("xb")).toBeUndefined();
  });

  test("test looks anywhere in the text", () => {
    expect(regex("b+$").test("abb")).toBe(true);
    expect(regex("^b").test("abb")).toBe(false);
  });

  test("what RE2 does not know is a message", () => {
    for (const source of ["(", "a(?=b)", "[z-a]", "a{2000}"]) {
      const compiled = compileRegex(source);
      expect(compiled.ok ? "" : compiled.message).toContain("error parsing regexp");
    }
  });

  test("an expression that makes backtracking explode takes linear time", () => {
    expect(regex("^(a+)+$").test(`${"a".repeat(20_000)}!`)).toBe(false);
  });
});
