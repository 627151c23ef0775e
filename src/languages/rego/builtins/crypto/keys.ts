import { DerReader, derTag, readBits, readInteger, readOid } from "../../../../core/x509/der.ts";
import type { CurveName, EcPrivateKey, EcPublicKey, Ed25519PrivateKey, Ed25519PublicKey } from "./curves.ts";
import { coordinateLength, ed25519Point, publicPoint } from "./curves.ts";
import { bigFromBytes, bytesFromBig, type RsaPrivateKey, type RsaPublicKey } from "./rsa.ts";

/** A shared secret. */
export interface SecretKey {
  readonly kind: "secret";
  readonly bytes: Uint8Array;
}

export type PublicKey = RsaPublicKey | EcPublicKey | Ed25519PublicKey | SecretKey;
export type PrivateKey = RsaPrivateKey | EcPrivateKey | Ed25519PrivateKey | SecretKey;

/** An RSA key with all that PKCS #1 holds. */
export interface FullRsaKey extends RsaPrivateKey {
  readonly primes: readonly bigint[];
  readonly precomputed: { readonly dp: bigint; readonly dq: bigint; readonly qinv: bigint };
}

const rsaOid = "1.2.840.113549.1.1.1";
const ecOid = "1.2.840.10045.2.1";
const ed25519Oid = "1.3.101.112";
const curveOids: { readonly [oid: string]: CurveName } = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};

const oidText = (reader: DerReader): string => readOid(reader.next(derTag.oid)).join(".");

/** DER that is no key makes the readers throw; that is an answer here. */
function reading<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** A SubjectPublicKeyInfo (RFC 5280); undefined: none, or of an algorithm that is not known. */
export function parsePublicKey(der: Uint8Array): PublicKey | undefined {
  return reading(() => {
    const info = new DerReader(new DerReader(der).next(derTag.sequence).content);
    const algorithm = new DerReader(info.next(derTag.sequence).content);
    const oid = oidText(algorithm);
    const bits = readBits(info.next(derTag.bitString));
    if (oid === rsaOid) {
      const key = new DerReader(new DerReader(bits).next(derTag.sequence).content);
      return { kind: "rsa", modulus: readInteger(key.next(derTag.integer)), exponent: readInteger(key.next(derTag.integer)) };
    }
    if (oid === ed25519Oid) return { kind: "ed25519", point: bits };
    const curve = oid === ecOid ? curveOids[oidText(algorithm)] : undefined;
    return curve === undefined ? undefined : { kind: "ec", curve, point: bits };
  });
}

/** PKCS #1. */
export function parseRsaKey(der: Uint8Array): FullRsaKey | undefined {
  return reading(() => {
    const key = new DerReader(new DerReader(der).next(derTag.sequence).content);
    const next = () => readInteger(key.next(derTag.integer));
    next();
    const modulus = next();
    const exponent = next();
    const privateExponent = next();
    const primes = [next(), next()];
    return { kind: "rsa", modulus, exponent, privateExponent, primes, precomputed: { dp: next(), dq: next(), qinv: next() } };
  });
}

/** SEC 1; `curve` where it stands outside. */
export function parseEcKey(der: Uint8Array, outer?: CurveName): EcPrivateKey | undefined {
  return reading(() => {
    const key = new DerReader(new DerReader(der).next(derTag.sequence).content);
    key.next(derTag.integer);
    const secret = key.next(derTag.octetString).content;
    const parameters = key.optional(0xa0);
    const curve = parameters === undefined ? outer : curveOids[oidText(new DerReader(parameters.content))];
    if (curve === undefined) return undefined;
    const padded = bytesFromBig(bigFromBytes(secret), coordinateLength(curve));
    const point = publicPoint(curve, padded);
    return point === undefined ? undefined : { kind: "ec", curve, point, secret: padded };
  });
}

/** PKCS #8. */
export function parsePkcs8(der: Uint8Array): FullRsaKey | EcPrivateKey | Ed25519PrivateKey | undefined {
  return reading(() => {
    const info = new DerReader(new DerReader(der).next(derTag.sequence).content);
    info.next(derTag.integer);
    const algorithm = new DerReader(info.next(derTag.sequence).content);
    const oid = oidText(algorithm);
    const inner = info.next(derTag.octetString).content;
    if (oid === rsaOid) return parseRsaKey(inner);
    if (oid === ecOid) return parseEcKey(inner, curveOids[oidText(algorithm)]);
    if (oid !== ed25519Oid) return undefined;
    const secret = new DerReader(inner).next(derTag.octetString).content;
    const point = ed25519Point(secret);
    return point === undefined ? undefined : { kind: "ed25519", point, secret };
  });
}
