import type { Fact, Need } from "../../../../core/facts.ts";
import { formatImage, parseImageReference } from "../../../../core/image-reference.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../../../core/json.ts";
import type { Library, Outside } from "../../declarations.ts";
import { type CelType, dynType, intType, listOf, opaqueType, stringType } from "../../types.ts";
import { elementAt } from "../../values/containers.ts";
import { CelError, CelObject, type CelValue, Failure, isList, Unknown, type Value } from "../../values/value.ts";
import { ask, outsideOverload, textOf } from "./context-value.ts";

const attestorType = opaqueType("imageverify.attestor");

/** One of a policy's attestors: only the functions here look into it. */
export class AttestorValue extends CelObject {
  readonly name: string;
  /** What is asked of a verifier (see the need `image-verification`), or why it cannot be asked. */
  readonly question: JsonObject | string;

  constructor(name: string, question: JsonObject | string) {
    super();
    this.name = name;
    this.question = question;
  }

  get type(): CelType {
    return attestorType;
  }

  equals(other: CelValue): boolean {
    return other instanceof AttestorValue && other.name === this.name;
  }
}

/** An attestation that a policy names: an in-toto statement, or an artifact that refers to the image. */
export interface AttestationSpec {
  readonly form: "intoto" | "referrer";
  readonly type: string;
}

/** What the functions know of the policy that calls them, and tell it. */
export interface ImageChecks {
  readonly attestations: ReadonlyMap<string, AttestationSpec>;
  /** Registry credentials, as the policy has them. */
  readonly credentials: JsonValue | undefined;
  /** Whether the policy is about the image. @throws Error */
  matches(image: string): boolean;
  /** Called once an image was really checked. */
  record(image: string, verified: boolean): void;
}

/** By what an evaluation hands to functions, so that each evaluation has its own. */
const checksOf = new WeakMap<Outside, ImageChecks>();
/** Attestations that were verified in an evaluation, by image and attestation. */
const payloadsOf = new WeakMap<Outside, Map<string, JsonValue>>();

/** Tells the functions which policy calls them in the evaluation of `outside`. */
export function bindImageChecks(outside: Outside, checks: ImageChecks): void {
  checksOf.set(outside, checks);
  payloadsOf.set(outside, new Map());
}

/** The reference under which the world knows an image: with registry and tag; undefined where it is none. */
function referenceOf(image: string): string | undefined {
  const parsed = parseImageReference(image);
  return parsed.ok ? formatImage(parsed.value) : undefined;
}

interface Asked {
  readonly image: string;
  readonly attestors: readonly AttestorValue[];
  readonly question: (attestor: AttestorValue) => JsonObject;
  readonly checks: ImageChecks;
}

function attestorsIn(value: CelValue | undefined): readonly AttestorValue[] | Failure {
  if (value === undefined || !isList(value)) return new CelError("no such overload");
  const attestors: AttestorValue[] = [];
  for (let i = 0; i < value.length; i++) {
    const item = elementAt(value, i);
    if (item instanceof Failure) return item;
    if (!(item instanceof AttestorValue)) return new CelError("an attestor is one of the policy's attestors");
    attestors.push(item);
  }
  return attestors;
}

/** The answers about one image, one for each attestor; what could not be had is an error, never an answer. */
function answers({ image, attestors, question, checks }: Asked, outside: Outside): readonly JsonValue[] | Failure {
  const reference = referenceOf(image);
  if (reference === undefined) return new CelError(`could not parse reference: ${image}`);
  const facts: (Fact & { ok: true })[] = [];
  const open: Need[] = [];
  for (const attestor of attestors) {
    if (typeof attestor.question === "string") return new CelError(attestor.question);
    const { credentials } = checks;
    const spec = { ...question(attestor), ...attestor.question, ...(credentials === undefined ? {} : { credentials }) };
    const need = { kind: "image-verification", reference, spec } as const;
    const fact = outside.facts.get(need);
    if (fact === undefined) open.push(need);
    else if (!fact.ok) return new CelError(`the image ${image} could not be checked: ${fact.message}`);
    else facts.push(fact);
  }
  return open.length > 0 ? new Unknown(open) : facts.map((fact) => fact.value);
}

const isVerified = (answer: JsonValue): boolean => member(answer, "verified") === true;

function counted(image: string, checks: ImageChecks, attestors: readonly AttestorValue[], count: number): number {
  if (attestors.length > 0) checks.record(image, count > 0);
  return count;
}

/** What the functions are called with; a failure where they cannot be. 0: the policy is not about the image. */
function opened(
  [image, ...rest]: readonly CelValue[],
  outside: Outside,
): { readonly image: string; readonly checks: ImageChecks; readonly rest: readonly CelValue[] } | Value {
  const checks = checksOf.get(outside);
  if (checks === undefined) return new CelError("images can only be verified by an image validating policy");
  const text = textOf(image);
  try {
    if (!checks.matches(text)) return 0;
  } catch (error) {
    return new CelError(error instanceof Error ? error.message : String(error));
  }
  return { image: text, checks, rest };
}

const isOpened = <T extends object>(value: T | Value): value is T =>
  typeof value === "object" && value !== null && "checks" in value;

function verifySignatures(args: readonly CelValue[], outside: Outside): Value {
  const call = opened(args, outside);
  if (!isOpened(call)) return call;
  const { image, checks, rest } = call;
  const attestors = attestorsIn(rest[0]);
  if (attestors instanceof Failure) return attestors;
  const found = answers({ image, attestors, checks, question: () => ({ check: "signature" }) }, outside);
  return found instanceof Failure ? found : counted(image, checks, attestors, found.filter(isVerified).length);
}

function statementsOf(answer: JsonValue, { type }: AttestationSpec): readonly JsonObject[] {
  const statements = member(answer, "statements");
  return (isArray(statements) ? statements : []).filter(isObject).filter((statement) => asString(statement["type"]) === type);
}

/** What `extractPayload` gives: the whole in-toto statement, or the artifact's own content. */
function payloadOf({ form, type }: AttestationSpec, statement: JsonObject): JsonValue {
  const predicate = statement["predicate"] ?? null;
  if (form === "referrer") return predicate;
  const subject = statement["subject"] ?? [];
  return { _type: "https://in-toto.io/Statement/v0.1", predicateType: type, subject, predicate };
}

const payloadKey = (image: string, attestation: string): string => `${image}\n${attestation}`;

/** Each attestor can vouch for one form of attestations only. */
const formOf = ({ question }: AttestorValue): AttestationSpec["form"] =>
  typeof question !== "string" && question["type"] === "Notary" ? "referrer" : "intoto";

function verifyAttestations(args: readonly CelValue[], outside: Outside): Value {
  const call = opened(args, outside);
  if (!isOpened(call)) return call;
  const { image, checks, rest } = call;
  const name = textOf(rest[0]);
  const attestors = attestorsIn(rest[1]);
  if (attestors instanceof Failure) return attestors;
  const attestation = checks.attestations.get(name);
  if (attestation === undefined) return new CelError(`attestation not found in policy: ${name}`);
  if (attestation.form === "intoto" && attestors.some((attestor) => formOf(attestor) === "referrer")) {
    return new CelError("notary verifier only supports oci 1.1 referrers as attestations");
  }
  const able = attestors.filter((attestor) => formOf(attestor) === attestation.form);
  const question = () => ({ check: "attestation", predicateType: attestation.type });
  const found = answers({ image, attestors: able, checks, question }, outside);
  if (found instanceof Failure) return found;
  const statements = found.map((answer) => (isVerified(answer) ? statementsOf(answer, attestation) : []));
  const [first] = statements.flat();
  if (first !== undefined) payloadsOf.get(outside)?.set(payloadKey(image, name), payloadOf(attestation, first));
  return counted(image, checks, attestors, statements.filter((list) => list.length > 0).length);
}

function extractPayload([imageArg, nameArg]: readonly CelValue[], outside: Outside): Value {
  const image = textOf(imageArg);
  const name = textOf(nameArg);
  const checks = checksOf.get(outside);
  const attestation = checks?.attestations.get(name);
  if (checks === undefined || attestation === undefined) return new CelError(`attestation not found in policy: ${name}`);
  const known = payloadsOf.get(outside)?.get(payloadKey(image, name));
  if (known !== undefined) return known;
  if (attestation.form === "intoto") {
    return new CelError("failed to get payload: intoto attestation payload cannot be fetch before verifying intoto attestation");
  }
  // Artifacts that refer to an image can be read by anybody, verified or not.
  const anybody = new AttestorValue("", { type: "Notary" });
  const question = () => ({ check: "attestation", predicateType: attestation.type });
  const found = answers({ image, attestors: [anybody], checks, question }, outside);
  if (found instanceof Failure) return found;
  const [first] = found.flatMap((answer) => statementsOf(answer, attestation));
  if (first === undefined) return new CelError(`failed to get payload: artifact of type ${attestation.type} not found`);
  return payloadOf(attestation, first);
}

function imageData([image]: readonly CelValue[], outside: Outside): Value {
  const reference = referenceOf(textOf(image));
  if (reference === undefined) return new CelError(`failed to get imagedata: could not parse reference: ${textOf(image)}`);
  const value = ask(outside, { kind: "image", reference }, (fact) => new CelError(`failed to get imagedata: ${fact.message}`));
  if (value === null || typeof value !== "object" || value instanceof Failure || !isObject(value as JsonValue)) return value;
  const data = value as JsonObject;
  return data["config"] === undefined && data["configData"] !== undefined ? { ...data, config: data["configData"] } : data;
}

const dynList = listOf(dynType);

/** Signatures, attestations and data of images: for image validating policies. */
export const imageVerifyLibrary: Library = {
  name: "kyverno.imageverify",
  functions: [
    {
      name: "verifyImageSignatures",
      overloads: [
        outsideOverload("verify_image_signature_string_stringarray", [stringType, dynList], intType, verifySignatures, false),
      ],
    },
    {
      name: "verifyAttestationSignatures",
      overloads: [
        outsideOverload(
          "verify_image_attestations_string_string_stringarray",
          [stringType, stringType, dynList],
          intType,
          verifyAttestations,
          false,
        ),
      ],
    },
    {
      name: "getImageData",
      overloads: [outsideOverload("get_image_data_string", [stringType], dynType, imageData, false)],
    },
    {
      name: "extractPayload",
      overloads: [outsideOverload("payload_string_string", [stringType, stringType], dynType, extractPayload, false)],
    },
  ],
};
