import { booleanType, stringType } from "../types/type.ts";
import { bytesOf, textOf } from "../values/text.ts";
import { type Base64Form, decodeBase64, encodeBase64, standard, urlRaw, urlSafe } from "./base64.ts";
import type { Builtin, BuiltinResult } from "./builtin.ts";
import { any, failure, string, unary } from "./operand.ts";

function decoded(text: string, form: Base64Form): BuiltinResult {
  const bytes = decodeBase64(text, form);
  return typeof bytes === "number" ? failure(`illegal base64 data at input byte ${bytes}`) : textOf(bytes);
}

/** Padding may be left out, as in JSON web tokens. */
function decodedUrl(text: string): BuiltinResult {
  const missing = text.endsWith("=") ? 0 : (4 - (text.length % 4)) % 4;
  if (missing === 3) return failure(`illegal base64url string: ${text}`);
  return decoded(text + "=".repeat(missing), urlSafe);
}

/** The bytes of hexadecimal text, or what is wrong with it in Go's words. */
function decodeHex(text: string): Uint8Array<ArrayBuffer> | string {
  const odd = /[^\da-fA-F]/u.exec(text)?.[0];
  if (odd !== undefined) {
    const point = (odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return `encoding/hex: invalid byte: U+${point} '${odd}'`;
  }
  if (text.length % 2 === 1) return "encoding/hex: odd length hex string";
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

export function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const encodingBuiltins: readonly Builtin[] = [
  unary("base64.encode", string, stringType, (text) => encodeBase64(bytesOf(text), standard)),
  unary("base64.decode", string, stringType, (text) => decoded(text, standard)),
  unary(
    "base64.is_valid",
    { ...any, type: stringType },
    booleanType,
    (value) => typeof value === "string" && typeof decodeBase64(value, standard) !== "number",
  ),
  unary("base64url.encode", string, stringType, (text) => encodeBase64(bytesOf(text), urlSafe)),
  unary("base64url.encode_no_pad", string, stringType, (text) => encodeBase64(bytesOf(text), urlRaw)),
  unary("base64url.decode", string, stringType, decodedUrl),
  unary("hex.encode", string, stringType, (text) => encodeHex(bytesOf(text))),
  unary("hex.decode", string, stringType, (text) => {
    const bytes = decodeHex(text);
    return typeof bytes === "string" ? failure(bytes) : textOf(bytes);
  }),
];
