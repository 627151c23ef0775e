import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { change } from "./change.ts";
import { parsePath } from "./path.ts";
import { compilePathTests, readPathTests } from "./path-tests.ts";

function changed(object: JsonObject, location: string, value: JsonValue, tests: JsonValue = []): JsonValue | string {
  const path = parsePath(location);
  if (!path.ok) return path.message;
  const read = readPathTests(tests);
  const compiled = read.ok ? compilePathTests(path.path, read.tests) : read;
  if (!compiled.ok) return compiled.message;
  const item = typeof value === "object" && value !== null && !Array.isArray(value) ? () => value as JsonObject : undefined;
  try {
    return change(object, path.path, compiled.tests, { set: () => value, item }).value;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const exists = (subPath: string) => [{ subPath, condition: "MustExist" }];
const missing = (subPath: string) => [{ subPath, condition: "MustNotExist" }];
const list = { l: [{ n: "a", v: 1 }, { n: "b" }] };

describe("a change", () => {
  test.each<[string, JsonObject, string, JsonValue, JsonValue, JsonValue]>([
    ["makes what is missing", {}, "a.b.c", 1, [], { a: { b: { c: 1 } } }],
    ["makes lists and their items", {}, "a[n: x].c", 1, [], { a: [{ n: "x", c: 1 }] }],
    [
      "goes to all items",
      list,
      "l[n: *].v",
      2,
      [],
      {
        l: [
          { n: "a", v: 2 },
          { n: "b", v: 2 },
        ],
      },
    ],
    [
      "goes to items by their key",
      list,
      "l[n: b].v",
      2,
      [],
      {
        l: [
          { n: "a", v: 1 },
          { n: "b", v: 2 },
        ],
      },
    ],
    ["adds an item", list, "l[n: c].v", 2, [], { l: [{ n: "a", v: 1 }, { n: "b" }, { n: "c", v: 2 }] }],
    ["replaces an item", list, "l[n: a]", { n: "a", w: 3 }, [], { l: [{ n: "a", w: 3 }, { n: "b" }] }],
    ["makes no items of nothing for all", {}, "l[n: *].v", 1, [], {}],
    ["is not made where something must exist", {}, "a.b", 1, exists("a"), {}],
    ["is made where it does", { a: {} }, "a.b", 1, exists("a"), { a: { b: 1 } }],
    ["is not made where something must not exist", { a: { b: 0 } }, "a.b", 1, missing("a.b"), { a: { b: 0 } }],
    ["is not made in part", { a: {} }, "a.b.c", 1, exists("a.b.c"), { a: {} }],
  ])("%s", (_, object, location, value, tests, expected) => expect(changed(object, location, value, tests)).toEqual(expected));

  test.each<[string, JsonObject, string, JsonValue, JsonValue, string]>([
    ["through something else", { a: 1 }, "a.b", 1, [], "a must be an object, but is 1"],
    ["through an object where a list is meant", { a: {} }, "a[n: x].b", 1, [], "a must be a list, but is an object"],
    ["that changes the key of an item", list, "l[n: a]", { n: "z" }, [], "the key n of the item must not change"],
    ["that puts no object into a list", list, "l[n: a]", 1, [], "the location must not end with an item of a list"],
    ["with tests of other places", {}, "a.b", 1, exists("c"), "subPath c is no beginning of the location"],
    [
      "with tests that contradict each other",
      {},
      "a.b",
      1,
      [...exists("a.b"), ...missing("a")],
      "a.b must exist in what must not exist",
    ],
    [
      "with a test of no meaning",
      {},
      "a",
      1,
      [{ subPath: "a", condition: "Maybe" }],
      '"Maybe" is neither MustExist nor MustNotExist',
    ],
  ])("%s is refused", (_, object, location, value, tests, message) =>
    expect(changed(object, location, value, tests)).toBe(message),
  );

  test("leaves the object as it was", () => {
    const before = structuredClone(list);
    changed(list, "l[n: *].v", 9);
    expect(list).toEqual(before);
  });
});
