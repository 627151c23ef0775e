import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Env } from "./env.ts";
import { everything, shown, typeOrIssues } from "./evaluate.testing.ts";
import { formatIssues } from "./issue.ts";
import { standardLibrary } from "./libraries/standard.ts";
import { parse } from "./parser.ts";

function problems(source: string): string {
  const parsed = parse(source, everything.syntax);
  return parsed.ok ? "" : formatIssues(source, parsed.issues);
}

describe("precedence", () => {
  test.each([
    ["1 + 2 * 3", "7"],
    ["(1 + 2) * 3", "9"],
    ["10 - 4 - 3", "3"],
    ["7 % 4 * 2", "6"],
    ["!true || true", "true"],
    ["true || false && false", "true"],
    ["1 < 2 == true", "true"],
    ["false ? 1 : true ? 2 : 3", "2"],
    ["-2 * -3", "6"],
    ["--1", "1"],
    ["!!true", "true"],
    ["-[1, 2][1]", "-2"],
    ["[1, 2, 3,][1]", "2"],
    ["{'a': 1,}.a", "1"],
    ["1 in [1] && 2 in {2: 3}", "true"],
  ])("%s is %s", (source, expected) => {
    expect(shown(source)).toBe(expected);
  });
});

describe("literals", () => {
  test.each([
    ["0x1F", "31"],
    ["9223372036854775807", "9223372036854775807"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["18446744073709551615u", "18446744073709551615"],
    ["1.5e3", "1500"],
    [".5", "0.5"],
    ["'a\\u00e9\\n'", "aé\n"],
    ["r'\\d'", "\\d"],
    ["'''a'b'''", "a'b"],
    ['"""a"b"""', 'a"b'],
    ["b'\\xff\\303é'", "[255 195 195 169]"],
    ["br'\\x'", "[92 120]"],
    ["'\\x41\\101\\U0001F600'", "AA😀"],
    ["null", "null"],
    ["// a comment\n1", "1"],
  ])("%s", (source, expected) => {
    expect(shown(source)).toBe(expected);
  });
});

describe("issues stand where cel-go sees them", () => {
  test.each([
    [
      "1 +",
      "ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | 1 +\n | ...^",
    ],
    ["a\n  + #", "ERROR: <input>:2:5: Syntax error: token recognition error at: '#'"],
    ["'x", "ERROR: <input>:1:1: Syntax error: token recognition error at: ''x'"],
    ["for", "ERROR: <input>:1:1: reserved identifier: for"],
    ["9223372036854775808", "ERROR: <input>:1:1: invalid int literal"],
    ["[1].map(1, 2)", "ERROR: <input>:1:9: argument is not an identifier"],
    ["has(x)", "ERROR: <input>:1:5: invalid argument to has() macro"],
    ["'é' + ^", "ERROR: <input>:1:7: Syntax error: token recognition error at: '^'"],
  ])("%j", (source, expected) => {
    expect(problems(source)).toContain(expected);
  });

  test("wide characters keep the caret in place", () => {
    expect(problems("'語' + ^")).toContain("\n | .\uff0e.....^");
  });

  test("syntax of optionals wants its library", () => {
    const plain = new Env({ libraries: [standardLibrary] });
    expect(typeOrIssues("{}.?a", plain)).toContain("unsupported syntax '.?'");
    expect(typeOrIssues("[?1]", plain)).toContain("unsupported syntax '?'");
  });
});

describe("limits", () => {
  test.each([
    ["parentheses", `${"(".repeat(300)}1${")".repeat(300)}`],
    ["lists", "[".repeat(300) + "]".repeat(300)],
    ["signs", `${"!".repeat(20_000)}true`],
    ["selections", `x${".a".repeat(20_000)}`],
  ])("%s nest only so deep", (_, source) => {
    const parsed = parse(source, everything.syntax);
    if (parsed.ok) return;
    expect(parsed.issues[0]?.message).toMatch(/recursion|depth|limit/);
  });

  test("a text of more than 100,000 characters is refused", () => {
    expect(problems("1".padEnd(100_001))).toContain("expression code point size exceeds limit");
  });

  test("long chains of one operator are no deep nesting", () => {
    expect(shown(Array.from({ length: 5000 }, () => "true").join(" && "))).toBe("true");
  });
});

test("nothing makes the parser throw", () => {
  const pieces = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    ",",
    "?",
    ":",
    "'",
    '"',
    "`",
    "a",
    "in",
    "1",
    "0x",
    "1.",
    "e5",
    "has(",
    ".all(",
    "&&",
    "||",
    "!",
    "-",
    "==",
    "\n",
    "//",
    "\\",
    "é",
    "😀",
    " ",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
      const source = parts.join("");
      const parsed = parse(source, everything.syntax);
      if (!parsed.ok) expect(formatIssues(source, parsed.issues)).toMatch(/^ERROR: <input>:/);
    }),
    { numRuns: 2000 },
  );
});
