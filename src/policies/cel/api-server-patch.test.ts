import { describe, expect, test } from "vitest";
import { apiServerPatch, type WrittenOperation } from "./api-server-patch.ts";

const document = { data: { a: "1", list: ["x", "y"] }, "b/c": { "d~e": 1 } };
const operation = (op: string, path: string, more: Partial<WrittenOperation> = {}): WrittenOperation => ({
  op,
  path,
  from: "",
  value: undefined,
  ...more,
});

describe("a patch", () => {
  test.each<[string, readonly WrittenOperation[], unknown]>([
    ["adds", [operation("add", "/data/b", { value: 2 })], { ...document, data: { ...document.data, b: 2 } }],
    ["adds nothing as null", [operation("add", "/data/b")], { ...document, data: { ...document.data, b: null } }],
    [
      "replaces what is not there",
      [operation("replace", "/data/b", { value: 2 })],
      { ...document, data: { ...document.data, b: 2 } },
    ],
    ["replaces everything", [operation("replace", "", { value: { x: 1 } })], { x: 1 }],
    [
      "appends, inserts, and counts from the end",
      [
        operation("add", "/data/list/-", { value: "z" }),
        operation("add", "/data/list/-2", { value: "n" }),
        operation("remove", "/data/list/0"),
      ],
      { ...document, data: { a: "1", list: ["y", "n", "z"] } },
    ],
    ["moves", [operation("move", "/data/n", { from: "/data/a" })], { ...document, data: { list: ["x", "y"], n: "1" } }],
    [
      "copies what is not there as null",
      [operation("copy", "/data/n", { from: "/data/q" })],
      { ...document, data: { ...document.data, n: null } },
    ],
    ["reads escapes", [operation("remove", "/b~1c/d~0e")], { data: document.data, "b/c": {} }],
    [
      "writes what only looks like a prototype",
      [operation("add", "/data/__proto__", { value: 1 })],
      { ...document, data: JSON.parse('{"a":"1","list":["x","y"],"__proto__":1}') },
    ],
    [
      "goes on where a test holds",
      [operation("test", "/data/a", { value: "1" }), operation("remove", "/data/a")],
      { ...document, data: { list: ["x", "y"] } },
    ],
  ])("%s", (_, operations, expected) => {
    const before = JSON.stringify(document);
    const patched = apiServerPatch(document, operations);
    expect(patched).toEqual({ ok: true, value: expected });
    expect(JSON.stringify(document)).toBe(before);
  });

  test.each<[WrittenOperation, string]>([
    [operation("add", "/none/x", { value: 1 }), 'add operation does not apply: doc is missing path: "/none/x": missing value'],
    [
      operation("add", "/data/list/9", { value: 1 }),
      "error in add for path: '/data/list/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    [
      operation("add", "/data/list/x", { value: 1 }),
      `error in add for path: '/data/list/x': value was not a proper array index: 'x': strconv.Atoi: parsing "x": invalid syntax`,
    ],
    [operation("add", "", { value: 1 }), 'add operation does not apply: doc is missing path: "": missing value'],
    [operation("remove", "/data/q"), "error in remove for path: '/data/q': Unable to remove nonexistent key: q: missing value"],
    [operation("remove", "/none/q"), 'remove operation does not apply: doc is missing path: "/none/q": missing value'],
    [
      operation("replace", "/none/q", { value: 1 }),
      "replace operation does not apply: doc is missing path: /none/q: missing value",
    ],
    [
      operation("replace", "/data/list/5", { value: 1 }),
      "replace operation does not apply: doc is missing key: /data/list/5: missing value",
    ],
    [
      operation("move", "/x", { from: "/data/q" }),
      "error in move for path: 'q': Unable to remove nonexistent key: q: missing value",
    ],
    [
      operation("copy", "/x/y", { from: "/data/a" }),
      "copy operation does not apply: doc is missing destination path: /x/y: missing value",
    ],
    [operation("test", "/none/q", { value: 1 }), "test operation does not apply: is missing path: /none/q: missing value"],
    [operation("put", "/data/a"), "Unexpected kind: put"],
  ])("%o fails", (one, message) => {
    expect(apiServerPatch(document, [one])).toEqual({ ok: false, message });
  });

  test("changes nothing where a test fails", () => {
    expect(
      apiServerPatch(document, [operation("remove", "/data/a"), operation("test", "/data/list/0", { value: "q" })]),
    ).toBeUndefined();
  });
});
