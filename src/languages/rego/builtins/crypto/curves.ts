import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { bigFromBytes, bytesFromBig } from "./rsa.ts";

const curves = { "P-256": p256, "P-384": p384, "P-521": p521 } as const;

export type CurveName = keyof typeof curves;

/** Keys on a NIST curve; points uncompressed. */
export interface EcPublicKey {
  readonly kind: "ec";
  readonly curve: CurveName;
  /** 0x04, x, y */
  readonly point: Uint8Array;
}

export interface EcPrivateKey extends EcPublicKey {
  readonly secret: Uint8Array;
}

export interface Ed25519PublicKey {
  readonly kind: "ed25519";
  readonly point: Uint8Array;
}

export interface Ed25519PrivateKey extends Ed25519PublicKey {
  readonly secret: Uint8Array;
}

export function isCurve(name: string): name is CurveName {
  return Object.hasOwn(curves, name);
}

/** Bytes of a coordinate. */
export function coordinateLength(curve: CurveName): number {
  return curve === "P-256" ? 32 : curve === "P-384" ? 48 : 66;
}

export function pointOf(curve: CurveName, x: Uint8Array, y: Uint8Array): Uint8Array {
  const length = coordinateLength(curve);
  return Uint8Array.from([4, ...bytesFromBig(bigFromBytes(x), length), ...bytesFromBig(bigFromBytes(y), length)]);
}

/** The point of a secret; undefined where it is no secret of the curve. */
export function publicPoint(curve: CurveName, secret: Uint8Array): Uint8Array | undefined {
  return attempt(() => curves[curve].getPublicKey(secret, false));
}

export function ed25519Point(secret: Uint8Array): Uint8Array | undefined {
  return attempt(() => ed25519.getPublicKey(secret));
}

/** The curves' functions throw on what is no key or signature; that is an answer here. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** `r` and `s` each of any length, as one half of the signature. */
export function verifyEcdsa(key: EcPublicKey, digested: Uint8Array, r: bigint, s: bigint): boolean {
  const length = coordinateLength(key.curve);
  if (r >> BigInt(8 * length) !== 0n || s >> BigInt(8 * length) !== 0n) return false;
  const compact = Uint8Array.from([...bytesFromBig(r, length), ...bytesFromBig(s, length)]);
  const options = { prehash: false, lowS: false, format: "compact" } as const;
  return attempt(() => curves[key.curve].verify(compact, digested, key.point, options)) ?? false;
}

/** `r` and `s` one after the other; the nonce comes from the key and the digest (RFC 6979). */
export function signEcdsa(key: EcPrivateKey, digested: Uint8Array): Uint8Array | undefined {
  return attempt(() => curves[key.curve].sign(digested, key.secret, { prehash: false, lowS: false, format: "compact" }));
}

export function verifyEd25519(key: Ed25519PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return attempt(() => ed25519.verify(signature, message, key.point, { zip215: false })) ?? false;
}

export function signEd25519(key: Ed25519PrivateKey, message: Uint8Array): Uint8Array | undefined {
  return attempt(() => ed25519.sign(message, key.secret));
}
