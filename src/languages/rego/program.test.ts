import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { compileRego } from "./load.ts";
import { compileSources, type Evaluation, formatEvaluationError } from "./program.ts";
import { printValue } from "./values/print.ts";
import { fromJson, RegoObject } from "./values/value.ts";

const host = { now: () => 0, random: () => 0 };

function program(source: string): ReturnType<typeof compileSources> {
  return compileSources([{ file: "m", source: `package a\n\n${source}\n` }]);
}

/** What `data.a.p` comes to, or the error. */
function evaluate(source: string, input?: JsonValue, more: Partial<Evaluation> = {}): string {
  const compiled = program(source);
  if (!compiled.ok) throw new Error(compiled.issues.map(({ message }) => message).join("; "));
  const given = { input: input === undefined ? undefined : fromJson(input), host, ...more };
  const result = compiled.value.rule(["a", "p"]).evaluate(given);
  if (!result.ok) return formatEvaluationError(result.error);
  return result.value === undefined ? "undefined" : printValue(result.value);
}

const data = (json: JsonObject): Partial<Evaluation> => ({ data: RegoObject.fromJson(json) });

describe("an evaluation that does not end", () => {
  const endless = "p if { some x in numbers.range(1, 1000000); some y in numbers.range(1, 1000000); x + y < 0 }";

  test("is stopped by its budget", () => {
    expect(evaluate(endless, undefined, { budget: 100_000 })).toBe("eval_cancel_error: evaluation exceeded its budget");
  });

  test("is stopped when its caller gives up", () => {
    let asked = 0;
    const cancelled = (): boolean => ++asked > 3;
    expect(evaluate(endless, undefined, { cancelled })).toBe("eval_cancel_error: caller cancelled query execution");
  });

  test("a budget that is enough changes nothing", () => {
    expect(evaluate("p := count([x | some x in numbers.range(1, 50)])", undefined, { budget: 1000 })).toBe("50");
  });
});

describe("conflicts", () => {
  test.each([
    [
      "p := x if { some x in [1, 2] }",
      "m:3: eval_conflict_error: rule data.a.p produced conflicting values:\n  1 at m:3\n  2 at m:3",
    ],
    ["p := 1\np := 2", "m:4: eval_conflict_error: rule data.a.p produced conflicting values:\n  1 at m:3\n  2 at m:4"],
    ["p := x if { some x in [1, 1.0] }", "1"],
    [
      "f(x) := y if { some y in x }\np := f([1, 2])",
      "m:3: eval_conflict_error: function data.a.f produced conflicting values for the same inputs:\n  1 at m:3\n  2 at m:3",
    ],
    ["p[k] := v if { some k in [1]; some v in [2, 3] }", "m:3: eval_conflict_error: object keys must be unique"],
    ["p := {1: v | some v in [2, 3]}", "m:3: eval_conflict_error: object keys must be unique"],
  ])("%s", (source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });

  test("of keys that nobody asked for do not count", () => {
    const source = 'q[x] := y if { x := "a"; some y in [1, 2] }\nq["b"] := 1\np := q.b';
    expect(evaluate(source)).toBe("1");
  });
});

describe("builtins that refuse their arguments", () => {
  const source = 'p := object.get(input.x, "a", 1)\n';

  test("make the expression undefined", () => {
    expect(evaluate(source, { x: 1 })).toBe("undefined");
  });

  test("end a strict evaluation", () => {
    const message = "m:3: eval_type_error: object.get: operand 1 must be object but got number";
    expect(evaluate(source, { x: 1 }, { strictBuiltinErrors: true })).toBe(message);
  });
});

describe("with", () => {
  test.each([
    ["q := input.x\np := [q, y, q] if { y := q with input.x as 2 }", "[1, 2, 1]"],
    ["q := data.base.x\np := y if { y := q with data.base.x as 2 }", "2"],
    ["q := count(input.xs)\np := y if { y := q with count as 7 }", "7"],
    ["mock(_) := 8\nq := count(input.xs)\np := y if { y := q with count as mock }", "8"],
    ["p := y if { y := data.b with data.b as input.none }", "undefined"],
    ["p := [x | some x in [1, 2]; input.y == x with input.y as 2]", "[2]"],
  ])("%s", (source, expected) => {
    expect(evaluate(source, { x: 1, xs: [1, 2] }, data({ base: { x: 1 } }))).toBe(expected);
  });
});

describe("documents", () => {
  test("of a package are its rules beside its data", () => {
    const compiled = program("q := 1\nr contains 2\nf(x) := x");
    const given = { host, ...data({ a: { s: 3 }, b: 4 }) };
    const result = compiled.ok ? compiled.value.rule(["a"]).evaluate(given) : undefined;
    expect(result?.ok === true && result.value !== undefined ? printValue(result.value) : result).toBe(
      '{"q": 1, "r": {2}, "s": 3}',
    );
  });

  test.each([
    ["p := data.base[2]", '"two"'],
    ["p := {x | data.base.xs[x]}", "{0, 1}"],
    ["p := data.nowhere", "undefined"],
  ])("%s", (source, expected) => {
    expect(evaluate(source, {}, data({ base: { "2": "two", xs: ["x", "y"] } }))).toBe(expected);
  });
});

test("rules are chosen by constants of the input, the others still count", () => {
  const rules = ["pod", "job", "node"].map((kind) => `p contains "${kind}" if input.kind == "${kind}"`);
  const source = `${rules.join("\n")}\np contains "any" if input.kind != ""\np contains "other" if not input.kind == "pod"`;
  expect(evaluate(source, { kind: "job" })).toBe('{"any", "job", "other"}');
  expect(evaluate(source, { kind: { pod: 1 } })).toBe('{"any", "other"}');
  expect(evaluate(source, {})).toBe('{"other"}');
});

describe("nesting", () => {
  test.each([
    ["forty comprehensions", `p := ${"[x | x := ".repeat(40)}1${"]".repeat(40)}`, `${"[".repeat(40)}1${"]".repeat(40)}`],
    ["five hundred operators", `p := ${Array(500).fill("1").join(" + ")}`, "500"],
    [
      "two hundred rules",
      `r0 := 1\n${Array.from({ length: 200 }, (_, i) => `r${i + 1} := r${i} + 1`).join("\n")}\np := r200`,
      "201",
    ],
  ])("%s", (_, source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });

  test("beyond what the stack holds is refused", () => {
    const compiled = program(`p := ${Array(30_000).fill("1").join(" + ")}`);
    expect(compiled.ok ? [] : compiled.issues.map(({ message }) => message)).toEqual(["expressions are nested too deep"]);
  });
});

test("queries answer the values of their variables", () => {
  const compiled = program("xs := [1, 2]");
  const query = compiled.ok ? compiled.value.query("some i; x := data.a.xs[i]; x > 1") : undefined;
  const result = query?.ok === true ? query.value.evaluate({ host }) : undefined;
  expect(result?.ok === true ? result.value.map((bindings) => Object.fromEntries(bindings)) : result).toEqual([{ i: 1, x: 2 }]);
});

test("diagnostics have a code, the place and the line", () => {
  const loaded = compileRego([{ file: "m.rego", source: "package a\n\np if { x }\n" }]);
  expect(loaded.diagnostics).toEqual([
    {
      code: "REGO_UNSAFE_VAR",
      severity: "error",
      message: "var x is unsafe\np if { x }\n       ^",
      span: { file: "m.rego", start: { offset: 18, line: 3, column: 8 }, end: { offset: 19, line: 3, column: 9 } },
    },
  ]);
});
