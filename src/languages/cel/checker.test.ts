import { describe, expect, test } from "vitest";
import { Env, variable } from "./env.ts";
import { everything, typeOrIssues } from "./evaluate.testing.ts";
import { intType, listOf, mapOf, stringType, structType } from "./types.ts";

const env = everything.extend({
  variables: [
    variable("n", intType),
    variable("s", stringType),
    variable("l", listOf(intType)),
    variable("m", mapOf(stringType, intType)),
    variable("a.b", stringType),
    variable("w", structType("Widget")),
  ],
  structs: [{ type: structType("Widget"), field: (name) => (name === "size" ? intType : undefined) }],
});

test.each([
  ["n + 1", "int"],
  ["l.map(x, string(x))", "list(string)"],
  ["l.filter(x, x > 1)", "list(int)"],
  ["m.map(k, k)", "list(string)"],
  ["m.a", "int"],
  ["m[?'a']", "optional_type(int)"],
  ["{1: 'a', 2: 'b'}", "map(int, string)"],
  ["[1, 'a']", "list(dyn)"],
  ["[]", "list(dyn)"],
  ["[[], [1]]", "list(list(int))"],
  ["x.y", "dyn"],
  ["type(1)", "type(int)"],
  ["true ? [] : [1]", "list(int)"],
  ["a.b", "string"],
  ["w.size", "int"],
  ["optional.of(1).optMap(v, v + 1)", "optional_type(int)"],
  ["l.transformMap(i, v, v)", "map(int, int)"],
  ["duration('1s') + timestamp(0)", "timestamp"],
  ["1 < 1.5", "bool"],
])("%s is a %s", (source, type) => {
  expect(typeOrIssues(source, env)).toBe(type);
});

describe("what does not check", () => {
  test.each([
    ["n + 'a'", "1:3: found no matching overload for '_+_' applied to '(int, string)'\n | n + 'a'\n | ..^"],
    ["unknown", "1:1: undeclared reference to 'unknown' (in container '')"],
    ["s.nope()", "1:7: undeclared reference to 'nope' (in container '')"],
    ["s.size(1)", "1:7: found no matching overload for 'size' applied to 'string.(int)'"],
    ["n.field", "1:2: type 'int' does not support field selection"],
    ["w.weight", "1:2: undefined field 'weight'"],
    ["n && true", "1:1: expected type 'bool' but found 'int'"],
    ["n.all(x, true)", "1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"],
    ["l.all(x, x)", "1:10: expected type 'bool' but found 'int'"],
    ["Widget{weight: 1}", "1:14: undefined field 'weight'"],
    ["Widget{size: 'a'}", "1:12: expected type of field 'size' is 'int' but provided type is 'string'"],
    ["Gadget{}", "1:7: undeclared reference to 'Gadget' (in container '')"],
    ["n{}", "1:2: 'int' is not a type"],
    ["l.map(k, k{})", "1:11: 'int' is not a type"],
    ["string{a: 1}", "1:9: unexpected failed resolution of 'string'"],
    ["w{size: 1}", "1:2: 'Widget' is not a type"],
    ["w{size: 1}", "1:7: unexpected failed resolution of 'w'"],
    ["bool{}", "1:5: 'bool' is not a message type"],
  ])("%s", (source, expected) => {
    expect(typeOrIssues(source, env)).toContain(`ERROR: <input>:${expected}`);
  });

  test("every mistake is told, in the order of the text", () => {
    expect(typeOrIssues("a + b", new Env({}, everything)).match(/undeclared reference to '\w'/g)).toEqual([
      "undeclared reference to 'a'",
      "undeclared reference to 'b'",
    ]);
  });
});

test("names are looked up from the innermost namespace out", () => {
  const nested = env.extend({
    variables: [variable("p.q.v", intType), variable("p.v", stringType)],
    options: { container: "p.q" },
  });
  expect(typeOrIssues("v", nested)).toBe("int");
  expect(typeOrIssues("v", nested.extend({ options: { container: "p" } }))).toBe("string");
  expect(typeOrIssues(".v", nested)).toContain("undeclared reference to '.v'");
});

test("an environment without comparisons across types refuses them", () => {
  const strict = env.extend({ options: { crossTypeComparisons: false } });
  expect(typeOrIssues("1 < 1.5", strict)).toContain("found no matching overload for '_<_' applied to '(int, double)'");
});
