import { type Need, NeedsFacts } from "../../../core/facts.ts";
import { formatImage } from "../../../core/image-reference.ts";
import { isArray, jsonEquals, member, toPointer, valueAt } from "../../../core/json.ts";
import { applyJsonPatch } from "../../../core/json-patch.ts";
import { isKubernetesObject, type KubernetesObject } from "../../../core/kubernetes.ts";
import type { RuleResult } from "../../policy.ts";
import type { ObjectImage } from "../images.ts";
import { errorResult, passed, reasonOf } from "../outcome.ts";
import type { RuleBody, RuleScope } from "../rule-types.ts";
import { type ImageVerification, parseVerification } from "./verification.ts";
import { type ImageStatus, notedStatus, noteImages } from "./verified-images.ts";
import { type ImageCheck, lookUpDigest, verifyImage } from "./verify-image.ts";
import type { VerifyRule } from "./verify-rule.ts";

/** Verifies each image under each entry: one result each. The last result carries the object, if it changed. */
export function verificationBody(rule: VerifyRule): RuleBody {
  return {
    kind: "verify",
    evaluate(scope) {
      const { object } = scope.context;
      if (object === undefined) return [];
      let checks: readonly ImageCheck[];
      let known: RuleScope;
      try {
        const found = rule.find(scope);
        if (found.images.length === 0) return [];
        known = found.scope;
        checks = checksOf(rule, found.images, known);
      } catch (error) {
        return [errorResult(reasonOf(error))];
      }
      const run = new VerificationRun(rule, known, object);
      for (const check of checks) run.check(check);
      return run.finish();
    },
  };
}

/** @throws Error when a variable cannot be resolved */
function checksOf({ template }: VerifyRule, images: readonly ObjectImage[], scope: RuleScope): readonly ImageCheck[] {
  let entries: readonly ImageVerification[];
  try {
    const spec = member(template.substitute(scope), "verifyImages");
    entries = (isArray(spec) ? spec : []).map(parseVerification);
  } catch (error) {
    throw new Error(`failed to substitute variables: ${reasonOf(error)}`);
  }
  return entries.flatMap((verification, entry) => images.map((image) => ({ entry, verification, image })));
}

class VerificationRun {
  readonly #rule: VerifyRule;
  readonly #scope: RuleScope;
  readonly #original: KubernetesObject;
  readonly #statuses = new Map<string, ImageStatus>();
  readonly #results: RuleResult[] = [];
  readonly #needs: Need[] = [];
  #object: KubernetesObject;

  constructor(rule: VerifyRule, scope: RuleScope, object: KubernetesObject) {
    this.#rule = rule;
    this.#scope = scope;
    this.#original = object;
    this.#object = object;
  }

  check(check: ImageCheck): void {
    this.#scope.context.budget.spend();
    try {
      this.#checkNow(check);
    } catch (error) {
      // All images are asked about before the evaluation waits for answers.
      if (!(error instanceof NeedsFacts)) throw error;
      this.#needs.push(...error.needs);
    }
  }

  #checkNow(check: ImageCheck): void {
    const { image, verification } = check;
    if (this.#verifiedBefore(image)) {
      this.#statuses.set(image.reference, "pass");
      this.#add(passed(`the image ${image.reference} did not change since it was verified`), image);
      return;
    }
    const { result, digest } = verifyImage(check, this.#scope, this.#rule.programs);
    const { settled, action } = this.#scope.context;
    let outcome = result;
    let reference = image.reference;
    if (verification.mutateDigest && settled !== true && image.image.digest === "" && outcome?.status !== "error") {
      const pinned = this.#pin(image, digest);
      if ("problem" in pinned) outcome = errorResult(pinned.problem);
      else reference = pinned.reference;
      outcome ??= passed("mutated image digest");
    }
    if (outcome === undefined) return;
    // A scan leaves what an earlier verification noted where nobody could look; a request may bring notes of its own.
    const isKnown = outcome.status !== "error" || action.channel === "admission";
    if (result !== undefined && isKnown) this.#statuses.set(reference, statusOf(outcome));
    this.#add(outcome, image);
  }

  /** The image is that of the old object, for which this rule noted that it is good. */
  #verifiedBefore(image: ObjectImage): boolean {
    const { oldObject } = this.#scope.context;
    const before = valueAt(oldObject, image.path) ?? null;
    if (before === null || !jsonEquals(before, valueAt(this.#original, image.path))) return false;
    return notedStatus(oldObject, this.#rule.rule, image.reference) !== "fail";
  }

  /** Puts the digest into the object; the reference with it, or why it cannot be had. */
  #pin(image: ObjectImage, verified: string): { readonly reference: string } | { readonly problem: string } {
    let digest = verified;
    try {
      if (digest === "") digest = lookUpDigest(image, this.#scope);
    } catch (error) {
      return { problem: `failed to update digest: ${reasonOf(error)}` };
    }
    const value = `${image.reference}@${digest}`;
    const patched = applyJsonPatch(this.#object, [{ op: "replace", path: toPointer(image.path), value }]);
    if (patched.ok && isKubernetesObject(patched.value)) this.#object = patched.value;
    return { reference: formatImage({ ...image.image, digest }) };
  }

  #add(result: RuleResult, image: ObjectImage): void {
    this.#results.push({ ...result, locate: () => image.path });
  }

  /** @throws NeedsFacts while answers are missing */
  finish(): readonly RuleResult[] {
    if (this.#needs.length > 0) throw new NeedsFacts(this.#needs);
    const noted = noteImages(this.#object, this.#rule.rule, this.#statuses);
    const last = this.#results.at(-1);
    if (last === undefined || jsonEquals(noted, this.#original)) return this.#results;
    return [...this.#results.slice(0, -1), { ...last, object: noted }];
  }
}

function statusOf({ status }: RuleResult): ImageStatus {
  return status === "pass" ? "pass" : status === "skip" || status === "warn" ? "skip" : "fail";
}
