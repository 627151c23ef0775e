import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPath, isPrefix, type MutationPath, type PathStep, parsePath } from "./path.ts";

describe("a location", () => {
  test.each<[string, MutationPath]>([
    ["", []],
    [
      "spec.a-b_c",
      [
        { kind: "object", name: "spec" },
        { kind: "object", name: "a-b_c" },
      ],
    ],
    ['"with.dots"', [{ kind: "object", name: "with.dots" }]],
    [
      "a[b: *].c",
      [
        { kind: "object", name: "a" },
        { kind: "list", key: "b", value: undefined, all: true },
        { kind: "object", name: "c" },
      ],
    ],
    [
      'a[b: "*"]',
      [
        { kind: "object", name: "a" },
        { kind: "list", key: "b", value: "*", all: false },
      ],
    ],
    [
      "a[b: 80]",
      [
        { kind: "object", name: "a" },
        { kind: "list", key: "b", value: 80, all: false },
      ],
    ],
  ])("%s", (source, path) => expect(parsePath(source)).toEqual({ ok: true, path }));

  test.each<[string, string]>([
    [".a", "expected the name of a field at position 1"],
    ["a.", "expected the name of a field at position 3, got the end"],
    ["a b", "expected '.' or the end at position 3"],
    ["a[*]", "expected the key of the list"],
    ["a[b: ]", "expected a value or '*'"],
    ["a[b: c", "expected ']'"],
    ["a[b: 99999999999999999999]", "is too large"],
    ["a/b", 'got "/"'],
    ['a."b', "at position 3"],
  ])("%s is refused", (source, message) => {
    const parsed = parsePath(source);
    expect(parsed.ok ? "" : parsed.message).toContain(message);
  });
});

const name = fc.string({ minLength: 1, maxLength: 6 });
const object = fc.record({ kind: fc.constant("object" as const), name });
const list = fc.oneof(
  fc.record({ kind: fc.constant("list" as const), key: name, value: fc.constant(undefined), all: fc.constant(true) }),
  fc.record({ kind: fc.constant("list" as const), key: name, value: fc.oneof(name, fc.nat()), all: fc.constant(false) }),
);
const path = fc
  .array(fc.tuple(object, fc.option(list)), { minLength: 1, maxLength: 4 })
  .map(
    (pairs): MutationPath =>
      pairs.flatMap(([first, second]): readonly PathStep[] => (second === null ? [first] : [first, second])),
  );

test("is read as it is written", () => {
  fc.assert(
    fc.property(path, (steps) => {
      expect(parsePath(formatPath(steps))).toEqual({ ok: true, path: steps });
    }),
  );
});

test("begins with each of its beginnings", () => {
  fc.assert(
    fc.property(path, fc.nat(), (steps, n) => {
      const short = steps.slice(0, n % (steps.length + 1));
      expect(isPrefix(short, steps)).toBe(true);
      expect(isPrefix([...steps, { kind: "object", name: "x" }], steps)).toBe(false);
    }),
  );
});
