import type { JsonObject, JsonValue } from "../json.ts";
import { encodeBase64 } from "../utf8.ts";
import { type DerElement, DerReader, derTag, readBits, readElements, readInteger, readOid, readText } from "./der.ts";

/** An extension of a certificate or of a certificate request. */
export interface Extension {
  readonly id: readonly number[];
  readonly critical: boolean;
  readonly value: Uint8Array;
}

export function readExtensions(list: Uint8Array): readonly Extension[] {
  return readElements(list).map((element) => {
    const reader = new DerReader(element.content);
    const id = readOid(reader.next(derTag.oid));
    const critical = reader.optional(derTag.boolean);
    return { id, critical: (critical?.content[0] ?? 0) !== 0, value: reader.next(derTag.octetString).content };
  });
}

export function extensionsJson(extensions: readonly Extension[]): JsonValue {
  if (extensions.length === 0) return null;
  return extensions.map(({ id, critical, value }) => ({ Id: id, Critical: critical, Value: encodeBase64(value) }));
}

const orNull = <T extends JsonValue>(items: readonly T[]): readonly T[] | null => (items.length === 0 ? null : items);

/** An element under a context-specific tag; the constructed bit does not count. */
const isTagged = (element: DerElement, number: number): boolean => (element.tag & 0xdf) === (0x80 | number);

function groupsOf(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0)).toString(16));
  const text = groups.join(":");
  const zeros = text.match(/\b0(?::0)+\b/g) ?? [];
  const longest = zeros.reduce((a, b) => (b.length > a.length ? b : a), "");
  if (longest === "") return text;
  const at = text.indexOf(longest);
  return `${text.slice(0, at).replace(/:$/, "")}::${text.slice(at + longest.length).replace(/^:/, "")}`;
}

function addressText(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join(".") : groupsOf(bytes);
}

/** A URI as Go's url.URL in JSON. */
function uriJson(text: string): JsonObject {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/(?:([^@/?#]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(text);
  const [, scheme = "", user, host = "", path = "", query = "", fragment = ""] = match ?? [];
  return {
    Scheme: scheme.toLowerCase(),
    Opaque: "",
    User: user === undefined ? null : {},
    Host: host,
    Path: path,
    RawPath: "",
    OmitHost: false,
    ForceQuery: false,
    RawQuery: query,
    Fragment: fragment,
    RawFragment: "",
  };
}

/** The subject's other names, from the value of their extension. */
export function alternativeNames(extensions: readonly Extension[]): JsonObject {
  const value = extensionValue(extensions, [2, 5, 29, 17]);
  const names = value === undefined ? [] : readElements(new DerReader(value).next(derTag.sequence).content);
  const of = (number: number) => names.filter((n) => isTagged(n, number));
  return {
    DNSNames: orNull(of(2).map(readText)),
    EmailAddresses: orNull(of(1).map(readText)),
    IPAddresses: orNull(of(7).map((n) => addressText(n.content))),
    URIs: orNull(of(6).map((n) => uriJson(readText(n)))),
  };
}

function extensionValue(extensions: readonly Extension[], id: readonly number[]): Uint8Array | undefined {
  return extensions.find((e) => e.id.join(".") === id.join("."))?.value;
}

/** Go numbers the bits from the first. */
function keyUsage(extensions: readonly Extension[]): number {
  const value = extensionValue(extensions, [2, 5, 29, 15]);
  if (value === undefined) return 0;
  let usage = 0;
  const bits = readBits(new DerReader(value).next(derTag.bitString));
  for (let i = 0; i < 9; i++) {
    if (((bits[i >> 3] ?? 0) >> (7 - (i & 7))) & 1) usage |= 1 << i;
  }
  return usage;
}

/** Go's numbers of extended key usages, by object identifier. */
const extendedUsages: { readonly [oid: string]: number } = {
  "2.5.29.37.0": 0,
  "1.3.6.1.5.5.7.3.1": 1,
  "1.3.6.1.5.5.7.3.2": 2,
  "1.3.6.1.5.5.7.3.3": 3,
  "1.3.6.1.5.5.7.3.4": 4,
  "1.3.6.1.5.5.7.3.5": 5,
  "1.3.6.1.5.5.7.3.6": 6,
  "1.3.6.1.5.5.7.3.7": 7,
  "1.3.6.1.5.5.7.3.8": 8,
  "1.3.6.1.5.5.7.3.9": 9,
  "1.3.6.1.4.1.311.10.3.3": 10,
  "2.16.840.1.113730.4.1": 11,
  "1.3.6.1.4.1.311.2.1.22": 12,
  "1.3.6.1.4.1.311.61.1.1": 13,
};

function extendedKeyUsage(extensions: readonly Extension[]): JsonObject {
  const value = extensionValue(extensions, [2, 5, 29, 37]);
  const ids = value === undefined ? [] : readElements(new DerReader(value).next(derTag.sequence).content).map(readOid);
  const known = ids.map((id) => extendedUsages[id.join(".")]).filter((usage) => usage !== undefined);
  const unknown = ids.filter((id) => extendedUsages[id.join(".")] === undefined);
  return { ExtKeyUsage: orNull(known), UnknownExtKeyUsage: orNull(unknown) };
}

function basicConstraints(extensions: readonly Extension[]): JsonObject {
  const value = extensionValue(extensions, [2, 5, 29, 19]);
  if (value === undefined) return { BasicConstraintsValid: false, IsCA: false, MaxPathLen: 0, MaxPathLenZero: false };
  const reader = new DerReader(new DerReader(value).next(derTag.sequence).content);
  const isCa = (reader.optional(derTag.boolean)?.content[0] ?? 0) !== 0;
  const length = reader.optional(derTag.integer);
  const maximum = length === undefined ? -1 : Number(readInteger(length));
  return { BasicConstraintsValid: true, IsCA: isCa, MaxPathLen: maximum, MaxPathLenZero: maximum === 0 };
}

function keyIds(extensions: readonly Extension[]): JsonObject {
  const subject = extensionValue(extensions, [2, 5, 29, 14]);
  const authority = extensionValue(extensions, [2, 5, 29, 35]);
  const own = subject === undefined ? undefined : new DerReader(subject).next(derTag.octetString).content;
  const parts = authority === undefined ? [] : readElements(new DerReader(authority).next(derTag.sequence).content);
  const issuer = parts.find((part) => isTagged(part, 0))?.content;
  return {
    SubjectKeyId: own === undefined ? null : encodeBase64(own),
    AuthorityKeyId: issuer === undefined ? null : encodeBase64(issuer),
  };
}

function policies(extensions: readonly Extension[]): JsonObject {
  const value = extensionValue(extensions, [2, 5, 29, 32]);
  const list = value === undefined ? [] : readElements(new DerReader(value).next(derTag.sequence).content);
  const ids = list.map((policy) => readOid(new DerReader(policy.content).next(derTag.oid)));
  return { PolicyIdentifiers: orNull(ids), Policies: orNull(ids.map((id) => id.join("."))) };
}

function distributionPoints(extensions: readonly Extension[]): JsonValue {
  const value = extensionValue(extensions, [2, 5, 29, 31]);
  const points = value === undefined ? [] : readElements(new DerReader(value).next(derTag.sequence).content);
  const uris = points.flatMap((point) => {
    const name = readElements(point.content).find((part) => isTagged(part, 0));
    const full = name === undefined ? undefined : readElements(name.content).find((part) => isTagged(part, 0));
    return full === undefined
      ? []
      : readElements(full.content)
          .filter((n) => isTagged(n, 6))
          .map(readText);
  });
  return orNull(uris);
}

function authorityAccess(extensions: readonly Extension[]): JsonObject {
  const value = extensionValue(extensions, [1, 3, 6, 1, 5, 5, 7, 1, 1]);
  const list = value === undefined ? [] : readElements(new DerReader(value).next(derTag.sequence).content);
  const found = list.map((description) => {
    const reader = new DerReader(description.content);
    return { method: readOid(reader.next(derTag.oid)).join("."), location: reader.next() };
  });
  const uris = (method: string) =>
    orNull(found.filter((f) => f.method === method && isTagged(f.location, 6)).map((f) => readText(f.location)));
  return { OCSPServer: uris("1.3.6.1.5.5.7.48.1"), IssuingCertificateURL: uris("1.3.6.1.5.5.7.48.2") };
}

/** What a certificate's extensions say, as the fields of Go's x509.Certificate. */
export function certificateExtensions(extensions: readonly Extension[]): JsonObject {
  return {
    ...alternativeNames(extensions),
    KeyUsage: keyUsage(extensions),
    ...extendedKeyUsage(extensions),
    ...basicConstraints(extensions),
    ...keyIds(extensions),
    ...policies(extensions),
    CRLDistributionPoints: distributionPoints(extensions),
    ...authorityAccess(extensions),
  };
}
