import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { Host } from "../../../../../core/host.ts";
import { isObject, type JsonObject, type JsonValue } from "../../../../../core/json.ts";
import { decodeBase64, decodeUtf8, encodeUtf8 } from "../../../../../core/utf8.ts";
import type { Library } from "../../../declarations.ts";
import { boolType, type CelType, dynType, mapOf, stringType, structType } from "../../../types.ts";
import { CelError, CelObject, type CelValue, type Value } from "../../../values/value.ts";
import { outsideOverload, textOf } from "../context-value.ts";

const claimsType = mapOf(stringType, dynType);
const tokenType = structType("jwt.Token");

class Token extends CelObject {
  readonly claims: JsonObject;
  readonly valid: boolean;

  constructor(claims: JsonObject, valid: boolean) {
    super();
    this.claims = claims;
    this.valid = valid;
  }

  get type(): CelType {
    return tokenType;
  }

  override field(name: string): Value | undefined {
    return name === "Claims" ? this.claims : name === "Valid" ? this.valid : undefined;
  }

  equals(other: CelValue): boolean {
    return other === this;
  }
}

type Sign = (key: Uint8Array, text: Uint8Array) => Uint8Array;

const signatures: { readonly [algorithm: string]: Sign } = {
  HS256: (key, text) => hmac(sha256, key, text),
  HS384: (key, text) => hmac(sha384, key, text),
  HS512: (key, text) => hmac(sha512, key, text),
};

function fromBase64Url(text: string): Uint8Array | undefined {
  return decodeBase64(
    text
      .replaceAll("-", "+")
      .replaceAll("_", "/")
      .padEnd(Math.ceil(text.length / 4) * 4, "="),
  );
}

function jsonOf(part: string): JsonObject | undefined {
  const bytes = fromBase64Url(part);
  const text = bytes && decodeUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value: JsonValue = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Every byte is looked at, however early two differ. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (const [i, byte] of a.entries()) difference |= byte ^ (b[i] ?? 0);
  return difference === 0;
}

function isCurrent({ exp, nbf, iat }: JsonObject, now: number): boolean {
  const seconds = Math.floor(now / 1000);
  const at = (value: JsonValue | undefined) => (typeof value === "number" ? Math.floor(value) : undefined);
  const [end, start, issued] = [at(exp), at(nbf), at(iat)];
  return (
    (end === undefined || seconds < end) &&
    (start === undefined || seconds >= start) &&
    (issued === undefined || seconds >= issued)
  );
}

/** The token, where its signature is that of the key; whether it is in force is a field of it. */
function decode(text: string, key: string, host: Host): Token | CelError {
  const [head = "", body = "", signature = "", more] = text.split(".");
  const [header, claims] = [jsonOf(head), jsonOf(body)];
  const signed = fromBase64Url(signature);
  if (more !== undefined || header === undefined || claims === undefined || signed === undefined) {
    return new CelError("failed to parse token: it is no signed JSON web token");
  }
  const algorithm = String(header["alg"]);
  const sign = Object.hasOwn(signatures, algorithm) ? signatures[algorithm] : undefined;
  if (sign === undefined) return new CelError(`tokens signed with ${algorithm} cannot be verified by a shared secret`);
  const expected = sign(encodeUtf8(key), encodeUtf8(`${head}.${body}`));
  if (!sameBytes(expected, signed)) return new CelError("could not verify message using any of the signatures or keys");
  return new Token(claims, isCurrent(claims, host.now()));
}

/** `jwt.Decode(token, secret)`. */
export const jwtLibrary: Library = {
  name: "kyverno.jwt",
  structs: [{ type: tokenType, field: (name) => (name === "Claims" ? claimsType : name === "Valid" ? boolType : undefined) }],
  functions: [
    {
      name: "jwt.Decode",
      overloads: [
        outsideOverload(
          "decode_string_string",
          [stringType, stringType],
          tokenType,
          ([token, key], { host }) => decode(textOf(token), textOf(key), host),
          false,
        ),
      ],
    },
  ],
};
