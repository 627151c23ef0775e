import { anyType, booleanType, objectOf, stringType, tuple } from "../../types/type.ts";
import { formatJson } from "../../values/json.ts";
import { parseJson } from "../../values/json-parser.ts";
import { bytesOf, textOf } from "../../values/text.ts";
import { RegoObject } from "../../values/value.ts";
import { encodeBase64, urlRaw } from "../base64.ts";
import type { Builtin, BuiltinContext, BuiltinResult } from "../builtin.ts";
import { encodeHex } from "../encoding.ts";
import { binary, declared, failure, isError, object, string, ternary, unary } from "../operand.ts";
import { parseJwks } from "./jwk.ts";
import { decodeHeader, decodePart, parsePayload, payloadBytes, readHeader, signedBytes, splitToken } from "./jwt-token.ts";
import { decodeAndVerify } from "./jwt-verify.ts";
import { isAlgorithm, type SignatureAlgorithm, sign, verify } from "./signatures.ts";
import { verificationKeys } from "./verification-keys.ts";

const anyObject = objectOf(anyType, anyType);

function decode(text: string): BuiltinResult {
  const token = splitToken(text);
  if (isError(token)) return token;
  const header = decodeHeader(token);
  if (isError(header)) return header;
  const bytes = payloadBytes(token);
  if (isError(bytes)) return bytes;
  if (header.get("cty") === "JWT") return decode(textOf(bytes).replace(/^["']+|["']+$/g, ""));
  const payload = parsePayload(bytes);
  if (isError(payload)) return payload;
  const signature = decodePart(token.signature, "JWT signature had invalid encoding: ");
  return isError(signature) ? signature : [header, payload, encodeHex(signature)];
}

/** Whether some key fits; a key whose id the token names decides alone. */
function verifyWithKeys(algorithm: SignatureAlgorithm, text: string, keyText: string): BuiltinResult {
  const token = splitToken(text);
  if (isError(token)) return token;
  const keys = verificationKeys(keyText);
  if (isError(keys)) return keys;
  const signature = decodePart(token.signature, "");
  if (isError(signature)) return signature;
  const decoded = decodeHeader(token);
  if (isError(decoded)) return decoded;
  const header = readHeader(decoded);
  if (isError(header)) return header;
  const named = header.keyId === "" ? undefined : keys.find(({ id }) => id === header.keyId);
  const candidates =
    named === undefined ? keys.filter((key) => key.algorithm === "" || key.algorithm === header.algorithm) : [named];
  const message = signedBytes(token);
  return candidates.some(({ key }) => key !== undefined && verify(algorithm, key, message, signature));
}

function verifyWithSecret(algorithm: SignatureAlgorithm, text: string, secret: string): BuiltinResult {
  const token = splitToken(text);
  if (isError(token)) return token;
  const signature = decodePart(token.signature, "");
  if (isError(signature)) return signature;
  return verify(algorithm, { kind: "secret", bytes: bytesOf(secret) }, signedBytes(token), signature);
}

function encodeSign(header: string, payload: string, jwk: string, context: BuiltinContext): BuiltinResult {
  const keys = parseJwks(jwk);
  if (isError(keys)) return keys;
  const [key] = keys;
  if (key === undefined) return failure("no keys found in JWK set");
  const parsed = parseJson(header);
  const missing = "missing or invalid 'alg' header: ";
  if (header === "") return failure(`${missing}cannot parse JSON: cannot parse empty string`);
  if (!parsed.ok) return failure(`${missing}cannot parse JSON: ${parsed.message}`);
  const members = parsed.value instanceof RegoObject ? parsed.value : RegoObject.empty;
  const algorithm = members.get("alg");
  if (typeof algorithm !== "string") return failure(`${missing}field "alg" not found`);
  if (!isAlgorithm(algorithm)) return failure(`unknown JWS algorithm: ${algorithm}`);
  const type = members.get("typ");
  if ((typeof type !== "string" || type === "JWT") && !parseJson(payload).ok) {
    return failure("type is JWT but payload is not JSON");
  }
  const text = `${encodeBase64(bytesOf(header), urlRaw)}.${encodeBase64(bytesOf(payload), urlRaw)}`;
  const random = () => context.host.random();
  const signature = key.privateKey === undefined ? undefined : sign(algorithm, key.privateKey, bytesOf(text), random);
  if (signature === undefined) return failure(`the key does not sign with ${algorithm}`);
  return `${text}.${encodeBase64(signature, urlRaw)}`;
}

const families = ["RS", "PS", "ES"] as const;
const sizes = ["256", "384", "512"] as const;

const byKeys = (algorithm: SignatureAlgorithm): Builtin =>
  binary(`io.jwt.verify_${algorithm.toLowerCase()}`, [string, string], booleanType, (token, keys) =>
    verifyWithKeys(algorithm, token, keys),
  );

const bySecret = (algorithm: SignatureAlgorithm): Builtin =>
  binary(`io.jwt.verify_${algorithm.toLowerCase()}`, [string, string], booleanType, (token, secret) =>
    verifyWithSecret(algorithm, token, secret),
  );

const members = declared(objectOf(stringType, anyType), object);
const verified = tuple(booleanType, anyObject, anyObject);

export const jwtBuiltins: readonly Builtin[] = [
  unary("io.jwt.decode", string, tuple(anyObject, anyObject, stringType), decode),
  ...families.flatMap((family) => sizes.map((size) => byKeys(`${family}${size}`))),
  byKeys("EdDSA"),
  ...sizes.map((size) => bySecret(`HS${size}`)),
  binary("io.jwt.decode_verify", [string, members], verified, decodeAndVerify, { nondeterministic: true }),
  ternary(
    "io.jwt.encode_sign",
    [members, members, members],
    stringType,
    (header, payload, key, context) => encodeSign(formatJson(header), formatJson(payload), formatJson(key), context),
    { nondeterministic: true },
  ),
  ternary("io.jwt.encode_sign_raw", [string, string, string], stringType, encodeSign, { nondeterministic: true }),
];
