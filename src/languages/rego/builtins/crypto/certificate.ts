import {
  type DerElement,
  DerReader,
  derTag,
  readBits,
  readElements,
  readInteger,
  readOid,
  readText,
  readTime,
} from "../../../../core/x509/der.ts";
import { type Extension, readExtensions } from "../../../../core/x509/extensions.ts";
import { verifyEcdsa, verifyEd25519 } from "./curves.ts";
import { digest, type HashName } from "./hashes.ts";
import { type PublicKey, parsePublicKey } from "./keys.ts";
import { verifyPkcs1 } from "./rsa.ts";

/** What it takes to verify a chain of certificates (RFC 5280). */
export interface Certificate {
  readonly der: Uint8Array;
  readonly signedPart: Uint8Array;
  readonly signatureOid: string;
  readonly signature: Uint8Array;
  readonly version: number;
  /** Names as DER in hexadecimal: equal names are equal texts. */
  readonly issuer: string;
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Undefined: of an algorithm that is not known. */
  readonly publicKey: PublicKey | undefined;
  readonly extensions: readonly Extension[];
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const milliseconds = (element: DerElement): number => Date.parse(readTime(element));

/** Undefined where the bytes are no certificate. */
export function readCertificate(der: Uint8Array): Certificate | undefined {
  try {
    return read(der);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function read(der: Uint8Array): Certificate {
  const outer = new DerReader(new DerReader(der).next(derTag.sequence).content);
  const content = outer.next(derTag.sequence);
  const algorithm = new DerReader(outer.next(derTag.sequence).content);
  const signature = readBits(outer.next(derTag.bitString));
  const reader = new DerReader(content.content);
  const version = reader.optional(0xa0);
  reader.next(derTag.integer);
  reader.next(derTag.sequence);
  const issuer = reader.next(derTag.sequence);
  const validity = new DerReader(reader.next(derTag.sequence).content);
  const notBefore = validity.next();
  const notAfter = validity.next();
  const subject = reader.next(derTag.sequence);
  const key = reader.next(derTag.sequence);
  reader.optional(0x81);
  reader.optional(0x82);
  const list = reader.optional(0xa3);
  return {
    der,
    signedPart: content.raw,
    signatureOid: readOid(algorithm.next(derTag.oid)).join("."),
    signature,
    version: version === undefined ? 1 : Number(readInteger(new DerReader(version.content).next(derTag.integer))) + 1,
    issuer: hex(issuer.raw),
    subject: hex(subject.raw),
    notBefore: milliseconds(notBefore),
    notAfter: milliseconds(notAfter),
    publicKey: parsePublicKey(key.raw),
    extensions: list === undefined ? [] : readExtensions(new DerReader(list.content).next(derTag.sequence).content),
  };
}

function extension(certificate: Certificate, oid: string): Uint8Array | undefined {
  return certificate.extensions.find(({ id }) => id.join(".") === oid)?.value;
}

/** Whether it is marked as an authority, and how many authorities may follow it (undefined: any number). */
export function authorityOf(certificate: Certificate): { readonly isAuthority: boolean; readonly pathLength?: number } {
  const value = extension(certificate, "2.5.29.19");
  if (value === undefined) return { isAuthority: false };
  const reader = new DerReader(new DerReader(value).next(derTag.sequence).content);
  const isAuthority = (reader.optional(derTag.boolean)?.content[0] ?? 0) !== 0;
  const length = reader.optional(derTag.integer);
  return length === undefined ? { isAuthority } : { isAuthority, pathLength: Number(readInteger(length)) };
}

const certSign = 5;

/** Whether its key may sign certificates, where it says what its key is for. */
export function maySign(certificate: Certificate): boolean {
  const value = extension(certificate, "2.5.29.15");
  if (value === undefined) return true;
  const bits = readBits(new DerReader(value).next(derTag.bitString));
  return ((bits[0] ?? 0) >> (7 - certSign)) % 2 === 1;
}

/** Object identifiers of what the certificate is for; undefined: for anything. */
export function extendedUsages(certificate: Certificate): readonly string[] | undefined {
  const value = extension(certificate, "2.5.29.37");
  if (value === undefined) return undefined;
  return readElements(new DerReader(value).next(derTag.sequence).content).map((id) => readOid(id).join("."));
}

export function dnsNames(certificate: Certificate): readonly string[] {
  const value = extension(certificate, "2.5.29.17");
  const names = value === undefined ? [] : readElements(new DerReader(value).next(derTag.sequence).content);
  return names.filter(({ tag }) => tag === 0x82).map(readText);
}

const understood = new Set([
  "2.5.29.14",
  "2.5.29.15",
  "2.5.29.17",
  "2.5.29.19",
  "2.5.29.31",
  "2.5.29.32",
  "2.5.29.35",
  "2.5.29.37",
]);

/** Whether it holds a critical extension, or constraints, that are not understood here: such a chain is not verified. */
export function hasUnknownRules(certificate: Certificate): boolean {
  const constraints = ["2.5.29.30", "2.5.29.33", "2.5.29.36", "2.5.29.54"];
  return certificate.extensions.some(({ id, critical }) => {
    const oid = id.join(".");
    return constraints.includes(oid) || (critical && !understood.has(oid));
  });
}

/** Hashes of the signature algorithms; MD5 and SHA-1 are too weak to be accepted. */
const signatureHashes: { readonly [oid: string]: HashName } = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

/** Whether `parent`'s key made the signature of `child`. */
export function isSignedBy(child: Certificate, parent: Certificate): boolean {
  const key = parent.publicKey;
  if (key?.kind === "ed25519") {
    return child.signatureOid === "1.3.101.112" && verifyEd25519(key, child.signedPart, child.signature);
  }
  const hash = signatureHashes[child.signatureOid];
  if (hash === undefined || key === undefined) return false;
  const digested = digest(hash, child.signedPart);
  const ofRsa = child.signatureOid.startsWith("1.2.840.113549.");
  if (key.kind === "rsa") return ofRsa && verifyPkcs1(key, hash, digested, child.signature);
  if (key.kind !== "ec" || ofRsa) return false;
  const numbers = new DerReader(new DerReader(child.signature).next(derTag.sequence).content);
  return verifyEcdsa(key, digested, readInteger(numbers.next(derTag.integer)), readInteger(numbers.next(derTag.integer)));
}
