import { parseExactJson } from "../../core/exact-json.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, jsonEquals, member } from "../../core/json.ts";
import { isSignedBy } from "../public-key.ts";
import type { CosignQuestion } from "./cosign-question.ts";

const signatureType = "application/vnd.dev.cosign.simplesigning.v1+json";
const signatureAnnotation = "dev.cosignproject.cosign/signature";
const attestationType = "application/vnd.dsse.envelope.v1+json";
const statementType = "application/vnd.in-toto+json";
/** Signatures are added one by one; each has to be fetched, and the newest come last. */
const mostLayers = 50;
/** Of one envelope; each has the whole of it hashed. */
const mostEnvelopeSignatures = 5;

/** The tag under which cosign keeps signatures (`sig`) or attestations (`att`) of an image, by its specification. */
export const tagOf = (digest: string, what: "sig" | "att"): string => `${digest.replace(":", "-")}.${what}`;

/** A layer of the image that holds signatures or attestations. */
export interface SignedLayer {
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
    const digest = asString(member(layer, "digest")) ?? "";
    const signature = what === "sig" ? (asString(member(member(layer, "annotations"), signatureAnnotation)) ?? "") : "";
    found.set(`${digest} ${signature}`, { digest, signature });
    if (found.size === mostLayers) break;
  }
  return [...found.values()];
}

/** Undefined: the payload is signed by the key and says what it has to of this image. By cosign's specification of signatures. */
export function signatureProblem(
  payload: Buffer,
  signature: string,
  image: string,
  { key, digest, annotations }: CosignQuestion,
): string | undefined {
  if (!isSignedBy(key, digest, payload, Buffer.from(signature, "base64"))) return "no signature is by this key";
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

/**
 * The statement of a DSSE envelope (in-toto attestation framework) about this image that the key signed, as `{type, predicate}`; a text says why there
 * is none.
 */
export function statementIn(envelope: Buffer, image: string, { key, digest }: CosignQuestion): JsonObject | string {
  const value = parsed(envelope);
  const body = Buffer.from(asString(member(value, "payload")) ?? "", "base64");
  const payloadType = asString(member(value, "payloadType")) ?? "";
  const signatures = member(value, "signatures");
  if (payloadType !== statementType) return "it is no statement";
  const signed = preAuthentication(payloadType, body);
  const isByKey = (isArray(signatures) ? signatures : [])
    .slice(0, mostEnvelopeSignatures)
    .some((entry) => isSignedBy(key, digest, signed, Buffer.from(asString(member(entry, "sig")) ?? "", "base64")));
  if (!isByKey) return "no attestation is by this key";
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
