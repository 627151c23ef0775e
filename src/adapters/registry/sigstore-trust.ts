import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { parseExactJson, writeExactJson } from "../../core/exact-json.ts";
import { asString, isArray, isObject, type JsonValue, member } from "../../core/json.ts";

/** Who signed, as the authority's certificate names them. */
export interface Signer {
  /** The OpenID Connect issuer that knew them. */
  readonly issuer: string;
  /** An e-mail address or a URI: of a GitHub workflow, say. */
  readonly subject: string;
}

/** What cosign keeps beside a signature that was made with an identity (cosign's specification of signatures). */
export interface KeylessProof {
  /** In PEM; short-lived. */
  readonly certificate: string;
  /** JSON: the entry of the transparency log, and the log's promise. */
  readonly bundle: string;
}

/** What was signed: a text with its signature apart, or a DSSE envelope that holds its own. */
export type SignedContent =
  | { readonly payload: Buffer; readonly signature: string }
  | { readonly envelope: { readonly payload: string; readonly payloadType: string; readonly sig: string } };

/**
 * Checks signatures by identities against the authorities and logs that the operator trusts, without asking any of them: the certificate
 * is by an authority, was logged (SCT), and was valid when the transparency log took the signature, as the log's signed promise says.
 */
export class SigstoreTrust {
  readonly #verifier: Verifier;

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
  }

  /** A text says why the signature proves nothing. */
  signerOf(content: SignedContent, proof: KeylessProof): Signer | string {
    return this.#signerOf(content, () => materialOf(proof));
  }

  /** As `signerOf`, by what a bundle says beside its envelope (sigstore_bundle.proto, as JSON). */
  signerOfBundle(content: SignedContent, bundle: JsonValue): Signer | string {
    return this.#signerOf(content, () => ({
      mediaType: asString(member(bundle, "mediaType")) ?? "",
      verificationMaterial: member(bundle, "verificationMaterial") ?? null,
    }));
  }

  #signerOf(content: SignedContent, materialOf: () => BundleMaterial): Signer | string {
    try {
      const { mediaType, verificationMaterial } = materialOf();
      const problem = materialProblem(verificationMaterial);
      if (problem !== undefined) return problem;
      const bundle = bundleFromJSON({ mediaType, verificationMaterial, ...contentOf(content) });
      const entity = toSignedEntity(bundle, "payload" in content ? content.payload : undefined);
      const { identity } = this.#verifier.verify(entity);
      const certificate = new X509Certificate(certificateIn(verificationMaterial));
      return (
        entryProblem(entity.tlogEntries, certificate) ??
        signerProblem(certificate, {
          issuer: identity?.extensions?.issuer ?? "",
          subject: identity?.subjectAlternativeName ?? "",
        })
      );
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/**
 * Reads a `trusted_root.json` as Sigstore's TUF repository has it, and as `cosign trusted-root create` writes it.
 * @throws Error where it is none
 */
export function readSigstoreTrust(file: string): SigstoreTrust {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(file, "utf8")));
    if (root.certificateAuthorities.length > 0 && root.tlogs.length > 0)
      return new SigstoreTrust(new Verifier(toTrustMaterial(root)));
  } catch {
    // As one that names nobody.
  }
  throw new Error(`${file} is no trusted root of Sigstore: it needs certificateAuthorities and tlogs`);
}

interface BundleMaterial {
  readonly mediaType: string;
  readonly verificationMaterial: JsonValue;
}

/** Whatever stands in it is somebody else's: certificates have some kilobytes, and what reads them takes the square of their size. */
const most = { material: 64 * 1024, text: 16 * 1024, entries: 4 } as const;

/** Why it is not given to what reads it; undefined: it may be. */
function materialProblem(material: JsonValue): string | undefined {
  if (writeExactJson(material).length > most.material) return "what proves the signature is larger than proofs are";
  for (const name of ["tlogEntries", "timestampVerificationData"]) {
    const part = member(material, name);
    const listed = isArray(part) ? part : member(part, "rfc3161Timestamps");
    if (isArray(listed) && listed.length > most.entries) return `the signature comes with more than ${most.entries} ${name}`;
  }
  return isSmall(material) ? undefined : "a part of what proves the signature is larger than it can be";
}

/** Objects with a length would be read as bytes. */
function isSmall(value: JsonValue): boolean {
  if (typeof value === "string") return value.length <= most.text;
  if (isArray(value)) return value.every(isSmall);
  return (
    !isObject(value) ||
    (!Object.hasOwn(value, "length") && Object.values(value).every((part) => part === undefined || isSmall(part)))
  );
}

/** The signer's certificate, DER. */
function certificateIn(material: JsonValue): Buffer {
  const chain = member(member(material, "x509CertificateChain"), "certificates");
  const certificate = isArray(chain) ? chain[0] : member(material, "certificate");
  return Buffer.from(asString(member(certificate, "rawBytes")) ?? "", "base64");
}

/** The log has to have seen this certificate: else whoever looks there for what was signed in their name would not find it. */
function entryProblem(
  entries: readonly { readonly canonicalizedBody: Uint8Array }[],
  { raw }: X509Certificate,
): string | undefined {
  for (const { canonicalizedBody } of entries) {
    const seen = verifierIn(parseExactJson(Buffer.from(canonicalizedBody).toString("utf8")));
    if (seen === undefined || !seen.equals(raw)) return "the entry of the transparency log is about another certificate";
  }
  return undefined;
}

/** Where the kinds of entries have the certificate (rekor/pkg/types, rekor-tiles): PEM in base64, or DER from the second version on. */
function verifierIn(entry: JsonValue): Buffer | undefined {
  const spec = member(entry, "spec");
  const first = (list: JsonValue | undefined) => (isArray(list) ? list[0] : undefined);
  const text =
    member(member(member(spec, "signature"), "publicKey"), "content") ??
    member(first(member(spec, "signatures")) ?? null, "verifier") ??
    member(first(member(member(member(spec, "content"), "envelope"), "signatures")) ?? null, "publicKey");
  if (typeof text === "string") {
    const once = Buffer.from(text, "base64");
    const pem = once.toString("latin1").startsWith("-----BEGIN") ? once : Buffer.from(once.toString("latin1"), "base64");
    return new X509Certificate(pem).raw;
  }
  const signature =
    member(member(spec, "hashedRekordV002"), "signature") ?? first(member(member(spec, "dsseV002"), "signatures")) ?? null;
  const der = member(member(member(signature, "verifier"), "x509Certificate"), "rawBytes");
  return typeof der === "string" ? Buffer.from(der, "base64") : undefined;
}

const codeSigning = "1.3.6.1.5.5.7.3.3";

/** The certificate is for signing, and names one subject and no other, as another reader of certificates sees it. */
function signerProblem(certificate: X509Certificate, signer: Signer): Signer | string {
  const { issuer, subject } = signer;
  if (issuer === "" || subject === "") return "the certificate names no issuer or no subject";
  if (![`URI:${subject}`, `email:${subject}`].includes(certificate.subjectAltName ?? ""))
    return "the certificate names more than one subject";
  return certificate.keyUsage?.includes(codeSigning) === true ? signer : "the certificate is not for signing";
}

/** What was signed, as bundles have it. */
function contentOf(content: SignedContent): object {
  if ("payload" in content) {
    const digest = createHash("sha256").update(content.payload).digest("base64");
    return { messageSignature: { messageDigest: { algorithm: "SHA2_256", digest }, signature: content.signature } };
  }
  const { payload, payloadType, sig } = content.envelope;
  return { dsseEnvelope: { payload, payloadType, signatures: [{ sig, keyid: "" }] } };
}

/** As a bundle of the first version has it. @throws Error where the proof is not as cosign writes it */
function materialOf({ certificate, bundle }: KeylessProof): BundleMaterial {
  if (certificate === "" || bundle === "")
    throw new Error("the signature comes without a certificate and an entry of a transparency log");
  if (certificate.length > most.text || bundle.length > 2 * most.material)
    throw new Error("what proves the signature is larger than proofs are");
  const promise = parseExactJson(bundle);
  const entry = member(promise, "Payload");
  const body = asString(member(entry, "body")) ?? "";
  const logged = parseExactJson(Buffer.from(body, "base64").toString("utf8"));
  return {
    mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: new X509Certificate(certificate).raw.toString("base64") }] },
      tlogEntries: [
        {
          logIndex: numberIn(entry, "logIndex"),
          logId: { keyId: Buffer.from(asString(member(entry, "logID")) ?? "", "hex").toString("base64") },
          kindVersion: { kind: asString(member(logged, "kind")) ?? "", version: asString(member(logged, "apiVersion")) ?? "" },
          integratedTime: numberIn(entry, "integratedTime"),
          inclusionPromise: { signedEntryTimestamp: asString(member(promise, "SignedEntryTimestamp")) ?? "" },
          canonicalizedBody: body,
        },
      ],
    },
  };
}

/** Numbers of 64 bits are texts in this form of JSON. */
function numberIn(entry: JsonValue | undefined, name: string): string {
  const value = member(entry, name);
  if (typeof value !== "number" || !Number.isSafeInteger(value))
    throw new Error(`the entry of the transparency log has no ${name}`);
  return String(value);
}
