import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Host } from "../../core/host.ts";
import type { JsonValue } from "../../core/json.ts";
import { compileJmesPath, compileStandardJmesPath, JmesPathError, NotFound } from "./index.ts";

const host: Host = { now: () => Date.UTC(2024, 0, 2, 3, 4, 5), random: () => 0.5 };

const data: JsonValue = {
  request: {
    object: {
      metadata: { name: "web", labels: { app: "web" } },
      spec: { containers: [{ name: "a", image: "nginx" }, { name: "b" }] },
    },
  },
  empty: [],
  nothing: null,
  numbers: [3, 1, 2],
};

function evaluate(source: string, on: JsonValue = data, with_: Host = host): JsonValue | NotFound {
  const program = compileJmesPath(source);
  if (!program.ok) throw new Error(program.diagnostics[0]?.message);
  return program.value(on, with_);
}

describe("missing members", () => {
  test.each(["missing", "request.missing.name", "request.object.metadata.labels.tier", "missing[0]", "request && missing"])(
    "%s is not found",
    (source) => {
      expect(evaluate(source)).toBeInstanceOf(NotFound);
    },
  );

  test.each<readonly [string, JsonValue]>([
    ["nothing", null],
    ["nothing.x", null],
    ["missing || 'default'", "default"],
    ["request.object.spec.containers[].image", ["nginx"]],
    ["request.object.spec.containers[?image == 'nginx'].name", ["a"]],
    ["missing[].name", null],
    ["{name: request.object.metadata.name, tier: missing}", { name: "web", tier: null }],
    ["missing == `null`", true],
    ["!missing", true],
    ["request | missing", null],
    ["numbers[5]", null],
  ])("%s", (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  test("the message names the member", () => {
    const result = evaluate("request.object.spec.replicas");
    expect(result instanceof NotFound ? result.message : "").toBe('Unknown key "replicas" in path');
  });
});

describe("laziness", () => {
  test("only members that the expression touches are read", () => {
    const read: string[] = [];
    const root = {
      get used() {
        read.push("used");
        return { a: 1 };
      },
      get unused(): JsonValue {
        throw new Error("must not be read");
      },
    };
    expect(evaluate("used.a", root)).toBe(1);
    expect(evaluate("missing || used.a", root)).toBe(1);
    expect(read).toEqual(["used", "used"]);
  });

  test("what a getter throws passes through, filters and flattening included", () => {
    const root = {
      get broken(): JsonValue {
        throw new RangeError("no connection");
      },
    };
    for (const source of ["broken", "broken[?a]", "broken[]", "broken.*", "broken || 'x'"]) {
      expect(() => evaluate(source, root)).toThrow(RangeError);
    }
  });

  test("filters, flattening and value projections swallow errors of what they apply to", () => {
    expect(evaluate("to_boolean('x')[?a]")).toBeNull();
    expect(evaluate("to_boolean('x')[]")).toBeNull();
    expect(evaluate("to_boolean('x').*")).toBeNull();
    expect(() => evaluate("to_boolean('x')[*]")).toThrow(JmesPathError);
  });

  test("inherited members do not count", () => {
    expect(evaluate("constructor")).toBeInstanceOf(NotFound);
    expect(evaluate("request.toString")).toBeInstanceOf(NotFound);
    expect(evaluate("lookup(@, 'constructor')")).toBeNull();
  });
});

describe("syntax", () => {
  test.each([
    ["foo.", 'expected a name, "[" or "{", found the end at character 5'],
    ["foo[", "found the end at character 5"],
    ["`{`", "is not JSON at character 1"],
    ["'abc", "unclosed delimiter ' at character 5"],
    ["a # b", 'unknown character "#" at character 3'],
    ["nosuch(@)", "unknown function: nosuch at character 1"],
    ["length()", "length: incorrect number of args: 0, not 1"],
    ["merge()", "not at least 1"],
    ["&foo", "an expression reference can only be an argument"],
    ["length(&foo)", "argument #1 is no expression"],
    ["a = b", "unknown character"],
    ["", "expected an expression"],
    [`${"(".repeat(5000)}a${")".repeat(5000)}`, "nests too deeply"],
  ])("%j", (source, message) => {
    const program = compileJmesPath(source);
    expect(program.ok).toBe(false);
    expect(program.diagnostics[0]?.code).toBe("JMESPATH_SYNTAX");
    expect(program.diagnostics[0]?.message).toContain(message);
  });

  test("commas between arguments may be missing, as in Kyverno's parser", () => {
    expect(evaluate('join(\'-\' `["a","b"]`)')).toBe("a-b");
    expect(evaluate("join('-', ['a', 'b'],)")).toBe("a-b");
  });

  test("plain JMESPath knows none of Kyverno's functions", () => {
    expect(compileStandardJmesPath("to_upper('a')").ok).toBe(false);
    expect(compileStandardJmesPath("length('a')").ok).toBe(true);
  });

  test("no source makes it throw", () => {
    const piece = fc.constantFrom(..."a . [ ] [] [? * | || && & ! == < ( ) { } : , @ `1` 'x' \"q\" 12 - \\ $".split(" "), " ");
    fc.assert(fc.property(fc.array(piece), (pieces) => typeof compileJmesPath(pieces.join("")).ok === "boolean"));
    fc.assert(fc.property(fc.string(), (source) => typeof compileJmesPath(source).ok === "boolean"));
  });
});

describe("numbers", () => {
  const big = { big: 9_007_199_254_740_993n, n: 2 };

  test("64-bit integers compare exactly and compute as float64", () => {
    expect(evaluate("big > `9007199254740992`", big)).toBe(true);
    expect(evaluate("big", big)).toBe(9_007_199_254_740_993n);
    expect(evaluate("type(big)", big)).toBe("number");
    expect(evaluate("add(n, big)", big)).toBe(9_007_199_254_740_994);
    expect(evaluate("to_string(big)", big)).toBe("9007199254740993");
  });

  test("comparison of other than numbers is null", () => {
    expect(evaluate("'a' < 'b'")).toBeNull();
  });
});

describe("no expression can hang its caller", () => {
  const list = { list: Array.from({ length: 300 }, (_, i) => i) };

  test("steps are counted", () => {
    const wide = `[${Array(100).fill("list").join(",")}][]`;
    expect(() => evaluate(`map(&sum(\`[${Array(4000).fill(1).join(",")}]\`), list)`, list)).toThrow("too many steps");
    expect(() => evaluate(`${wide} | length(@)`, list)).not.toThrow();
  });

  test("an expression that repeats its data without bound is refused", () => {
    const doubling = Array(40).fill("[@, @]").join(" | ");
    expect(compileJmesPath(doubling).ok).toBe(false);
    expect(compileJmesPath("[@, @] | [@, @] | [0]").ok).toBe(true);
    expect(compileJmesPath(`map(&[@, @], ${"map(&[@, @], ".repeat(20)}@${")".repeat(20)})`).ok).toBe(false);
  });
});
