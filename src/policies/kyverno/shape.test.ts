import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../core/json.ts";
import { between, fields, list, map, type Shape, shapeProblems } from "./shape.ts";

const tree = (): Shape => fields({ name: "string", children: list(tree) });
const shape = fields({
  name: "string",
  count: "integer",
  seconds: between(1, 30),
  on: "boolean",
  free: "any",
  labels: map("string"),
  tree,
  either: { oneOf: [list("string"), fields({ all: list("string") })] },
});

const problems = (value: JsonValue) => shapeProblems(value, shape, ["spec"]).map((p) => `${p.path.join(".")}: ${p.message}`);

describe("a value of the shape", () => {
  test.each<[string, JsonValue]>([
    ["may leave everything out", {}],
    ["may have nulls", { name: null, labels: null, either: null }],
    ["nests without end", { tree: { children: [{ name: "a", children: [{ name: "b" }] }] } }],
    ["may hold anything where anything goes", { free: { any: [1, { x: null }] } }],
    ["takes either form", { either: ["a"] }],
    ["takes the other form", { either: { all: ["a"] } }],
    ["may hold 64-bit integers", { count: 9_007_199_254_740_993n }],
    ["may be as little as a range begins with", { seconds: 1 }],
    ["may be as much as a range ends with", { seconds: 30n }],
  ])("%s", (_, value) => {
    expect(problems(value)).toEqual([]);
  });
});

describe("problems", () => {
  test.each<[string, JsonValue, string]>([
    ["an unknown field", { nam: "x" }, 'spec.nam: unknown field "nam"'],
    ["one that is nested", { tree: { children: [{}, { kind: "x" }] } }, 'spec.tree.children.1.kind: unknown field "kind"'],
    ["a number for a text", { name: 1 }, "spec.name: must be a string, but is a number"],
    ["a fraction for an integer", { count: 1.5 }, "spec.count: must be an integer, but is a number"],
    ["less than a range", { seconds: 0 }, "spec.seconds: must be an integer from 1 to 30, but is 0"],
    ["more than a range", { seconds: 31n }, "spec.seconds: must be an integer from 1 to 30, but is 31"],
    ["a fraction for a range", { seconds: 1.5 }, "spec.seconds: must be an integer from 1 to 30, but is a number"],
    ["a text for a range", { seconds: "5" }, "spec.seconds: must be an integer from 1 to 30, but is a string"],
    ["a text for a list", { tree: { children: "x" } }, "spec.tree.children: must be a list, but is a string"],
    ["a list for an object", { labels: [] }, "spec.labels: must be an object, but is a list"],
    ["a wrong value in a map", { labels: { a: true } }, "spec.labels.a: must be a string, but is a boolean"],
    ["the form that fits best", { either: { any: [] } }, 'spec.either.any: unknown field "any"'],
  ])("%s", (_, value, message) => {
    expect(problems(value)).toEqual([message]);
  });

  test("name the nearest field", () => {
    expect(shapeProblems({ nmae: "x" }, shape)[0]?.nearest).toBe("name");
  });
});
