import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { parseExactJson } from "../../core/exact-json.ts";
import { asString, type JsonValue, member } from "../../core/json.ts";

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
    return this.#signerOf(() => bundleOf(content, proof), "payload" in content ? content.payload : undefined);
  }

  /** Of a bundle around a DSSE envelope (sigstore_bundle.proto), as JSON. A text says why it proves nothing. */
  signerOfBundle(bundle: JsonValue): Signer | string {
    return this.#signerOf(() => bundle, undefined);
  }

  #signerOf(bundle: () => unknown, payload: Buffer | undefined): Signer | string {
    try {
      const { identity } = this.#verifier.verify(toSignedEntity(bundleFromJSON(bundle()), payload));
      return { issuer: identity?.extensions?.issuer ?? "", subject: identity?.subjectAlternativeName ?? "" };
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

/** A bundle of the first version (sigstore_bundle.proto), as JSON. @throws Error where the proof is not as cosign writes it */
function bundleOf(content: SignedContent, { certificate, bundle }: KeylessProof): object {
  if (certificate === "" || bundle === "")
    throw new Error("the signature comes without a certificate and an entry of a transparency log");
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
          kindVersion: { kind: asString(member(logged, "kind")), version: asString(member(logged, "apiVersion")) },
          integratedTime: numberIn(entry, "integratedTime"),
          inclusionPromise: { signedEntryTimestamp: asString(member(promise, "SignedEntryTimestamp")) ?? "" },
          canonicalizedBody: body,
        },
      ],
    },
    ...("payload" in content
      ? {
          messageSignature: {
            messageDigest: { algorithm: "SHA2_256", digest: createHash("sha256").update(content.payload).digest("base64") },
            signature: content.signature,
          },
        }
      : {
          dsseEnvelope: {
            payload: content.envelope.payload,
            payloadType: content.envelope.payloadType,
            signatures: [{ sig: content.envelope.sig, keyid: "" }],
          },
        }),
  };
}

/** Numbers of 64 bits are texts in this form of JSON. */
function numberIn(entry: JsonValue | undefined, name: string): string {
  const value = member(entry, name);
  if (typeof value !== "number" || !Number.isSafeInteger(value))
    throw new Error(`the entry of the transparency log has no ${name}`);
  return String(value);
}
