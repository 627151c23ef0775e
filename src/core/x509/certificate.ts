import type { JsonObject, JsonValue } from "../json.ts";
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
};
const rsa = "1.2.840.113549.1.1.1";
const extensionRequest = "1.2.840.113549.1.9.14";

/** The DER bytes of the first block of a PEM text, and the block's type. */
function decodePem(pem: string): { readonly type: string; readonly bytes: Uint8Array } {
  const match = /-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*?)-----END \1-----/.exec(pem);
  const bytes = match === null ? undefined : decodeBase64((match[2] ?? "").replace(/\s+/g, ""));
  if (match === null || bytes === undefined) throw new Error("failed to decode PEM block");
  return { type: match[1] ?? "", bytes };
}

const algorithmOf = (identifier: DerElement): string => readOid(new DerReader(identifier.content).next(derTag.oid)).join(".");

function publicKey(info: DerElement): JsonObject {
  const reader = new DerReader(info.content);
  if (algorithmOf(reader.next(derTag.sequence)) !== rsa) throw new Error("certificate should use rsa algorithm");
  const key = new DerReader(new DerReader(readBits(reader.next(derTag.bitString))).next(derTag.sequence).content);
  const modulus = readInteger(key.next(derTag.integer));
  const exponent = readInteger(key.next(derTag.integer));
  return { N: modulus.toString(), E: Number(exponent) };
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
      PublicKeyAlgorithm: 1,
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

function certificate(bytes: Uint8Array): JsonObject {
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
    PublicKey: publicKey(key),
    Version: version === undefined ? 1 : Number(readInteger(new DerReader(version.content).next(derTag.integer))) + 1,
    // Go reads the JSON number back as a float.
    SerialNumber: Number(serial),
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

function certificateRequest(bytes: Uint8Array): JsonObject {
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
    PublicKey: publicKey(key),
    Version: version,
    Subject: readName(subject),
    Attributes: requested.length === 0 ? null : requested.map(attributeJson),
    Extensions: extensionsJson(extensions),
    ...alternativeNames(extensions),
  };
}

/**
 * A PEM certificate or certificate request (RFC 5280, RFC 2986) with an RSA key, as Go's crypto/x509 shows it in JSON.
 * @throws Error for anything else
 */
export function decodeX509(pem: string): JsonValue {
  const { type, bytes } = decodePem(pem);
  if (type === "CERTIFICATE") return certificate(bytes);
  if (type === "CERTIFICATE REQUEST") return certificateRequest(bytes);
  throw new Error("PEM block neither contains a CERTIFICATE or CERTIFICATE REQUEST");
}
