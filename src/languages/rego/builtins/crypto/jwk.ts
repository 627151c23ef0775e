import { parseJson } from "../../values/json-parser.ts";
import { RegoObject, type Value } from "../../values/value.ts";
import { decodeBase64, urlRaw } from "../base64.ts";
import type { BuiltinError } from "../builtin.ts";
import { failure, isArray } from "../operand.ts";
import { isCurve, pointOf } from "./curves.ts";
import type { PrivateKey, PublicKey } from "./keys.ts";
import { bigFromBytes } from "./rsa.ts";

/** A key of a JSON Web Key (RFC 7517). */
export interface JsonWebKey {
  readonly algorithm: string;
  readonly id: string;
  readonly publicKey: PublicKey;
  /** Where the key holds its private part, or is a shared secret. */
  readonly privateKey?: PrivateKey | undefined;
}

const prefix = "failed to parse a JWK key (set)";

/** The keys of a JWK or a set of them. */
export function parseJwks(text: string): readonly JsonWebKey[] | BuiltinError {
  const parsed = parseJson(text);
  if (!parsed.ok) return failure(`${prefix}: ${parsed.message}`);
  const value = parsed.value;
  if (!(value instanceof RegoObject)) return failure(`${prefix}: not an object`);
  const list = value.get("keys");
  const members = list !== undefined && isArray(list) ? list : [value];
  const keys: JsonWebKey[] = [];
  for (const member of members) {
    const key = member instanceof RegoObject ? readJwk(member) : "not an object";
    if (typeof key === "string") return failure(`${prefix}: ${key}`);
    keys.push(key);
  }
  return keys;
}

type Key = Pick<JsonWebKey, "publicKey" | "privateKey">;

function readJwk(jwk: RegoObject): JsonWebKey | string {
  const type = jwk.get("kty");
  const key = readKey(jwk, type ?? null);
  if (typeof key === "string") return key;
  const text = (name: string) => {
    const value = jwk.get(name);
    return typeof value === "string" ? value : "";
  };
  return { ...key, algorithm: text("alg"), id: text("kid") };
}

function readKey(jwk: RegoObject, type: Value): Key | string {
  const bytes = (name: string): Uint8Array | undefined => {
    const text = jwk.get(name);
    const decoded = typeof text === "string" ? decodeBase64(text.replace(/=+$/, ""), urlRaw) : undefined;
    return typeof decoded === "number" ? undefined : decoded;
  };
  const secret = bytes("d");
  switch (type) {
    case "oct": {
      const k = bytes("k");
      if (k === undefined) return "missing k";
      return { publicKey: { kind: "secret", bytes: k }, privateKey: { kind: "secret", bytes: k } };
    }
    case "RSA": {
      const n = bytes("n");
      const e = bytes("e");
      if (n === undefined || e === undefined) return "missing n or e";
      const publicKey = { kind: "rsa", modulus: bigFromBytes(n), exponent: bigFromBytes(e) } as const;
      if (secret === undefined) return { publicKey };
      return { publicKey, privateKey: { ...publicKey, privateExponent: bigFromBytes(secret) } };
    }
    case "EC": {
      const curve = jwk.get("crv");
      const x = bytes("x");
      const y = bytes("y");
      if (typeof curve !== "string" || !isCurve(curve) || x === undefined || y === undefined) return "invalid EC key";
      const publicKey = { kind: "ec", curve, point: pointOf(curve, x, y) } as const;
      return secret === undefined ? { publicKey } : { publicKey, privateKey: { ...publicKey, secret } };
    }
    case "OKP": {
      const point = bytes("x");
      if (jwk.get("crv") !== "Ed25519" || point === undefined) return "invalid OKP key";
      const publicKey = { kind: "ed25519", point } as const;
      return secret === undefined ? { publicKey } : { publicKey, privateKey: { ...publicKey, secret } };
    }
    default:
      return `unknown key type ${JSON.stringify(type)}`;
  }
}
