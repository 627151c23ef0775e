import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8, isUtf8 } from "./utf8.ts";

describe("UTF-8", () => {
  test("text survives", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => decodeUtf8(encodeUtf8(text)) === text));
  });

  test("agrees with the platform, ill-formed bytes included in what they spell", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(Buffer.from(encodeUtf8(text))).toEqual(Buffer.from(text, "utf8"));
      }),
    );
  });

  test.each([
    [[0x61, 0xff, 0x62], "a\ufffdb", false],
    [[0xc0, 0x80], "\ufffd\ufffd", false],
    [[0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd", false],
    [[0xf4, 0x90, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd", false],
    [[0xe2, 0x82], "\ufffd\ufffd", false],
    [[0xef, 0xbf, 0xbd], "\ufffd", true],
  ])("%j", (bytes, text, wellFormed) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toBe(text);
    expect(isUtf8(Uint8Array.from(bytes))).toBe(wellFormed);
  });
});

describe("base64", () => {
  test("agrees with the platform", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = encodeBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("base64"));
        expect(decodeBase64(text)).toEqual(bytes);
      }),
    );
  });

  test.each(["a", "ab", "abc", "a===", "ab=c", "a b=", "-_==", "="])("%j is none", (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });

  test("line breaks are skipped", () => {
    expect(decodeBase64("aGVs\r\nbG8=\n")).toEqual(encodeUtf8("hello"));
  });
});
