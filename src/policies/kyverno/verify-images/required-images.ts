import type { RuleResult } from "../../policy.ts";
import type { ObjectImage } from "../images.ts";
import { errorResult, failedWith, passed, reasonOf, skipped } from "../outcome.ts";
import type { RuleBody, RuleScope } from "../rule-types.ts";
import { type ImageVerification, matchesAny } from "./verification.ts";
import { type ImageStatus, notedStatus } from "./verified-images.ts";
import type { VerifyRule } from "./verify-rule.ts";

/** Checks `verifyDigest` and `required` of every entry; the first image that fails decides. */
export function requiredImagesBody(rule: VerifyRule): RuleBody {
  return {
    kind: "validate",
    evaluate(scope) {
      if (scope.context.object === undefined || scope.context.action.operation === "DELETE") return [];
      let images: readonly ObjectImage[];
      try {
        images = rule.find(scope).images;
      } catch (error) {
        return [errorResult(reasonOf(error))];
      }
      return images.length === 0 ? [] : [check(rule, images, scope)];
    },
  };
}

function check(rule: VerifyRule, images: readonly ObjectImage[], scope: RuleScope): RuleResult {
  const passing: string[] = [];
  const skipping: string[] = [];
  for (const verification of rule.written) {
    for (const image of images) {
      if (!matchesAny(verification.references, image.reference)) continue;
      if (verification.verifyDigest && image.image.digest === "") {
        return { ...failedWith(`missing digest for ${image.reference}`), locate: () => image.path };
      }
      if (!verification.required) continue;
      const status = verifiedStatus(rule, verification, image, scope);
      if (status === "fail") return { ...failedWith(`unverified image ${image.reference}`), locate: () => image.path };
      (status === "pass" ? passing : skipping).push(image.reference);
    }
  }
  const skippedImages = skipping.length === 0 ? "" : `, skipped images: ${skipping.join(" ")}`;
  if (passing.length === 0 && skipping.length > 0) return skipped(`image skipped${skippedImages}`);
  return passed(`image verified${skippedImages}`);
}

/** An entry without attestors verifies nothing, so a note that it did can only be forged. */
function verifiedStatus(
  { rule }: VerifyRule,
  { attestors, attestations }: ImageVerification,
  { reference }: ObjectImage,
  scope: RuleScope,
): ImageStatus {
  return attestors.length + attestations.length === 0 ? "fail" : notedStatus(scope.context.object, rule, reference);
}
