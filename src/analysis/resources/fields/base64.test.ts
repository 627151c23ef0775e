import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, illegalBase64At } from "./base64.ts";

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
