import { type Facts, type Need, NeedsFacts } from "../../../core/facts.ts";
import { asString, isArray, isObject, type JsonObject, member } from "../../../core/json.ts";
import type { Attestor, AttestorSet, ImageVerification } from "./verification.ts";

/** What the verification of one image by one attestor found. */
export interface Verified {
  /** `sha256:...`; empty where the verifier did not tell. */
  readonly digest: string;
  /** Attestations: `{type, predicate}`. */
  readonly statements: readonly JsonObject[];
}

/** Why an image is not verified. `unknown`: nobody could look. */
export interface Unverified {
  readonly unknown: boolean;
  readonly messages: readonly string[];
}

export type VerificationResult =
  | { readonly ok: true; readonly value: Verified }
  | { readonly ok: false; readonly value: Unverified };

/** How an attestor is asked about an image: for a signature, or for attestations of one type. */
export interface Question {
  readonly image: string;
  readonly pullSecrets: readonly string[];
  readonly verification: ImageVerification;
  /** The predicate type; undefined for signatures. */
  readonly attestationType?: string;
}

function needOf(entry: Attestor, { image, pullSecrets, verification, attestationType }: Question): Need {
  return {
    kind: "image-verification",
    reference: image,
    spec: {
      check: attestationType === undefined ? "signature" : "attestation",
      type: verification.type,
      ...(attestationType === undefined ? {} : { predicateType: attestationType }),
      ...verification.options,
      ...entry.attestor,
      pullSecrets,
    },
  };
}

function flatten(set: AttestorSet): readonly Attestor[] {
  return set.entries.flatMap((entry) => ("nested" in entry ? flatten(entry.nested) : [entry]));
}

/** Asks for everything at once that some of the attestors need. @throws NeedsFacts */
export function askAll(sets: readonly AttestorSet[], question: Question, facts: Facts): void {
  const needs = sets.flatMap(flatten).map((entry) => needOf(entry, question));
  const open = needs.filter((need) => facts.get(need) === undefined);
  if (open.length > 0) throw new NeedsFacts(open);
}

function refuse(message: string, unknown: boolean): VerificationResult {
  return { ok: false, value: { unknown, messages: [message] } };
}

/**
 * Asks one attestor. The fact's value is `{verified, digest, statements, message}`; a fact that could not be had leaves
 * the image unverified for lack of knowledge.
 */
export function askAttestor(entry: Attestor, question: Question, facts: Facts, path: string): VerificationResult {
  const need = needOf(entry, question);
  const fact = facts.get(need);
  if (fact === undefined) throw new NeedsFacts([need]);
  const where = entry.kind === "" ? path : `${path}.${entry.kind}`;
  if (!fact.ok) return refuse(`${where}: ${fact.message}`, true);
  if (member(fact.value, "verified") !== true) {
    return refuse(`${where}: ${asString(member(fact.value, "message")) ?? "not verified"}`, false);
  }
  const statements = member(fact.value, "statements");
  return {
    ok: true,
    value: {
      digest: asString(member(fact.value, "digest")) ?? "",
      statements: isArray(statements) ? statements.filter(isObject) : [],
    },
  };
}

/** Asks the entries of a set until enough of them agree. */
export function askSet(set: AttestorSet, question: Question, facts: Facts, path: string): VerificationResult {
  const failures: Unverified[] = [];
  let count = 0;
  for (const [i, entry] of set.entries.entries()) {
    const at = `${path}.entries[${i}]`;
    const result =
      "nested" in entry ? askSet(entry.nested, question, facts, `${at}.attestor`) : askAttestor(entry, question, facts, at);
    if (!result.ok) failures.push(result.value);
    else if (++count >= set.required) return result;
  }
  return { ok: false, value: joinFailures(failures, set.required - count) };
}

/** @param missing so many more would have had to agree: what fewer would have said makes no difference */
export function joinFailures(failures: readonly Unverified[], missing: number): Unverified {
  const open = failures.filter(({ unknown }) => unknown).length;
  return { unknown: open > 0 && open >= missing, messages: failures.flatMap((f) => f.messages) };
}
