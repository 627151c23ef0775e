import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonPatch } from "./finding.ts";
import type { JsonValue } from "./json.ts";
import { diffJson } from "./json-diff.ts";
import { applyJsonPatch, applyMergePatch, parseJsonPatch, parsePointer } from "./json-patch.ts";

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;
/** Pairs that have much in common, as two versions of an object do. */
const related = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.record({ name: fc.constantFrom("a", "b", "c"), n: fc.nat(2) })), {
    maxLength: 8,
  })
  .map((items) => ({ spec: { items } }) as JsonValue);

describe("RFC 6902", () => {
  type Row = readonly [document: JsonValue, patch: JsonPatch, result: JsonValue];
  // The examples of appendix A.
  test.each<Row>([
    [{ foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
    [{ foo: ["bar", "baz"] }, [{ op: "add", path: "/foo/1", value: "qux" }], { foo: ["bar", "qux", "baz"] }],
    [{ baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
    [{ foo: ["bar", "qux", "baz"] }, [{ op: "remove", path: "/foo/1" }], { foo: ["bar", "baz"] }],
    [{ baz: "qux" }, [{ op: "replace", path: "/baz", value: "boo" }], { baz: "boo" }],
    [{ foo: { bar: 1, x: 2 }, q: {} }, [{ op: "move", from: "/foo/x", path: "/q/y" }], { foo: { bar: 1 }, q: { y: 2 } }],
    [{ foo: ["all", "grass", "cows"] }, [{ op: "move", from: "/foo/1", path: "/foo/2" }], { foo: ["all", "cows", "grass"] }],
    [{ baz: "qux" }, [{ op: "test", path: "/baz", value: "qux" }], { baz: "qux" }],
    [{ foo: "bar" }, [{ op: "add", path: "/child", value: { grandchild: {} } }], { foo: "bar", child: { grandchild: {} } }],
    [{ "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
    [{ foo: ["bar"] }, [{ op: "add", path: "/foo/-", value: ["abc"] }], { foo: ["bar", ["abc"]] }],
    [{ a: { b: 1 } }, [{ op: "copy", from: "/a", path: "/c" }], { a: { b: 1 }, c: { b: 1 } }],
    [{ a: 1 }, [{ op: "add", path: "", value: { b: 2 } }], { b: 2 }],
    [{ a: 1 }, [{ op: "test", path: "/b", value: null }], { a: 1 }],
    [{}, [{ op: "add", path: "/__proto__", value: { polluted: 1 } }], JSON.parse('{"__proto__":{"polluted":1}}')],
  ])("%j patched by %j is %j", (document, patch, result) => {
    const before = structuredClone(document);
    expect(applyJsonPatch(document, patch)).toEqual({ ok: true, value: result });
    expect(document).toEqual(before);
  });

  test.each<[JsonValue, JsonPatch, string]>([
    [{ baz: "qux" }, [{ op: "test", path: "/baz", value: "bar" }], "testing value /baz failed"],
    [{ "~1": 10 }, [{ op: "test", path: "/~01", value: "10" }], "testing value /~01 failed"],
    [{ foo: 1 }, [{ op: "add", path: "/baz/bat", value: 1 }], "missing path: /baz/bat"],
    [{ a: [] }, [{ op: "add", path: "/a/1", value: 1 }], "invalid index: 1"],
    [{ a: [1] }, [{ op: "add", path: "/a/-1", value: 1 }], "not a proper array index: '-1'"],
    [{ a: [1] }, [{ op: "replace", path: "/a/-1", value: 1 }], "missing key: /a/-1"],
    [{ a: [1] }, [{ op: "replace", path: "/a/01", value: 1 }], "missing key: /a/01"],
    [{}, [{ op: "remove", path: "/a" }], "missing path: /a"],
    [{ a: 1 }, [{ op: "remove", path: "" }], "whole document"],
    [{ a: {} }, [{ op: "move", from: "/a", path: "/a/b" }], "into itself"],
    [{ a: 1 }, [{ op: "replace", path: "a", value: 2 }], "must begin with a forward slash"],
    [{ a: "text" }, [{ op: "add", path: "/a/b", value: 2 }], "missing path"],
  ])("%j patched by %j fails: %s", (document, patch, message) => {
    const patched = applyJsonPatch(document, patch);
    expect(patched.ok ? "applied" : patched.message).toContain(message);
  });

  // Kyverno's laxness, each row also run against its own patch library.
  test.each<[JsonValue, JsonPatch, JsonValue | string]>([
    [{}, [{ op: "add", path: "/a/b/c", value: 1 }], { a: { b: { c: 1 } } }],
    [{}, [{ op: "add", path: "/a/0", value: 1 }], { a: [1] }],
    [{}, [{ op: "add", path: "/a/2", value: 1 }], { a: [null, null, 1] }],
    [{}, [{ op: "add", path: "/a/-", value: 1 }], { a: [1] }],
    [{}, [{ op: "add", path: "/a/-1", value: 1 }], { a: [1] }],
    [{}, [{ op: "add", path: "/a/-2", value: 1 }], "negative index other than -1"],
    [{ a: null }, [{ op: "add", path: "/a/b", value: 1 }], { a: { b: 1 } }],
    [{ a: [1, 2] }, [{ op: "add", path: "/a/-1", value: 3 }], { a: [1, 2, 3] }],
    [{ a: [1, 2] }, [{ op: "add", path: "/a/-2", value: 3 }], { a: [1, 3, 2] }],
    [{ a: [1] }, [{ op: "add", path: "/a/3", value: 3 }], "invalid index: 3"],
    [{ a: [{ b: 1 }] }, [{ op: "add", path: "/a/2/b", value: 3 }], { a: [{ b: 1 }, null, { b: 3 }] }],
    [{ a: [1] }, [{ op: "add", path: "/a/-/b", value: 3 }], "missing path: /a/-/b"],
    [{ a: [1, 2] }, [{ op: "replace", path: "/a/-1", value: 3 }], { a: [1, 3] }],
    [{ a: [1, 2] }, [{ op: "remove", path: "/a/-2" }], { a: [2] }],
    [{ a: [1] }, [{ op: "remove", path: "/a/3" }], { a: [1] }],
    [{ a: 1 }, [{ op: "remove", path: "/b/c" }], { a: 1 }],
    [{ a: "x" }, [{ op: "add", path: "/a/b", value: 1 }], "missing path: /a/b"],
    [{ a: 1 }, [{ op: "replace", path: "/b", value: 1 }], "missing key: /b"],
    [{}, [{ op: "add", path: "/a/99999999999/b", value: 1 }], "beyond the list's end"],
  ])("leniently, %j patched by %j gives %j", (document, patch, expected) => {
    const patched = applyJsonPatch(document, patch, { lenient: true });
    if (typeof expected === "string") expect(patched.ok ? "applied" : patched.message).toContain(expected);
    else expect(patched).toEqual({ ok: true, value: expected });
  });

  test.each<[JsonValue, string]>([
    [{ op: "add" }, "must be a list"],
    [[{ op: "add", path: "/a" }], "operation 0: missing value"],
    [[{ op: "jump", path: "/a" }], 'unsupported operation "jump"'],
    [[{ op: "move", path: "/a" }], "missing from"],
    [[{ op: "remove" }], "missing path"],
    [["remove"], "missing path"],
    [[{ op: "copy", from: "a", path: "/b" }], 'path "a" must begin with a forward slash'],
  ])("%j is no patch: %s", (value, message) => {
    const parsed = parseJsonPatch(value);
    expect(parsed.ok ? "parsed" : parsed.message).toContain(message);
  });

  test("data becomes a patch, without foreign members", () => {
    expect(parseJsonPatch([{ op: "add", path: "/a", value: null, note: "x" }])).toEqual({
      ok: true,
      patch: [{ op: "add", path: "/a", value: null }],
    });
  });

  test("a pointer is split and unescaped", () => {
    expect(parsePointer("/a~1b/~01/")).toEqual(["a/b", "~1", ""]);
    expect(parsePointer("a")).toBeUndefined();
  });
});

describe("diff", () => {
  test.each<[JsonValue, JsonValue, JsonPatch]>([
    [
      { a: 1, b: 2 },
      { b: 3, c: 4 },
      [
        { op: "remove", path: "/a" },
        { op: "replace", path: "/b", value: 3 },
        { op: "add", path: "/c", value: 4 },
      ],
    ],
    [[1, 2, 3], [1, 3], [{ op: "remove", path: "/1" }]],
    [[1, 3], [1, 2, 3], [{ op: "add", path: "/1", value: 2 }]],
    [[{ n: 1, v: "x" }, 9], [{ n: 1, v: "y" }, 9], [{ op: "replace", path: "/0/v", value: "y" }]],
    [
      ["a", "b", "c", "d"],
      ["x", "a", "c"],
      [
        { op: "add", path: "/0", value: "x" },
        { op: "remove", path: "/2" },
        { op: "remove", path: "/3" },
      ],
    ],
    [{ "a/b": 1 }, {}, [{ op: "remove", path: "/a~1b" }]],
    [1, 1, []],
  ])("from %j to %j is %j", (before, after, patch) => expect(diffJson(before, after)).toEqual(patch));

  test("applied to what it was made from, it gives the other", () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(json, json), fc.tuple(related, related)), ([a, b]) => {
        expect(applyJsonPatch(a, diffJson(a, b))).toEqual({ ok: true, value: b });
      }),
    );
  });

  test("lists too long to align are compared by position", () => {
    const a = Array.from({ length: 300 }, (_, i) => i);
    const b = a.map((n) => n + 1);
    expect(applyJsonPatch(a, diffJson(a, b))).toEqual({ ok: true, value: b });
  });
});

describe("RFC 7386", () => {
  // The examples of appendix A.
  test.each<[JsonValue, JsonValue, JsonValue]>([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j merged with %j is %j", (target, patch, result) => expect(applyMergePatch(target, patch)).toEqual(result));
});
