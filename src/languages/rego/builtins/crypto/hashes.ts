import { hmac } from "@noble/hashes/hmac.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { booleanType, stringType } from "../../types/type.ts";
import { bytesOf } from "../../values/text.ts";
import type { Builtin } from "../builtin.ts";
import { encodeHex } from "../encoding.ts";
import { binary, string, unary } from "../operand.ts";

const hashes = { md5, sha1, sha256, sha384, sha512 } as const;

export type HashName = keyof typeof hashes;

export function digest(name: HashName, bytes: Uint8Array): Uint8Array {
  return hashes[name](bytes);
}

export function authenticate(name: HashName, key: Uint8Array, message: Uint8Array): Uint8Array {
  return hmac(hashes[name], key, message);
}

/** Bytes of the digest. */
export function digestLength(name: HashName): number {
  return hashes[name].outputLen;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  // Every byte is looked at, whatever the first difference: time must not tell how much of a code was right.
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

const hash = (name: HashName): Builtin =>
  unary(`crypto.${name}`, string, stringType, (text) => encodeHex(digest(name, bytesOf(text))));

const mac = (name: HashName): Builtin =>
  binary(`crypto.hmac.${name}`, [string, string], stringType, (message, key) =>
    encodeHex(authenticate(name, bytesOf(key), bytesOf(message))),
  );

export const hashBuiltins: readonly Builtin[] = [
  hash("md5"),
  hash("sha1"),
  hash("sha256"),
  mac("md5"),
  mac("sha1"),
  mac("sha256"),
  mac("sha512"),
  binary("crypto.hmac.equal", [string, string], booleanType, (a, b) => sameBytes(bytesOf(a), bytesOf(b))),
];
