import { certificateJson } from "../../../../core/x509/certificate.ts";
import { anyType, arrayOf, objectOf, stringType } from "../../types/type.ts";
import { bigintNumber } from "../../values/number.ts";
import { textOf } from "../../values/text.ts";
import { fromJson, RegoObject, type Value } from "../../values/value.ts";
import { decodeBase64, encodeBase64, standard, urlRaw } from "../base64.ts";
import type { Builtin, BuiltinError, BuiltinResult } from "../builtin.ts";
import { binary, failure, isError, string, unary } from "../operand.ts";
import { coordinateLength, type EcPrivateKey, type Ed25519PrivateKey } from "./curves.ts";
import { type FullRsaKey, parseEcKey, parsePkcs8, parseRsaKey } from "./keys.ts";
import { decodePem } from "./pem.ts";
import { bigFromBytes, bytesFromBig } from "./rsa.ts";
import { base64Of, certificatesOf } from "./x509.ts";

type AnyKey = FullRsaKey | EcPrivateKey | Ed25519PrivateKey;

const malformed = failure("asn1: structure error: malformed private key");

/** The private keys among the blocks of a PEM text, which may be in base64. */
function keysOf(text: string): readonly AnyKey[] | BuiltinError {
  const decoded = decodeBase64(text, standard);
  const pem = typeof decoded === "number" ? text : textOf(decoded);
  const keys: AnyKey[] = [];
  for (let block = decodePem(pem); block !== undefined; block = decodePem(block.rest)) {
    const read = readers[block.type];
    if (read === undefined) continue;
    const key = read(block.bytes);
    if (key === undefined) return malformed;
    keys.push(key);
  }
  return keys;
}

const readers: { readonly [type: string]: (der: Uint8Array) => AnyKey | undefined } = {
  "RSA PRIVATE KEY": parseRsaKey,
  "EC PRIVATE KEY": (der) => parseEcKey(der),
  "PRIVATE KEY": parsePkcs8,
};

const entries = (members: { readonly [name: string]: Value }): RegoObject => RegoObject.of(Object.entries(members));

/** As Go's JSON of its key structs. */
function keyJson(key: AnyKey): Value {
  if (key.kind === "ed25519") return base64Of(Uint8Array.from([...key.secret, ...key.point]));
  if (key.kind === "ec") {
    const { x, y } = coordinates(key);
    const curve = RegoObject.empty;
    return entries({ Curve: curve, X: bigintNumber(x), Y: bigintNumber(y), D: bigintNumber(bigFromBytes(key.secret)) });
  }
  const { dp, dq, qinv } = key.precomputed;
  return entries({
    N: bigintNumber(key.modulus),
    E: bigintNumber(key.exponent),
    D: bigintNumber(key.privateExponent),
    Primes: key.primes.map(bigintNumber),
    Precomputed: entries({ Dp: bigintNumber(dp), Dq: bigintNumber(dq), Qinv: bigintNumber(qinv), CRTValues: [] }),
  });
}

function coordinates(key: EcPrivateKey): { readonly x: bigint; readonly y: bigint } {
  const length = coordinateLength(key.curve);
  return { x: bigFromBytes(key.point.subarray(1, 1 + length)), y: bigFromBytes(key.point.subarray(1 + length)) };
}

const urlText = (bytes: Uint8Array): string => encodeBase64(bytes, urlRaw);

/** An integer in base64url without leading zeros. */
function numberText(value: bigint): string {
  return urlText(bytesFromBig(value, Math.ceil(value.toString(16).length / 2)));
}

/** As a JSON Web Key. */
function keyJwk(key: AnyKey): Value {
  if (key.kind === "ed25519") return entries({ kty: "OKP", crv: "Ed25519", x: urlText(key.point), d: urlText(key.secret) });
  if (key.kind === "ec") {
    const length = coordinateLength(key.curve);
    const x = key.point.subarray(1, 1 + length);
    return entries({
      kty: "EC",
      crv: key.curve,
      x: urlText(x),
      y: urlText(key.point.subarray(1 + length)),
      d: urlText(key.secret),
    });
  }
  const [p = 0n, q = 0n] = key.primes;
  const numbers = { n: key.modulus, e: key.exponent, d: key.privateExponent, p, q, ...key.precomputed };
  const { qinv, ...rest } = numbers;
  const texts = Object.entries({ ...rest, qi: qinv }).map(([name, value]): [string, Value] => [name, numberText(value)]);
  return RegoObject.of([["kty", "RSA"], ...texts]);
}

function parseJwk(text: string): BuiltinResult {
  if (text === "") return failure("input PEM data was empty");
  if (!text.startsWith("-----BEGIN")) {
    const decoded = decodeBase64(text, standard);
    if (typeof decoded === "number") return failure(`illegal base64 data at input byte ${decoded}`);
  }
  const keys = keysOf(text);
  if (isError(keys)) return keys;
  const [key] = keys;
  return key === undefined ? null : keyJwk(key);
}

/** A certificate chain and its key, as Go's tls.Certificate in JSON. */
function parseKeypair(certificateText: string, keyText: string): BuiltinResult {
  const certificates = certificatesOf(certificateText);
  if (isError(certificates)) return certificates;
  const [first] = certificates;
  if (first === undefined) return failure("tls: failed to find any PEM data in certificate input");
  const keys = keyText.startsWith("-----BEGIN ") ? keysOf(keyText) : derKeys(keyText);
  if (isError(keys)) return keys;
  const [key] = keys;
  if (key === undefined) return failure("tls: failed to find any PEM data in key input");
  const leaf = fromJson(certificateJson(first));
  return entries({
    Certificate: certificates.map(base64Of),
    PrivateKey: keyJson(key),
    SupportedSignatureAlgorithms: null,
    OCSPStaple: null,
    SignedCertificateTimestamps: null,
    Leaf: leaf,
  });
}

function derKeys(text: string): readonly AnyKey[] | BuiltinError {
  const bytes = decodeBase64(text, standard);
  if (typeof bytes === "number") return failure(`illegal base64 data at input byte ${bytes}`);
  if (textOf(bytes.slice(0, 10)) === "-----BEGIN") return keysOf(textOf(bytes));
  const key = parsePkcs8(bytes) ?? parseRsaKey(bytes) ?? parseEcKey(bytes);
  return key === undefined ? malformed : [key];
}

const members = objectOf(stringType, anyType);

export const privateKeyBuiltins: readonly Builtin[] = [
  unary("crypto.x509.parse_rsa_private_key", string, members, parseJwk),
  unary("crypto.parse_private_keys", string, arrayOf(members), (text) => {
    if (text === "") return null;
    const keys = keysOf(text);
    return isError(keys) ? keys : keys.map(keyJson);
  }),
  binary("crypto.x509.parse_keypair", [string, string], members, parseKeypair),
];
