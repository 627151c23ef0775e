import { isObject, type JsonObject, type JsonValue } from "../json.ts";
import { decodeBase64, encodeBase64 } from "../utf8.ts";
import { type DerElement, DerReader, derTag, readBits, readElements, readInteger, readOid, readTime } from "./der.ts";
import { alternativeNames, certificateExtensions, type Extension, extensionsJson, readExtensions } from "./extensions.ts";
import { readName } from "./name.ts";

/** Go's numbers of signature algorithms, by object identifier. */
const signatureAlgorithms: { readonly [oid: string]: number } = {
  "1.2.840.113549.1.1.2": 1,
  "1.2.840.113549.1.1.4": 2,
  "1.2.840.113549.1.1.5": 3,
  "1.2.840.113549.1.1.11": 4,
  "1.2.840.113549.1.1.12": 5,
  "1.2.840.113549.1.1.13": 6,
  "1.2.840.10045.4.1": 9,
  "1.2.840.10045.4.3.2": 10,
  "1.2.840.10045.4.3.3": 11,
  "1.2.840.10045.4.3.4": 12,
  "1.3.101.112": 16,
};
const rsa = "1.2.840.113549.1.1.1";
const ecdsa = "1.2.840.10045.2.1";
const ed25519 = "1.3.101.112";
const extensionRequest = "1.2.840.113549.1.9.14";

/** The DER bytes of the first block of a PEM text, and the block's type. */
function decodePem(pem: string): { readonly type: string; readonly bytes: Uint8Array } {
  const match = /-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*?)-----END \1-----/.exec(pem);
  const bytes = match === null ? undefined : decodeBase64((match[2] ?? "").replace(/\s+/g, ""));
  if (match === null || bytes === undefined) throw new Error("failed to decode PEM block");
  return { type: match[1] ?? "", bytes };
}

const algorithmOf = (identifier: DerElement): string => readOid(new DerReader(identifier.content).next(derTag.oid)).join(".");

/** A public key in JSON, and Go's number of its algorithm. */
interface PublicKeyFields {
  readonly PublicKey: JsonValue;
  readonly PublicKeyAlgorithm: number;
}

/** Keys of algorithms that Go does not know are null. */
function anyPublicKey(info: DerElement): PublicKeyFields {
  const reader = new DerReader(info.content);
  const algorithm = algorithmOf(reader.next(derTag.sequence));
  const bits = readBits(reader.next(derTag.bitString));
  if (algorithm === ed25519) return { PublicKey: encodeBase64(bits), PublicKeyAlgorithm: 4 };
  if (algorithm === ecdsa) return { PublicKey: pointJson(bits), PublicKeyAlgorithm: 3 };
  return algorithm === rsa ? { PublicKey: rsaJson(bits), PublicKeyAlgorithm: 1 } : { PublicKey: null, PublicKeyAlgorithm: 0 };
}

/** The coordinates of an uncompressed point; Go shows an empty object for the curve. */
function pointJson(bits: Uint8Array): JsonObject {
  const half = (bits.length - 1) / 2;
  const coordinate = (start: number) => bits.subarray(start, start + half).reduce((n, byte) => n * 256n + BigInt(byte), 0n);
  return { Curve: {}, X: coordinate(1), Y: coordinate(1 + half) };
}

function rsaJson(bits: Uint8Array): JsonObject {
  const key = new DerReader(new DerReader(bits).next(derTag.sequence).content);
  const modulus = readInteger(key.next(derTag.integer));
  const exponent = readInteger(key.next(derTag.integer));
  return { N: modulus, E: Number(exponent) };
}

/** The three parts that a certificate and a request share: content, signature algorithm, signature. */
function signed(bytes: Uint8Array) {
  const outer = new DerReader(bytes).next(derTag.sequence);
  const reader = new DerReader(outer.content);
  const content = reader.next(derTag.sequence);
  const algorithm = algorithmOf(reader.next(derTag.sequence));
  return {
    content,
    fields: {
      Raw: encodeBase64(outer.raw),
      Signature: encodeBase64(readBits(reader.next(derTag.bitString))),
      SignatureAlgorithm: signatureAlgorithms[algorithm] ?? 0,
      ExtraExtensions: null,
    },
  };
}

/** Parts of Go's struct that are read from the undecoded extensions. */
const absentConstraints: JsonObject = {
  PermittedDNSDomainsCritical: false,
  PermittedDNSDomains: null,
  ExcludedDNSDomains: null,
  PermittedIPRanges: null,
  ExcludedIPRanges: null,
  PermittedEmailAddresses: null,
  ExcludedEmailAddresses: null,
  PermittedURIDomains: null,
  ExcludedURIDomains: null,
  InhibitAnyPolicy: 0,
  InhibitAnyPolicyZero: false,
  InhibitPolicyMapping: 0,
  InhibitPolicyMappingZero: false,
  RequireExplicitPolicy: 0,
  RequireExplicitPolicyZero: false,
  PolicyMappings: null,
  UnhandledCriticalExtensions: null,
};

/** Name and policy constraints: shown empty they would be a lie. */
const undecoded = ["2.5.29.30", "2.5.29.33", "2.5.29.36", "2.5.29.54"];

const explicit = (number: number): number => 0xa0 | number;
const implicit = (number: number): number => 0x80 | number;

/**
 * A certificate's DER as Go's crypto/x509 shows it in JSON; big numbers are exact.
 * @throws Error where it is none, or holds name or policy constraints
 */
export function certificateJson(bytes: Uint8Array): JsonObject {
  const { content, fields } = signed(bytes);
  const reader = new DerReader(content.content);
  const version = reader.optional(explicit(0));
  const serial = readInteger(reader.next(derTag.integer));
  reader.next(derTag.sequence);
  const issuer = reader.next(derTag.sequence);
  const validity = readElements(reader.next(derTag.sequence).content);
  const [notBefore, notAfter] = validity;
  const subject = reader.next(derTag.sequence);
  const key = reader.next(derTag.sequence);
  reader.optional(implicit(1));
  reader.optional(implicit(2));
  const list = reader.optional(explicit(3));
  const extensions = list === undefined ? [] : readExtensions(new DerReader(list.content).next(derTag.sequence).content);
  if (notBefore === undefined || notAfter === undefined) throw new Error("malformed validity");
  if (extensions.some(({ id }) => undecoded.includes(id.join(".")))) {
    throw new Error("certificates with name or policy constraints cannot be decoded");
  }
  return {
    ...fields,
    ...absentConstraints,
    RawTBSCertificate: encodeBase64(content.raw),
    RawSubjectPublicKeyInfo: encodeBase64(key.raw),
    RawSubject: encodeBase64(subject.raw),
    RawIssuer: encodeBase64(issuer.raw),
    ...anyPublicKey(key),
    Version: version === undefined ? 1 : Number(readInteger(new DerReader(version.content).next(derTag.integer))) + 1,
    SerialNumber: serial,
    Issuer: readName(issuer),
    Subject: readName(subject),
    NotBefore: readTime(notBefore),
    NotAfter: readTime(notAfter),
    Extensions: extensionsJson(extensions),
    ...certificateExtensions(extensions),
  };
}

interface Attribute {
  readonly type: readonly number[];
  readonly values: DerElement;
}

function attributeJson({ type, values }: Attribute): JsonObject {
  const sets = readElements(values.content).map((set) =>
    readElements(set.content).map((pair) => {
      const reader = new DerReader(pair.content);
      return { Type: readOid(reader.next(derTag.oid)), Value: encodeBase64(reader.next().content) };
    }),
  );
  return { Type: type, Value: sets };
}

/**
 * A certificate request's DER as Go's crypto/x509 shows it in JSON.
 * @throws Error where it is none
 */
export function certificateRequestJson(bytes: Uint8Array): JsonObject {
  const { content, fields } = signed(bytes);
  const reader = new DerReader(content.content);
  const version = Number(readInteger(reader.next(derTag.integer)));
  const subject = reader.next(derTag.sequence);
  const key = reader.next(derTag.sequence);
  const attributes = readElements(reader.optional(explicit(0))?.content ?? new Uint8Array()).map((element): Attribute => {
    const parts = new DerReader(element.content);
    return { type: readOid(parts.next(derTag.oid)), values: parts.next(derTag.set) };
  });
  const requested = attributes.filter(({ type }) => type.join(".") === extensionRequest);
  const extensions: readonly Extension[] = requested.flatMap(({ values }) =>
    readElements(values.content).flatMap((list) => readExtensions(list.content)),
  );
  return {
    ...fields,
    RawTBSCertificateRequest: encodeBase64(content.raw),
    RawSubjectPublicKeyInfo: encodeBase64(key.raw),
    RawSubject: encodeBase64(subject.raw),
    ...anyPublicKey(key),
    Version: version,
    Subject: readName(subject),
    Attributes: requested.length === 0 ? null : requested.map(attributeJson),
    Extensions: extensionsJson(extensions),
    ...alternativeNames(extensions),
  };
}

/** Kyverno's view: RSA keys only, the modulus as text, the serial number as a float. */
function withRsaKey(json: JsonObject): JsonObject {
  if (json.PublicKeyAlgorithm !== 1) throw new Error("certificate should use rsa algorithm");
  const { SerialNumber: serial, PublicKey: key } = json;
  const publicKey = isObject(key) ? { ...key, N: String(key.N) } : null;
  return { ...json, PublicKey: publicKey, ...(serial === undefined ? {} : { SerialNumber: Number(serial) }) };
}

/**
 * A PEM certificate or certificate request (RFC 5280, RFC 2986) with an RSA key, as Go's crypto/x509 shows it in JSON.
 * @throws Error for anything else
 */
export function decodeX509(pem: string): JsonValue {
  const { type, bytes } = decodePem(pem);
  if (type === "CERTIFICATE") return withRsaKey(certificateJson(bytes));
  if (type === "CERTIFICATE REQUEST") return withRsaKey(certificateRequestJson(bytes));
  throw new Error("PEM block neither contains a CERTIFICATE or CERTIFICATE REQUEST");
}
