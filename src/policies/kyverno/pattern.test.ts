import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { smallPattern, smallValue } from "../../../test/fuzz/arbitraries.ts";
import { referenceStatus } from "../../../test/fuzz/reference-pattern.ts";
import type { JsonValue } from "../../core/json.ts";
import { compilePattern } from "./pattern.ts";

const containers = (...items: readonly JsonValue[]): JsonValue => ({ spec: { containers: items } });

/** Pattern, value, and the status that Kyverno 1.19 gives; the path where it fails. */
const cases: readonly (readonly [string, JsonValue, JsonValue, string, string?])[] = [
  ["plain members", { a: "x", b: 1 }, { a: "x", b: 1, c: 2 }, "pass"],
  ["a missing member is null", { a: "x" }, {}, "fail", "/a/"],
  ["a star needs something", { a: "*" }, { a: null }, "fail", "/"],
  ["a star takes objects", { a: "*" }, { a: {} }, "pass"],
  [
    "all items of a list follow the pattern",
    containers({ image: "!*:latest" }),
    containers({ image: "a:1" }, { image: "b:latest" }),
    "fail",
    "/spec/containers/1/image/",
  ],
  ["an empty list follows every pattern", containers({ image: "x" }), containers(), "pass"],
  ["a list against an object", { a: { b: 1 } }, { a: [] }, "fail", "/a/"],
  ["a scalar against a list holds for each", { a: "x*" }, { a: ["x1", "x2"] }, "pass"],
  ["a list of scalars counts its first only", { a: ["x", "y"] }, { a: ["x", "x"] }, "pass"],
  ["lists of lists go item by item", { a: [["x"], ["y"]] }, { a: [["x"], ["y"]] }, "pass"],
  ["lists of lists must be long enough", { a: [["x"], ["y"]] }, { a: [["x"]] }, "error"],
  ["an empty pattern list", { a: [] }, { a: [] }, "fail", "/a/"],
  [
    "condition holds",
    containers({ "(name)": "n*", image: "x" }),
    containers({ name: "nginx", image: "y" }),
    "fail",
    "/spec/containers/0/image/",
  ],
  ["condition does not hold", containers({ "(name)": "n*", image: "x" }), containers({ name: "web", image: "y" }), "skip"],
  ["condition on a missing key", { "(a)": "x", b: "y" }, { b: "z" }, "skip"],
  [
    "one item skipped, one passes",
    containers({ "(name)": "a", image: "x" }),
    containers({ name: "a", image: "x" }, { name: "b", image: "y" }),
    "pass",
  ],
  ["equality where present", { "=(a)": "x" }, { a: "y" }, "fail", "/a/"],
  ["equality where absent", { "=(a)": "x" }, {}, "pass"],
  ["negation", { a: { "X(b)": null } }, { a: { b: 1 } }, "fail", "/a/b/"],
  ["negation of what is absent", { "X(b)": null }, {}, "pass"],
  ["negation inside a condition makes it not hold", { "(a)": { "X(b)": null }, c: "x" }, { a: { b: 1 } }, "skip"],
  ["global condition fails the whole rule", { a: { "<(b)": "x" }, c: "y" }, { a: { b: "z" }, c: "n" }, "skip"],
  ["global condition on a missing key", { a: { "<(b)": "x" }, c: "y" }, { a: {}, c: "n" }, "fail", "/c/"],
  ["existence", { "^(a)": [{ b: "x" }] }, { a: [{ b: "y" }, { b: "x" }] }, "pass"],
  ["existence of each pattern", { "^(a)": [{ b: "x" }, { b: "z" }] }, { a: [{ b: "y" }, { b: "x" }] }, "fail", "/a/"],
  ["existence on no list", { "^(a)": [{ b: "x" }] }, { a: "x" }, "fail", "/a/"],
  ["existence on a missing key passes", { "^(a)": [{ b: "x" }] }, {}, "pass"],
  ["a failure while an anchored key is missing everywhere is an error", { "^(a)": [{ b: "x" }], c: "y" }, { c: "n" }, "error"],
  ["an add anchor is a key of that name", { "+(a)": "x" }, { a: "x" }, "fail", "/+(a)/"],
  ["the pattern itself a scalar", "x", "x", "pass"],
  ["null matches nothing and its kin", { a: null, b: null, c: null }, { a: 0, b: "", c: false }, "pass"],
  ["null does not match objects", { a: null }, { a: {} }, "fail", "/a/"],
];

const meta = (labels: JsonValue): JsonValue => ({ metadata: { labels } });

const labelCases: readonly (readonly [string, JsonValue, JsonValue, string])[] = [
  ["a wildcard key finds the label", meta({ "app.kubernetes.io/*": "?*" }), meta({ "app.kubernetes.io/name": "web" }), "pass"],
  ["its value counts", meta({ "app*": "web" }), meta({ app: "db" }), "fail"],
  ["no label matches the key", meta({ "app*": "?*" }), meta({ tier: "web" }), "fail"],
  ["anchors stay on the key", meta({ "=(team-*)": "a" }), meta({ app: "web" }), "pass"],
  ["anchors apply to the label found", meta({ "=(team-*)": "a" }), meta({ "team-x": "b" }), "fail"],
  ["negation with a wildcard", meta({ "X(team-*)": "" }), meta({ "team-x": "b" }), "fail"],
  ["no labels at all", meta({ "app*": "?*" }), { metadata: {} }, "fail"],
  ["annotations likewise", { metadata: { annotations: { "a/*": "x" } } }, { metadata: { annotations: { "a/b": "x" } } }, "pass"],
  ["nowhere else", { spec: { "a*": "x" } }, { spec: { ab: "x" } }, "fail"],
  [
    "an anchored metadata",
    { "(metadata)": { "=(labels)": { "a*": "x" } }, b: "y" },
    { metadata: { labels: { ab: "x" } }, b: "y" },
    "pass",
  ],
];

describe("patterns", () => {
  test.each(cases.map(([name, ...row]) => ({ name, row })))("$name", ({ row }) => {
    const [pattern, value, status, path] = row;
    const result = compilePattern(pattern)(value);
    expect(result.status).toBe(status);
    if (result.status === "fail") expect(result.path).toBe(path);
  });

  test.each(labelCases)("labels: %s", (_, pattern, value, status) => {
    expect(compilePattern(pattern)(value).status).toBe(status);
  });

  test("messages", () => {
    const messageOf = (pattern: JsonValue, value: JsonValue): string => {
      const result = compilePattern(pattern)(value);
      return result.status === "pass" ? "" : result.message;
    };
    expect(messageOf({ a: "x" }, { a: { b: [1] } })).toBe("resource value 'map[b:[1]]' does not match 'x' at path /a/");
    expect(messageOf({ "(a)": "x" }, {})).toBe(
      "conditional anchor mismatch: conditional anchor key doesn't exist in the resource",
    );
    expect(messageOf({ "X(a)": null }, { a: 1 })).toBe("negation anchor matched in resource: /a/ is not allowed");
    expect(messageOf({ "<(a)": 1 }, { a: 2 })).toBe("global anchor mismatch: resource value '2' does not match '1' at path /a/");
    expect(messageOf({ a: {} }, { a: 1 })).toBe(
      "pattern and resource have different structures. Path: /a/. Expected map[string]interface {}, found int64",
    );
    expect(messageOf([{ "(a)": 1 }], [{ a: 2 }, { a: 3 }])).toBe(
      "conditional anchor mismatch: resource value '2' does not match '1' at path /0/a/; " +
        "conditional anchor mismatch: resource value '3' does not match '1' at path /1/a/",
    );
  });

  test("the order of keys has no effect", () => {
    const shuffled = smallPattern.chain((pattern) =>
      fc
        .shuffledSubarray(Object.entries(pattern ?? {}), { minLength: Object.keys(pattern ?? {}).length })
        .map((entries) => ({ pattern, entries })),
    );
    fc.assert(
      fc.property(shuffled, smallValue, ({ pattern, entries }, value) => {
        expect(compilePattern(Object.fromEntries(entries))(value)).toEqual(compilePattern(pattern)(value));
      }),
    );
  });

  test("agrees with a slow and plain reading of the rules", () => {
    fc.assert(
      fc.property(smallValue, smallPattern, (value, pattern) => {
        expect(compilePattern(pattern)(value).status).toBe(referenceStatus(value, pattern));
      }),
      { numRuns: 3000 },
    );
  });
});
