import { signEcdsa, signEd25519, verifyEcdsa, verifyEd25519 } from "./curves.ts";
import { authenticate, digest, digestLength, type HashName, sameBytes } from "./hashes.ts";
import type { PrivateKey, PublicKey } from "./keys.ts";
import { bigFromBytes, signPkcs1, signPss, verifyPkcs1, verifyPss } from "./rsa.ts";

/** Signature algorithms of JSON Web Signatures (RFC 7518, RFC 8037). */
const algorithms = {
  HS256: ["hmac", "sha256"],
  HS384: ["hmac", "sha384"],
  HS512: ["hmac", "sha512"],
  RS256: ["pkcs1", "sha256"],
  RS384: ["pkcs1", "sha384"],
  RS512: ["pkcs1", "sha512"],
  PS256: ["pss", "sha256"],
  PS384: ["pss", "sha384"],
  PS512: ["pss", "sha512"],
  ES256: ["ecdsa", "sha256"],
  ES384: ["ecdsa", "sha384"],
  ES512: ["ecdsa", "sha512"],
  EdDSA: ["eddsa", "sha512"],
} as const satisfies { readonly [name: string]: readonly [string, HashName] };

export type SignatureAlgorithm = keyof typeof algorithms;

export function isAlgorithm(name: string): name is SignatureAlgorithm {
  return Object.hasOwn(algorithms, name);
}

/** Whether `signature` is that of `message` under a key; false also where the key is of another kind. */
export function verify(algorithm: SignatureAlgorithm, key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const [scheme, hash] = algorithms[algorithm];
  switch (scheme) {
    case "hmac":
      return key.kind === "secret" && sameBytes(signature, authenticate(hash, key.bytes, message));
    case "pkcs1":
      return key.kind === "rsa" && verifyPkcs1(key, hash, digest(hash, message), signature);
    case "pss":
      return key.kind === "rsa" && verifyPss(key, hash, digest(hash, message), signature);
    case "ecdsa": {
      const half = Math.floor(signature.length / 2);
      const r = bigFromBytes(signature.subarray(0, half));
      return key.kind === "ec" && verifyEcdsa(key, digest(hash, message), r, bigFromBytes(signature.subarray(half)));
    }
    case "eddsa":
      return key.kind === "ed25519" && verifyEd25519(key, message, signature);
  }
}

/** The signature of `message`; undefined where the key is of another kind, or too short. */
export function sign(
  algorithm: SignatureAlgorithm,
  key: PrivateKey,
  message: Uint8Array,
  random: () => number,
): Uint8Array | undefined {
  const [scheme, hash] = algorithms[algorithm];
  switch (scheme) {
    case "hmac":
      return key.kind === "secret" ? authenticate(hash, key.bytes, message) : undefined;
    case "pkcs1":
      return key.kind === "rsa" ? signPkcs1(key, hash, digest(hash, message)) : undefined;
    case "pss": {
      const salt = Uint8Array.from({ length: digestLength(hash) }, () => Math.floor(random() * 256));
      return key.kind === "rsa" ? signPss(key, hash, digest(hash, message), salt) : undefined;
    }
    case "ecdsa":
      return key.kind === "ec" ? signEcdsa(key, digest(hash, message)) : undefined;
    case "eddsa":
      return key.kind === "ed25519" ? signEd25519(key, message) : undefined;
  }
}
