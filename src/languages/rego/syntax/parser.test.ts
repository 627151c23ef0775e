import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIssue, quoteLine } from "../issue.ts";
import { parseModule, parseQuery } from "./module-parser.ts";

/** Modules that use every form of the language. */
const modules = [
  `package a.b["c-d"]

import data.lib as l
import input.review

default allow := false

allow if {
	some i, c in review.object.spec.containers
	not startswith(c.image, "x/")
	every k, v in c.resources { v > 0; k != \`raw\` }
} else := {"a": [1, 2.5e3], "b": {1, "x"}, "c": set()} if input.x == null

deny contains msg if { msg := sprintf("%v", [count({x | x := input.xs[_]})]) }
f(x, [y, _]) := x + y * 2 - -3 if x in {1, 2} with input.a as {"b": true} with data.c as [1 | true]
p.q[x].r[y] := z if { [x, y] = input.p; z := {k: v | some k, v in input} }
t := $"a {input.name} \\{b} {count([1])}"
`,
  `package v0
import future.keywords.in
violation[{"msg": msg, "details": {}}] { msg := "x" }
p = 3 { true } else = 4 { not false }
m[k] = v { v := input[k] }
x { 1 in [1] } { input.y }
pi = 3.14
`,
];
const versions = [1, 0] as const;

const parsed = (source: string, version: 0 | 1 = 1): readonly string[] => {
  const result = parseModule("m", source, version);
  return result.ok ? [] : result.issues.map(formatIssue);
};

test("every form of the language", () => {
  expect(modules.map((source, i) => parsed(source, versions[i]))).toEqual([[], []]);
});

describe("positions", () => {
  test.each([
    ["package a\np := é + ]", 2, 6],
    ['package a\np := "😀" ]', 2, 10],
    ["package a\n\n\tp := 1 2", 3, 9],
  ])("%j", (source, line, column) => {
    const result = parseModule("m", source);
    const place = result.ok ? undefined : result.issues[0]?.at;
    expect(place).toMatchObject({ line, column });
  });

  test("the line of an error, and a caret below its place", () => {
    const source = "package a\n\tp := 1 +\n";
    const result = parseModule("m", source);
    const place = result.ok ? undefined : result.issues[0]?.at;
    expect(place).toBeDefined();
    expect(quoteLine(source, { offset: 16, end: 17, line: 2, column: 7 })).toBe("p := 1 +\n     ^");
  });
});

describe("queries", () => {
  test.each([
    ["x := 1; y = x", 2],
    ["data.a.p", 1],
    ["some x in [1]\nx > 0", 2],
  ])("%j", (source, count) => {
    const result = parseQuery(source);
    expect(result.ok ? result.value.length : result.issues).toBe(count);
  });
});

describe("nesting", () => {
  test.each(["(", "[", "{", "not (", "f(", "x["])("a thousand times %j is refused, not a crash", (open) => {
    expect(parsed(`package a\np := ${open.repeat(1000)}1`).length).toBeGreaterThan(0);
  });

  test("fifty brackets are read", () => {
    expect(parsed(`package a\np := ${"[".repeat(50)}1${"]".repeat(50)}`)).toEqual([]);
  });
});

/** A module with a stretch taken out, doubled or replaced. */
const damaged = fc
  .record({
    module: fc.constantFrom(...modules),
    from: fc.nat(900),
    length: fc.nat(12),
    text: fc.oneof(
      fc.constant(""),
      fc.string({ maxLength: 6 }),
      fc.constantFrom("{", "}", "|", '"', "`", "[_]", " with ", "$", "\n"),
    ),
  })
  .map(({ module, from, length, text }) => module.slice(0, from) + text + module.slice(from + length));

describe("any text", () => {
  const properties: readonly (readonly [string, fc.Arbitrary<string>])[] = [
    ["noise", fc.string({ unit: "binary", maxLength: 60 })],
    ["damaged modules", damaged],
  ];

  test.each(properties)("%s: a module, or issues at places within it", (_, texts) => {
    fc.assert(
      fc.property(texts, fc.constantFrom(...versions), (source, version) => {
        const result = parseModule("m", source, version);
        if (result.ok) return;
        expect(result.issues.length).toBeGreaterThan(0);
        for (const { at, message } of result.issues) {
          expect(message).not.toBe("");
          if (at === undefined) continue;
          expect(at.offset).toBeLessThanOrEqual(source.length);
          expect(at.line).toBeLessThanOrEqual(source.split("\n").length);
        }
      }),
      { numRuns: 400 },
    );
  });

  test("white space between lines changes nothing but places", () => {
    const withoutPlaces = (source: string, version: 0 | 1): string => {
      const result = parseModule("m", source, version);
      const places = new Set(["at", "source", "comments"]);
      return JSON.stringify(result.ok ? result.value : result.issues, (key, value: unknown) =>
        places.has(key) ? undefined : value,
      );
    };
    fc.assert(
      fc.property(fc.nat(1), fc.constantFrom("\n\n", "\r\n", "  \n\t", " # note\n"), (i, space) => {
        const source = modules[i] ?? "";
        expect(withoutPlaces(source.replaceAll("\n", space), versions[i] ?? 1)).toBe(withoutPlaces(source, versions[i] ?? 1));
      }),
    );
  });
});
