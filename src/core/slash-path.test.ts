import { posix } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanPath, joinPath } from "./slash-path.ts";

describe("slash paths", () => {
  test.each([
    ["", "."],
    ["/", "/"],
    ["a//b/./c/..", "a/b"],
    ["../a/..", ".."],
    ["/../a", "/a"],
    ["a/", "a"],
  ])("cleanPath(%j) is %j", (path, clean) => {
    expect(cleanPath(path)).toBe(clean);
  });

  test("joinPath leaves out what is empty", () => {
    expect(joinPath("", "a", "", "../b")).toBe("b");
    expect(joinPath("", "")).toBe("");
  });

  test("agrees with the platform but for a trailing slash, which Go cuts", () => {
    const path = fc.array(fc.constantFrom("a", "b", ".", "..", "")).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(path, (p) => {
        const normal = posix.normalize(p);
        expect(cleanPath(p)).toBe(normal.length > 1 ? normal.replace(/\/$/, "") : normal);
      }),
    );
  });
});
