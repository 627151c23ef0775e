import type { Fact, Facts, Need } from "../core/facts.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { matchWildcard } from "../core/wildcard.ts";
import { fields, list, map, type Shape } from "../policies/kyverno/shape.ts";

/** What a test says about container images, so that rules about them run without a registry. */
export const testImagesShape: Shape = list(
  fields({
    image: "string",
    digest: "string",
    data: map("any"),
    signedBy: list("string"),
    attestations: list(fields({ type: "string", predicate: "any", signedBy: list("string") })),
  }),
);

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

function textsIn(value: JsonValue | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  if (isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** Whether one of the signers is the attestor: its key, certificate or identity holds the signer's text. */
function isSigner(signers: JsonValue | undefined, attestor: JsonValue): boolean {
  const texts = ["keys", "certificates", "keyless"].flatMap((field) => textsIn(member(attestor, field)));
  return listOf(signers).some((signer) => typeof signer === "string" && texts.some((text) => text.includes(signer)));
}

const hasIdentity = (attestor: JsonValue): boolean =>
  ["keys", "certificates", "keyless"].some((field) => isObject(member(attestor, field)));

function verification(image: JsonValue, spec: JsonValue): JsonObject {
  const digest = asString(member(image, "digest"));
  const found = digest === undefined ? {} : { digest };
  if (member(spec, "check") === "signature") {
    const verified = isSigner(member(image, "signedBy"), spec);
    return { verified, ...found, ...(verified ? {} : { message: "no matching signatures" }) };
  }
  const statements = listOf(member(image, "attestations"))
    .filter((attestation) => !hasIdentity(spec) || isSigner(member(attestation, "signedBy"), spec))
    .map((attestation) => ({ type: member(attestation, "type") ?? "", predicate: member(attestation, "predicate") ?? {} }));
  if (statements.length === 0) return { verified: false, message: "no matching attestations" };
  return { verified: true, ...found, statements };
}

function imageData(image: JsonValue, reference: string): Fact {
  const digest = asString(member(image, "digest"));
  const data = member(image, "data");
  if (digest === undefined && data === undefined) {
    return { ok: false, message: `the test gives neither digest nor data of the image ${reference}` };
  }
  const name = reference.split("@")[0] ?? reference;
  return {
    ok: true,
    value: {
      image: reference,
      ...(digest === undefined ? {} : { resolvedImage: `${name}@${digest}` }),
      ...(isObject(data) ? data : {}),
    },
  };
}

/** Facts that answer questions about images from a test's `images`, and leave all others to `otherwise`. */
export function withTestImages(images: JsonValue | undefined, otherwise: Facts): Facts {
  return {
    get(need: Need): Fact | undefined {
      if (need.kind !== "image" && need.kind !== "image-verification") return otherwise.get(need);
      const image = listOf(images).find((entry) => matchWildcard(asString(member(entry, "image")) ?? "", need.reference));
      if (image === undefined) return otherwise.get(need);
      return need.kind === "image" ? imageData(image, need.reference) : { ok: true, value: verification(image, need.spec) };
    },
  };
}
