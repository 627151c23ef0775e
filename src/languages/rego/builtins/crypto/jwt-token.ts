import { parseJson } from "../../values/json-parser.ts";
import { bytesOf, textOf } from "../../values/text.ts";
import { RegoObject } from "../../values/value.ts";
import { decodeBase64, urlSafe } from "../base64.ts";
import type { BuiltinError } from "../builtin.ts";
import { failure, isArray, isError } from "../operand.ts";

/** The three parts of a compact JSON Web Token, as they are written. */
export interface Token {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

export function splitToken(text: string): Token | BuiltinError {
  if (!text.includes(".")) return failure("encoded JWT had no period separators");
  const parts = text.split(".");
  if (parts.length !== 3) return failure(`encoded JWT must have 3 sections, found ${parts.length}`);
  const [header = "", payload = "", signature = ""] = parts;
  return { header, payload, signature };
}

/** What is signed. */
export function signedBytes(token: Token): Uint8Array {
  return bytesOf(`${token.header}.${token.payload}`);
}

/** A part of a token, with or without padding; `what` begins the message where it is none. */
export function decodePart(text: string, what: string): Uint8Array | BuiltinError {
  const missing = text.endsWith("=") ? 0 : (4 - (text.length % 4)) % 4;
  if (missing === 3) return failure(`${what}illegal base64url string: ${text}`);
  const bytes = decodeBase64(text + "=".repeat(missing), urlSafe);
  return typeof bytes === "number" ? failure(`${what}illegal base64 data at input byte ${bytes}`) : bytes;
}

function parseObject(bytes: Uint8Array, what: string): RegoObject | BuiltinError {
  const parsed = parseJson(textOf(bytes));
  if (!parsed.ok) return failure(`${what}invalid JSON: ${parsed.message}`);
  return parsed.value instanceof RegoObject ? parsed.value : failure(`${what}decoded JSON type was not an Object`);
}

export function decodeHeader(token: Token): RegoObject | BuiltinError {
  const bytes = decodePart(token.header, "JWT header had invalid encoding: ");
  if (isError(bytes)) return bytes;
  const header = parseObject(bytes, "bad JWT header: ");
  if (isError(header)) return header;
  return header.has("enc") ? failure("JWT is a JWE object, which is not supported") : header;
}

/** The bytes of the payload: JSON, or another token. */
export function payloadBytes(token: Token): Uint8Array | BuiltinError {
  return decodePart(token.payload, "JWT payload had invalid encoding: ");
}

export function parsePayload(bytes: Uint8Array): RegoObject | BuiltinError {
  return parseObject(bytes, "");
}

/** The parameters of a header that decide about a signature (RFC 7515 section 4.1). */
export interface TokenHeader {
  readonly algorithm: string;
  readonly keyId: string;
  readonly contentType: string;
  /** Whether it names an algorithm and nothing critical that nobody here understands. */
  readonly usable: boolean;
}

const known = new Set(["alg", "kid", "typ", "cty", "crit"]);

export function readHeader(header: RegoObject): TokenHeader | BuiltinError {
  const texts = new Map<string, string>();
  for (const name of ["alg", "cty", "kid", "typ"]) {
    const value = header.get(name);
    if (value === undefined) continue;
    if (typeof value !== "string") return failure(`${name}: must be a string`);
    texts.set(name, value);
  }
  const critical = header.get("crit");
  if (critical !== undefined && !isArray(critical)) return failure("crit: must be a list");
  if (critical !== undefined && critical.length === 0) return failure("crit: must be a nonempty list");
  const unknown = header.sorted().filter(({ key }) => typeof key !== "string" || !known.has(key));
  const refused = unknown.some(({ key }) => critical?.includes(key));
  const algorithm = texts.get("alg") ?? "";
  return {
    algorithm,
    keyId: texts.get("kid") ?? "",
    contentType: texts.get("cty") ?? "",
    usable: algorithm !== "" && !refused,
  };
}
