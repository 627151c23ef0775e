import { isArray as isJsonArray, isObject as isJsonObject, type JsonObject, type JsonValue } from "../../../../core/json.ts";
import { certificateJson, certificateRequestJson } from "../../../../core/x509/certificate.ts";
import { readElements } from "../../../../core/x509/der.ts";
import { anyType, arrayOf, booleanType, objectOf, stringType, tuple } from "../../types/type.ts";
import { int64Of, isNumber } from "../../values/number.ts";
import { bytesOf, textOf } from "../../values/text.ts";
import { fromJson, type RegoObject, type Value } from "../../values/value.ts";
import { decodeBase64, encodeBase64, standard } from "../base64.ts";
import type { Builtin, BuiltinContext, BuiltinError, BuiltinResult } from "../builtin.ts";
import { binary, declared, failure, isArray, isError, isSet, itemsOf, object, string, unary } from "../operand.ts";
import { readCertificate } from "./certificate.ts";
import { type ChainOptions, verifyChain } from "./certificate-chain.ts";
import { decodePem } from "./pem.ts";

/** The DER of each certificate: PEM, PEM in base64, or DER in base64, one after the other. */
export function certificatesOf(text: string): readonly Uint8Array[] | BuiltinError {
  if (text.startsWith("-----BEGIN")) return fromPem(text);
  const bytes = decodeBase64(text, standard);
  if (typeof bytes === "number") return failure(`illegal base64 data at input byte ${bytes}`);
  const decoded = textOf(bytes.slice(0, 10));
  return decoded === "-----BEGIN" ? fromPem(textOf(bytes)) : split(bytes);
}

function fromPem(text: string): readonly Uint8Array[] | BuiltinError {
  const all: number[] = [];
  for (let block = decodePem(text); block !== undefined; block = decodePem(block.rest)) {
    if (block.type !== "CERTIFICATE") return failure(`PEM block type is '${block.type}', expected CERTIFICATE`);
    all.push(...block.bytes);
  }
  return split(Uint8Array.from(all));
}

function split(bytes: Uint8Array): readonly Uint8Array[] | BuiltinError {
  try {
    return readElements(bytes).map(({ raw }) => raw);
  } catch (error) {
    if (error instanceof Error) return failure("x509: malformed certificate");
    throw error;
  }
}

function json(der: Uint8Array, read: (bytes: Uint8Array) => JsonObject): JsonObject | BuiltinError {
  try {
    return read(der);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return failure(error.message.startsWith("certificates with") ? error.message : "x509: malformed certificate");
  }
}

/** URIs also as the texts that they were. */
function withUriTexts(certificate: JsonObject): JsonObject {
  const uris = certificate.URIs;
  return { ...certificate, URIStrings: uris !== undefined && isJsonArray(uris) ? uris.map(uriText) : null };
}

function uriText(uri: JsonValue): string {
  if (!isJsonObject(uri)) return "";
  const part = (name: string) => String(uri[name] ?? "");
  const query = part("RawQuery") === "" ? "" : `?${part("RawQuery")}`;
  const fragment = part("Fragment") === "" ? "" : `#${part("Fragment")}`;
  return `${part("Scheme")}://${part("Host")}${part("Path")}${query}${fragment}`;
}

function parseAll(ders: readonly Uint8Array[], withTexts: boolean): Value | BuiltinError {
  const parsed: Value[] = [];
  for (const der of ders) {
    const certificate = json(der, certificateJson);
    if (isError(certificate)) return certificate;
    parsed.push(fromJson(withTexts ? withUriTexts(certificate) : certificate));
  }
  return parsed;
}

const notVerified: Value = [false, []];

/** `[true, chain]`, the leaf first, or `[false, []]`. */
function verifyCertificates(text: string, options: ChainOptions, withTexts: boolean): BuiltinResult {
  const ders = certificatesOf(text);
  if (isError(ders)) return notVerified;
  const certificates = ders.map(readCertificate).filter((certificate) => certificate !== undefined);
  if (certificates.length < ders.length) return notVerified;
  const chain = chainOf(certificates, options);
  if (chain === undefined) return notVerified;
  const parsed = parseAll(
    chain.map(({ der }) => der),
    withTexts,
  );
  return isError(parsed) ? parsed : [true, parsed];
}

function chainOf(...args: Parameters<typeof verifyChain>): ReturnType<typeof verifyChain> {
  try {
    return verifyChain(...args);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

const usageOids: { readonly [name: string]: string } = {
  KeyUsageAny: "2.5.29.37.0",
  KeyUsageServerAuth: "1.3.6.1.5.5.7.3.1",
  KeyUsageClientAuth: "1.3.6.1.5.5.7.3.2",
  KeyUsageCodeSigning: "1.3.6.1.5.5.7.3.3",
  KeyUsageEmailProtection: "1.3.6.1.5.5.7.3.4",
  KeyUsageIPSECEndSystem: "1.3.6.1.5.5.7.3.5",
  KeyUsageIPSECTunnel: "1.3.6.1.5.5.7.3.6",
  KeyUsageIPSECUser: "1.3.6.1.5.5.7.3.7",
  KeyUsageTimeStamping: "1.3.6.1.5.5.7.3.8",
  KeyUsageOCSPSigning: "1.3.6.1.5.5.7.3.9",
  KeyUsageMicrosoftServerGatedCrypto: "1.3.6.1.4.1.311.10.3.3",
  KeyUsageNetscapeServerGatedCrypto: "2.16.840.1.113730.4.1",
  KeyUsageMicrosoftCommercialCodeSigning: "1.3.6.1.4.1.311.2.1.22",
  KeyUsageMicrosoftKernelCodeSigning: "1.3.6.1.4.1.311.61.1.1",
};

function readUsages(value: Value): readonly string[] | BuiltinError {
  if (!isArray(value) && !isSet(value)) return failure("'KeyUsages' should be an Array or Set");
  const names = itemsOf(value).filter((name) => typeof name === "string");
  const unknown = names.filter((name) => usageOids[name] === undefined);
  if (unknown.length > 0) return failure(`invalid entries for 'KeyUsages' found: [${unknown.join(" ")}]`);
  return names.map((name) => usageOids[name] ?? "");
}

function readOptions(options: RegoObject, now: ChainOptions): ChainOptions | BuiltinError {
  let read = now;
  for (const { key, value } of options.sorted()) {
    if (key === "DNSName") {
      if (typeof value !== "string") return failure("'DNSName' should be a string");
      read = { ...read, dnsName: value.replace(/^"+|"+$/g, "") };
    } else if (key === "CurrentTime") {
      if (!isNumber(value)) return failure("'CurrentTime' should be a number");
      const nanoseconds = int64Of(value);
      if (nanoseconds === undefined) return failure("'CurrentTime' should be a valid int64 number");
      read = { ...read, at: Number(nanoseconds / 1_000_000n) };
    } else if (key === "MaxConstraintComparisons") {
      if (!isNumber(value)) return failure("'MaxConstraintComparisons' should be a number");
    } else if (key === "KeyUsages") {
      const usages = readUsages(value);
      if (isError(usages)) return usages;
      read = { ...read, usages };
    } else if (typeof key === "string") {
      return failure("invalid key option");
    }
  }
  return read;
}

const defaults = (context: BuiltinContext): ChainOptions => ({
  at: Number(context.nowNanoseconds / 1_000_000n),
  dnsName: "",
  usages: [],
});

function parseRequest(text: string): BuiltinResult {
  let bytes: Uint8Array = bytesOf(text);
  if (!text.startsWith("-----BEGIN CERTIFICATE REQUEST-----")) {
    const decoded = decodeBase64(text, standard);
    if (typeof decoded === "number") return failure(`illegal base64 data at input byte ${decoded}`);
    bytes = decoded;
  }
  const block = decodePem(textOf(bytes));
  if (block !== undefined && block.type !== "CERTIFICATE REQUEST") {
    return failure("invalid PEM-encoded certificate signing request");
  }
  try {
    return fromJson(certificateRequestJson(block?.bytes ?? bytes));
  } catch (error) {
    if (error instanceof Error) return failure(`asn1: structure error: ${error.message}`);
    throw error;
  }
}

const members = objectOf(stringType, anyType);
const verified = tuple(booleanType, arrayOf(members));

/** DER in base64, as JSON shows bytes. */
export const base64Of = (bytes: Uint8Array): string => encodeBase64(bytes, standard);

export const x509Builtins: readonly Builtin[] = [
  unary("crypto.x509.parse_certificates", string, arrayOf(members), (text) => {
    const ders = certificatesOf(text);
    return isError(ders) ? ders : parseAll(ders, true);
  }),
  unary("crypto.x509.parse_and_verify_certificates", string, verified, (text, context) =>
    verifyCertificates(text, defaults(context), true),
  ),
  binary(
    "crypto.x509.parse_and_verify_certificates_with_options",
    [string, declared(members, object)],
    verified,
    (text, options, context) => {
      if (isError(certificatesOf(text))) return notVerified;
      const read = readOptions(options, defaults(context));
      return isError(read) ? read : verifyCertificates(text, read, false);
    },
  ),
  unary("crypto.x509.parse_certificate_request", string, members, parseRequest),
];
