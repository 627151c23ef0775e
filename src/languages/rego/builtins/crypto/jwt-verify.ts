import { formatFloat } from "../../values/go-float.ts";
import { compareNumbers, floatOf, isNumber, parseNumber } from "../../values/number.ts";
import { bytesOf, textOf } from "../../values/text.ts";
import { RegoObject, type Value } from "../../values/value.ts";
import type { BuiltinContext, BuiltinError, BuiltinResult } from "../builtin.ts";
import { failure, isArray, isError } from "../operand.ts";
import { decodeHeader, decodePart, parsePayload, payloadBytes, readHeader, signedBytes, splitToken } from "./jwt-token.ts";
import { isAlgorithm, verify } from "./signatures.ts";
import { type VerificationKey, verificationKeys } from "./verification-keys.ts";

/** What a token must fulfil. */
interface Constraints {
  readonly keys: readonly VerificationKey[];
  /** Empty: any. */
  readonly algorithm: string;
  readonly issuer: string;
  readonly audience: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

const texts = ["cert", "secret", "alg", "iss", "aud"];

function readConstraints(options: RegoObject, context: BuiltinContext): Constraints | BuiltinError {
  const read = new Map<string, string>();
  let nanoseconds = Number(context.nowNanoseconds);
  for (const { key, value } of options.sorted()) {
    if (key === "time") {
      if (!isNumber(value)) return failure("token time constraint: must be a number");
      nanoseconds = floatOf(value);
      if (nanoseconds < 0) return failure("token time constraint: must not be negative");
    } else if (typeof key !== "string" || !texts.includes(key)) {
      return failure(`unknown token validation constraint: ${String(key)}`);
    } else {
      if (typeof value !== "string") return failure(`${key} constraint: must be a string`);
      read.set(key, value);
    }
  }
  const keys = readKeys(read.get("cert"), read.get("secret") ?? "");
  if (isError(keys)) return keys;
  return {
    keys,
    algorithm: read.get("alg") ?? "",
    issuer: read.get("iss") ?? "",
    audience: read.get("aud") ?? "",
    at: nanoseconds / 1e9,
  };
}

function readKeys(certificate: string | undefined, secret: string): readonly VerificationKey[] | BuiltinError {
  const keys = certificate === undefined ? undefined : verificationKeys(certificate);
  if (isError(keys)) return keys;
  if (keys !== undefined) return secret === "" ? keys : failure("duplicate key constraints");
  if (secret === "") return failure("no key constraint");
  return [{ algorithm: "", id: "", key: { kind: "secret", bytes: bytesOf(secret) } }];
}

const refused: Value = [false, RegoObject.empty, RegoObject.empty];

/** `[true, header, payload]` where the signature and all constraints hold. A token may hold another one. */
export function decodeAndVerify(text: string, options: RegoObject, context: BuiltinContext): BuiltinResult {
  const constraints = readConstraints(options, context);
  if (isError(constraints)) return constraints;
  let inner = text;
  for (;;) {
    context.spend(1);
    const token = splitToken(inner);
    if (isError(token)) return token;
    const decoded = decodeHeader(token);
    if (isError(decoded)) return decoded;
    const header = readHeader(decoded);
    if (isError(header)) return header;
    if (!header.usable) return refused;
    if (constraints.algorithm !== "" && constraints.algorithm !== header.algorithm) return refused;
    const signature = decodePart(token.signature, "");
    if (isError(signature)) return signature;
    const message = signedBytes(token);
    if (!isSigned(constraints.keys, header.algorithm, header.keyId, message, signature)) return refused;
    const bytes = payloadBytes(token);
    if (isError(bytes)) return bytes;
    if (header.contentType.toLowerCase() === "jwt") {
      inner = textOf(bytes);
      continue;
    }
    const payload = parsePayload(bytes);
    if (isError(payload)) return payload;
    const holds = fulfils(payload, constraints);
    if (isError(holds)) return holds;
    return holds ? [true, decoded, payload] : refused;
  }
}

function isSigned(
  keys: readonly VerificationKey[],
  algorithm: string,
  keyId: string,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!isAlgorithm(algorithm)) return false;
  const named = keyId === "" ? undefined : keys.find(({ id }) => id === keyId);
  const candidates = named === undefined ? keys.filter((k) => k.algorithm === "" || k.algorithm === algorithm) : [named];
  return candidates.some(({ key }) => key !== undefined && verify(algorithm, key, message, signature));
}

function fulfils(payload: RegoObject, { issuer, audience, at }: Constraints): boolean | BuiltinError {
  if (issuer !== "" && payload.get("iss") !== issuer) return false;
  const meant = payload.get("aud");
  if (meant === undefined ? audience !== "" : !isAudience(meant, audience)) return false;
  const now = parseNumber(formatFloat(at, "g", undefined));
  const expires = payload.get("exp");
  if (expires !== undefined) {
    if (!isNumber(expires)) return failure("exp value must be a number");
    if (compareNumbers(now, expires) >= 0) return false;
  }
  const begins = payload.get("nbf");
  if (begins === undefined) return true;
  return isNumber(begins) ? compareNumbers(now, begins) >= 0 : failure("nbf value must be a number");
}

function isAudience(meant: Value, audience: string): boolean {
  return isArray(meant) ? meant.includes(audience) : meant === audience;
}
