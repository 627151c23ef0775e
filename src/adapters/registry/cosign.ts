import { parseExactJson } from "../../core/exact-json.ts";
import { asString, isArray, isObject, type JsonValue, jsonEquals, member } from "../../core/json.ts";
import { isSignedBy } from "../public-key.ts";
import type { CosignQuestion, WantedIdentity } from "./cosign-question.ts";
import type { KeylessProof, SignedContent, Signer, SigstoreTrust } from "./sigstore-trust.ts";

const signatureType = "application/vnd.dev.cosign.simplesigning.v1+json";
const annotationNames = {
  signature: "dev.cosignproject.cosign/signature",
  certificate: "dev.sigstore.cosign/certificate",
  bundle: "dev.sigstore.cosign/bundle",
} as const;
const attestationType = "application/vnd.dsse.envelope.v1+json";
const statementType = "application/vnd.in-toto+json";
const bundleType = "application/vnd.dev.sigstore.bundle";
/** Signatures are added one by one; each has to be fetched, and the newest come last. */
const mostLayers = 50;
/** Of one envelope; each has the whole of it hashed. */
const mostEnvelopeSignatures = 5;

/** The tag under which cosign keeps signatures (`sig`) or attestations (`att`) of an image, by its specification. */
export const tagOf = (digest: string, what: "sig" | "att"): string => `${digest.replace(":", "-")}.${what}`;

/** A layer of the image that holds signatures or attestations. */
export interface SignedLayer extends KeylessProof {
  readonly digest: string;
  /** Base64; empty for attestations, which hold theirs. */
  readonly signature: string;
}

/** The newest first; of one content with one signature there is one. */
export function signedLayers(manifest: JsonValue, what: "sig" | "att"): readonly SignedLayer[] {
  const layers = member(manifest, "layers");
  const found = new Map<string, SignedLayer>();
  for (const layer of (isArray(layers) ? layers : []).toReversed()) {
    if (member(layer, "mediaType") !== (what === "sig" ? signatureType : attestationType)) continue;
    const annotation = (name: keyof typeof annotationNames) =>
      asString(member(member(layer, "annotations"), annotationNames[name])) ?? "";
    const one: SignedLayer = {
      digest: asString(member(layer, "digest")) ?? "",
      signature: what === "sig" ? annotation("signature") : "",
      certificate: annotation("certificate"),
      bundle: annotation("bundle"),
    };
    found.set(JSON.stringify(one), one);
    if (found.size === mostLayers) break;
  }
  return [...found.values()];
}

/** What of those that refer to an image may be bundles: where registries keep them under a tag, some do not tell. The newest first. */
export function bundleDigests(index: JsonValue): readonly string[] {
  const referrers = member(index, "manifests");
  return (isArray(referrers) ? referrers : [])
    .filter((one) => {
      const type = asString(member(one, "artifactType")) ?? "";
      return type === "" || type === "application/vnd.oci.empty.v1+json" || type.startsWith(bundleType);
    })
    .toReversed()
    .slice(0, mostLayers)
    .map((one) => asString(member(one, "digest")) ?? "");
}

/** The blob that is the bundle; undefined where the manifest is of something else. */
export function bundleBlobOf(manifest: JsonValue): string | undefined {
  const layers = member(manifest, "layers");
  const [layer] = isArray(layers) ? layers : [];
  if (layer === undefined || asString(member(layer, "mediaType"))?.startsWith(bundleType) !== true) return undefined;
  return asString(member(layer, "digest"));
}

/** What it takes to check who signed: `trust` where identities are checked at all. */
export interface Check {
  readonly question: CosignQuestion;
  readonly trust: SigstoreTrust | undefined;
}

/** Undefined: the payload is signed by whom the question names and says what it has to of this image. By cosign's specification of signatures. */
export function signatureProblem(
  payload: Buffer,
  layer: SignedLayer,
  image: string,
  { question, trust }: Check,
): string | undefined {
  const { by, annotations } = question;
  if (by.kind === "key") {
    if (!isSignedBy(by.key, by.digest, payload, Buffer.from(layer.signature, "base64"))) return "no signature is by this key";
  } else {
    const problem = strangerProblem(by.identities, trust?.signerOf({ payload, signature: layer.signature }, layer));
    if (problem !== undefined) return problem;
  }
  const signed = parsed(payload);
  const critical = member(signed, "critical");
  if (member(critical, "type") !== "cosign container image signature") return "what is signed is no image";
  if (member(member(critical, "image"), "docker-manifest-digest") !== image) return "another image is signed";
  const optional = member(signed, "optional");
  const missing = Object.entries(annotations).find(
    ([name, value]) => !isObject(optional) || !Object.hasOwn(optional, name) || !jsonEquals(optional[name], value),
  );
  return missing === undefined ? undefined : `the signature does not say ${missing[0]} as wanted`;
}

/** Why it is not signed by one of the identities; no signer: nobody is trusted to say who it was. */
function strangerProblem(wanted: readonly WantedIdentity[], signer: Signer | string | undefined): string | undefined {
  if (signer === undefined) return "no authority is trusted";
  if (typeof signer === "string") return signer;
  if (wanted.some(({ issuer, subject }) => issuer(signer.issuer) && subject(signer.subject))) return undefined;
  return `it is signed by ${signer.subject || "somebody without a name"} of ${signer.issuer || "no issuer"}`;
}

/** A statement about an image, or why there is none. */
export type Found = { readonly type: string; readonly predicate: JsonValue } | string;

/** The statement in a layer of cosign's, which is a DSSE envelope. */
export function statementIn(bytes: Buffer, layer: SignedLayer, image: string, check: Check): Found {
  return statementOf(parsed(bytes), (envelope) => check.trust?.signerOf({ envelope }, layer), image, check);
}

/** The statement in a bundle of Sigstore's. */
export function statementInBundle(bytes: Buffer, image: string, check: Check): Found {
  const bundle = parsed(bytes);
  const signerOf = (envelope: Envelope) => check.trust?.signerOfBundle({ envelope }, bundle);
  return statementOf(member(bundle, "dsseEnvelope") ?? null, signerOf, image, check);
}

type Envelope = Extract<SignedContent, { readonly envelope: unknown }>["envelope"];

/** The statement of a DSSE envelope (in-toto attestation framework) about this image that somebody signed whom the question names. */
function statementOf(
  value: JsonValue,
  signerOf: (envelope: Envelope) => Signer | string | undefined,
  image: string,
  { question }: Check,
): Found {
  const payload = asString(member(value, "payload")) ?? "";
  const body = Buffer.from(payload, "base64");
  const payloadType = asString(member(value, "payloadType")) ?? "";
  const listed = member(value, "signatures");
  if (payloadType !== statementType) return "it is no statement";
  const signatures = (isArray(listed) ? listed : [])
    .slice(0, mostEnvelopeSignatures)
    .map((one) => asString(member(one, "sig")) ?? "");
  const { by } = question;
  if (by.kind === "key") {
    const signed = preAuthentication(payloadType, body);
    if (!signatures.some((sig) => isSignedBy(by.key, by.digest, signed, Buffer.from(sig, "base64"))))
      return "no attestation is by this key";
  } else {
    const [sig = "", ...others] = signatures;
    // The entry in the log is about one.
    if (others.length > 0) return "the attestation has more than one signature";
    const problem = strangerProblem(by.identities, signerOf({ payload, payloadType, sig }));
    if (problem !== undefined) return problem;
  }
  const statement = parsed(body);
  const subjects = member(statement, "subject");
  const isAbout = (isArray(subjects) ? subjects : []).some(
    (subject) => `sha256:${asString(member(member(subject, "digest"), "sha256")) ?? ""}` === image,
  );
  if (!isAbout) return "the attestation is about another image";
  return { type: asString(member(statement, "predicateType")) ?? "", predicate: member(statement, "predicate") ?? {} };
}

/** What is signed of an envelope (DSSE protocol, PAE). */
function preAuthentication(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body]);
}

function parsed(bytes: Buffer): JsonValue {
  try {
    return parseExactJson(bytes.toString("utf8"));
  } catch {
    return null;
  }
}
