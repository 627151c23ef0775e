import { requireFact } from "../../../core/facts.ts";
import { formatImage } from "../../../core/image-reference.ts";
import { asString, isObject, member } from "../../../core/json.ts";
import type { RuleResult } from "../../policy.ts";
import type { ConditionsProgram } from "../conditions.ts";
import type { ObjectImage } from "../images.ts";
import { errorResult, failedWith, passed, reasonOf, skipped } from "../outcome.ts";
import type { RuleScope, RuleSource } from "../rule-types.ts";
import {
  askAll,
  askAttestor,
  askSet,
  joinFailures,
  type Unverified,
  type VerificationResult,
  type Verified,
} from "./attestors.ts";
import { type Attestation, type ImageVerification, matchesAny } from "./verification.ts";

/** The parts of a rule that are compiled once. */
export interface VerifyPrograms {
  readonly rule: RuleSource;
  /** Conditions of `verifyImages[entry].attestations[i]`. */
  attestationConditions(entry: number, attestation: number): ConditionsProgram;
  /** `validate` of all entries; undefined where no entry has one. */
  readonly deny: ((scope: RuleScope) => string | undefined) | undefined;
}

/** One image under one entry of `verifyImages`. */
export interface ImageCheck {
  readonly entry: number;
  readonly verification: ImageVerification;
  readonly image: ObjectImage;
}

export interface ImageOutcome {
  /** Undefined where the entry has nothing to verify. */
  readonly result: RuleResult | undefined;
  /** The digest that verification found; empty where it found none. */
  readonly digest: string;
}

const undecided: ImageOutcome = { result: undefined, digest: "" };

function imageScope(scope: RuleScope, { image }: ObjectImage): RuleScope {
  const { registry, path, name, tag, digest } = image;
  const repository = registry === "" ? path : `${registry}/${path}`;
  const reference = formatImage(image);
  return scope.with({ image: { reference, referenceWithTag: `${repository}:${tag}`, registry, path, name, tag, digest } });
}

/**
 * Verifies signatures and attestations of one image. What cannot be looked up is an error, never a pass.
 * @throws NeedsFacts
 */
export function verifyImage(check: ImageCheck, scope: RuleScope, programs: VerifyPrograms): ImageOutcome {
  const { verification, image } = check;
  const { attestors, attestations } = verification;
  if (attestors.length === 0 && attestations.length === 0) return undecided;
  const { rule } = programs;
  if (!matchesAny(verification.references, image.reference) || matchesAny(verification.skipped, image.reference)) {
    const where = `policy ${rule.policy.name} ruleName ${rule.name}`;
    return { result: skipped(`skipping image reference image ${image.reference}, ${where}`), digest: "" };
  }
  const signed = verifySignatures(check, scope);
  if (!signed.ok) {
    return { result: unverified(`failed to verify image ${image.reference}`, signed.value), digest: "" };
  }
  if (attestations.length === 0) {
    return { result: passed(`verified image signatures for ${image.reference}`), digest: signed.value.digest };
  }
  return verifyAttestations(check, signed.value.digest, imageScope(scope, image), programs);
}

function unverified(prefix: string, { unknown, messages }: Unverified): RuleResult {
  return (unknown ? errorResult : failedWith)(`${prefix}: ${messages.join("; ")}`);
}

const nothing: Verified = { digest: "", statements: [] };

function verifySignatures({ verification, image }: ImageCheck, scope: RuleScope): VerificationResult {
  const { facts } = scope.context;
  const question = { image: image.reference, pullSecrets: image.pullSecrets, verification };
  askAll(verification.attestors, question, facts);
  let found: VerificationResult = { ok: true, value: nothing };
  let open: VerificationResult | undefined;
  for (const [i, set] of verification.attestors.entries()) {
    const asked = askSet(set, question, facts, `.attestors[${i}]`);
    if (asked.ok) found = asked;
    // One set that refuses is enough, whatever others would have said.
    else if (asked.value.unknown) open ??= asked;
    else return asked;
  }
  return open ?? found;
}

function verifyAttestations(check: ImageCheck, digest: string, scope: RuleScope, programs: VerifyPrograms): ImageOutcome {
  let known = digest;
  let current = scope;
  for (const [i, attestation] of check.verification.attestations.entries()) {
    const conditions = programs.attestationConditions(check.entry, i);
    const found = verifyAttestation({ check, attestation, conditions, path: `.attestations[${i}]` }, known, current);
    if ("failure" in found) return { result: unverified("image attestations verification failed", found.failure), digest: "" };
    known = found.digest;
    current = found.scope;
  }
  if (programs.deny === undefined) {
    return { result: passed(`verified image attestations for ${check.image.reference}`), digest: known };
  }
  return { result: denied(programs, current), digest: known };
}

function denied({ deny, rule }: VerifyPrograms, scope: RuleScope): RuleResult {
  try {
    const message = deny?.(scope);
    if (message === undefined) return passed(`verifyImages validation is passed in ${rule.name} rule`);
    return failedWith(`validation in verifyImages failed: ${message}`);
  } catch (error) {
    return failedWith(`validation in verifyImages failed: failed to check deny conditions: ${reasonOf(error)}`);
  }
}

interface AttestationCheck {
  readonly check: ImageCheck;
  readonly attestation: Attestation;
  readonly conditions: ConditionsProgram;
  readonly path: string;
}

type AttestationResult = { readonly digest: string; readonly scope: RuleScope } | { readonly failure: Unverified };

/** Checks one attestation of an image: enough attestors of each set must have one that meets the conditions. */
function verifyAttestation(
  { check, attestation, conditions, path }: AttestationCheck,
  digest: string,
  scope: RuleScope,
): AttestationResult {
  const { facts } = scope.context;
  const { image, verification } = check;
  let known = digest || image.image.digest;
  let current = scope;
  for (const [j, set] of attestation.attestors.entries()) {
    const reference = known === "" ? image.reference : formatImage({ ...image.image, digest: known });
    const question = { image: reference, pullSecrets: image.pullSecrets, verification, attestationType: attestation.type };
    askAll([set], question, facts);
    const failures: Unverified[] = [];
    let count = 0;
    for (const [k, entry] of set.entries.entries()) {
      if (count >= set.required) break;
      const at = `${path}.attestors[${j}].entries[${k}]`;
      const asked = "nested" in entry ? askSet(entry.nested, question, facts, at) : askAttestor(entry, question, facts, at);
      if (!asked.ok) {
        failures.push(asked.value);
        continue;
      }
      known ||= asked.value.digest;
      const [first] = asked.value.statements;
      const predicate = member(first ?? null, "predicate");
      if (attestation.name !== "" && predicate !== undefined) current = current.with({ [attestation.name]: predicate });
      const problem = statementProblem(asked.value, attestation.type, conditions, current, reference);
      if (problem === undefined) count++;
      else failures.push({ unknown: false, messages: [`${at}: ${problem}`] });
    }
    if (count < set.required) {
      const joined = joinFailures(failures, set.required - count);
      const counts = `verifiedCount: ${count}, requiredCount: ${set.required}, error: `;
      return { failure: { ...joined, messages: [counts + (joined.messages.join("; ") || "attestations verification failed")] } };
    }
  }
  return { digest: known, scope: current };
}

/** Why the statements do not do; undefined when all of the wanted type meet the conditions. */
function statementProblem(
  { statements }: Verified,
  type: string,
  conditions: ConditionsProgram,
  scope: RuleScope,
  image: string,
): string | undefined {
  const wanted = statements.filter((statement) => asString(member(statement, "type")) === type);
  if (wanted.length === 0) return `attestations not found for predicate type ${type}`;
  for (const statement of wanted) {
    const predicate = member(statement, "predicate");
    if (!isObject(predicate)) return "failed to check attestations: failed to extract predicate from statement";
    try {
      const { met, message } = conditions(scope.with(predicate));
      if (!met) return `attestation checks failed for ${image} and predicate ${type}: ${message}`;
    } catch (error) {
      return `failed to check attestations: ${reasonOf(error)}`;
    }
  }
  return undefined;
}

/** The digest of an image by its tag. @throws NeedsFacts; Error when it cannot be had */
export function lookUpDigest(image: ObjectImage, scope: RuleScope): string {
  const data = requireFact(scope.context.facts, { kind: "image", reference: image.reference });
  const digest = asString(member(data, "resolvedImage"))?.split("@")[1];
  if (digest === undefined) throw new Error(`the registry told no digest of ${image.reference}`);
  return digest;
}
