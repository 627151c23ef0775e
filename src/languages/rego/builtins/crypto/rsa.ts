import { digest, digestLength, type HashName, sameBytes } from "./hashes.ts";

/** RSA keys (RFC 8017). */
export interface RsaPublicKey {
  readonly kind: "rsa";
  readonly modulus: bigint;
  readonly exponent: bigint;
}

export interface RsaPrivateKey extends RsaPublicKey {
  readonly privateExponent: bigint;
}

export function bigFromBytes(bytes: Uint8Array): bigint {
  let hex = "0x0";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return BigInt(hex);
}

/** `length` bytes, the highest first. */
export function bytesFromBig(value: bigint, length: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16).padStart(2 * length, "0");
  return Uint8Array.from({ length }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

const bitLength = (value: bigint): number => value.toString(2).length;

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let factor = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}

/** DER of the algorithm that stands before the digest in a PKCS #1 v1.5 signature. */
const digestInfo: { readonly [name in HashName]?: readonly number[] } = {
  sha1: [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14],
  sha256: [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20],
  sha384: [0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30],
  sha512: [0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40],
};

function paddedDigest(hash: HashName, digested: Uint8Array, length: number): Uint8Array<ArrayBuffer> | undefined {
  const info = [...(digestInfo[hash] ?? []), ...digested];
  const filling = length - info.length - 3;
  if (filling < 8) return undefined;
  return Uint8Array.from([0, 1, ...new Array<number>(filling).fill(0xff), 0, ...info]);
}

const byteLength = (key: RsaPublicKey): number => Math.ceil(bitLength(key.modulus) / 8);

/** RSASSA-PKCS1-v1_5. */
export function verifyPkcs1(key: RsaPublicKey, hash: HashName, digested: Uint8Array, signature: Uint8Array): boolean {
  const length = byteLength(key);
  const value = bigFromBytes(signature);
  if (signature.length !== length || value >= key.modulus) return false;
  const wanted = paddedDigest(hash, digested, length);
  return wanted !== undefined && sameBytes(wanted, bytesFromBig(power(value, key.exponent, key.modulus), length));
}

/** Undefined: the key is too short for the hash. */
export function signPkcs1(key: RsaPrivateKey, hash: HashName, digested: Uint8Array): Uint8Array | undefined {
  const length = byteLength(key);
  const padded = paddedDigest(hash, digested, length);
  if (padded === undefined) return undefined;
  return bytesFromBig(power(bigFromBytes(padded), key.privateExponent, key.modulus), length);
}

/** The mask generation function MGF1. */
function mask(hash: HashName, seed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (let counter = 0; bytes.length < length; counter++) {
    bytes.push(...digest(hash, Uint8Array.from([...seed, ...bytesFromBig(BigInt(counter), 4)])));
  }
  return Uint8Array.from(bytes.slice(0, length));
}

/** What both sides of a PSS signature hash: eight zeros, the message's digest, the salt. */
const pssDigest = (hash: HashName, digested: Uint8Array, salt: Uint8Array): Uint8Array =>
  digest(hash, Uint8Array.from([...new Array<number>(8).fill(0), ...digested, ...salt]));

/** RSASSA-PSS with MGF1 over the same hash and a salt of any length. */
export function verifyPss(key: RsaPublicKey, hash: HashName, digested: Uint8Array, signature: Uint8Array): boolean {
  const value = bigFromBytes(signature);
  if (signature.length !== byteLength(key) || value >= key.modulus) return false;
  const bits = bitLength(key.modulus) - 1;
  const length = Math.ceil(bits / 8);
  const encoded = power(value, key.exponent, key.modulus);
  if (encoded >> BigInt(8 * length) !== 0n) return false;
  const bytes = bytesFromBig(encoded, length);
  const hashLength = digestLength(hash);
  if (length < hashLength + 2 || bytes.at(-1) !== 0xbc) return false;
  const masked = bytes.subarray(0, length - hashLength - 1);
  const tag = bytes.subarray(length - hashLength - 1, length - 1);
  const unused = 0xff << (8 - (8 * length - bits));
  if (((masked[0] ?? 0) & unused & 0xff) !== 0) return false;
  const stream = mask(hash, tag, masked.length);
  const block = masked.map((byte, i) => byte ^ (stream[i] ?? 0));
  block[0] = (block[0] ?? 0) & ~unused & 0xff;
  const one = block.findIndex((byte) => byte !== 0);
  return one >= 0 && block[one] === 1 && sameBytes(tag, pssDigest(hash, digested, block.subarray(one + 1)));
}

/** Undefined: the key is too short for the hash and its salt. */
export function signPss(key: RsaPrivateKey, hash: HashName, digested: Uint8Array, salt: Uint8Array): Uint8Array | undefined {
  const bits = bitLength(key.modulus) - 1;
  const length = Math.ceil(bits / 8);
  const tag = pssDigest(hash, digested, salt);
  const filling = length - tag.length - salt.length - 2;
  if (filling < 0) return undefined;
  const block = Uint8Array.from([...new Array<number>(filling).fill(0), 1, ...salt]);
  const stream = mask(hash, tag, block.length);
  const masked = block.map((byte, i) => byte ^ (stream[i] ?? 0));
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * length - bits));
  const encoded = bigFromBytes(Uint8Array.from([...masked, ...tag, 0xbc]));
  return bytesFromBig(power(encoded, key.privateExponent, key.modulus), byteLength(key));
}
