import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, illegalBase64At } from "./base64.ts";
import { editDistance, nearestName } from "./nearest.ts";

describe("base64 as Go reads it", () => {
  // Offsets from encoding/base64.StdEncoding.DecodeString of Go 1.26.
  // From encoding/base64.StdEncoding.DecodeString of Go 1.26.
  test.each([
    ["", undefined],
    ["aGk=", undefined],
    ["aGk", 0],
    ["aGk=\n", undefined],
    ["aG\nk=", undefined],
    ["aGk==", 4],
    ["a", 0],
    ["a===", 1],
    ["=", 0],
    ["aGVsbG8=x", 8],
    ["BASE64_ENCODED_VALUE", 6],
    ["aGk=aGk=", 4],
    ["YQ=", 3],
    ["YQ= =", 2],
    ["aGVsbG8", 4],
    ["abcde", 4],
    ["hunter2!", 7],
    ["\nab", 1],
    ["ab\n", 1],
    ["a\nb", 1],
  ])("%j fails at %s", (text, offset) => {
    expect(illegalBase64At(text)).toBe(offset);
  });

  test("what is encoded decodes to itself", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const text = btoa(String.fromCharCode(...bytes));
        expect(decodeBase64(text)).toEqual(bytes);
        expect(decodeBase64(text.replace(/(.{5})/g, "$1\n"))).toEqual(bytes);
      }),
    );
  });
});

describe("the nearest name", () => {
  test.each([
    ["imagePullpolicy", ["imagePullPolicy", "image"], "imagePullPolicy"],
    ["image_pull_policy", ["imagePullPolicy"], "imagePullPolicy"],
    ["port", ["ports", "name"], "ports"],
    ["policies", ["policy"], "policy"],
    ["seletcor", ["selector", "template"], "selector"],
    ["horizontalpodautoscalars", ["horizontalpodautoscalers"], "horizontalpodautoscalers"],
    ["env", ["end", "image"], undefined],
    ["limits", ["requests", "claims"], undefined],
    ["tart", ["start", "tarts"], "tarts"],
    ["abcd", ["abcx", "abcy"], undefined],
  ])("of %s among %j is %s", (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });

  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 7 });

  /** The definition, without a table. */
  function slow(a: string, b: string): number {
    if (a === "" || b === "") return a.length + b.length;
    const [x, y] = [a.slice(1), b.slice(1)];
    const options = [slow(x, b) + 1, slow(a, y) + 1, slow(x, y) + (a[0] === b[0] ? 0 : 1)];
    if (a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0]) options.push(slow(a.slice(2), b.slice(2)) + 1);
    return Math.min(...options);
  }

  test("edits are counted as their definition counts them", () => {
    fc.assert(fc.property(word, word, (a, b) => expect(editDistance(a, b, 99)).toBe(slow(a, b))));
  });
});
