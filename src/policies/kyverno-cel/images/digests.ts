import { requireFact } from "../../../core/facts.ts";
import { asString, member, toPointer } from "../../../core/json.ts";
import { applyJsonPatch } from "../../../core/json-patch.ts";
import { isKubernetesObject, type KubernetesObject } from "../../../core/kubernetes.ts";
import { imagesOf, type ObjectImage } from "../../kyverno/images.ts";
import { errorResult, passed, reasonOf } from "../../kyverno/outcome.ts";
import type { RuleContext, RuleResult } from "../../policy.ts";

/** @throws NeedsFacts; Error where the registry tells none */
function digestOf({ reference }: ObjectImage, { facts }: RuleContext): string {
  const data = requireFact(facts, { kind: "image", reference });
  const digest = asString(member(data, "resolvedImage"))?.split("@")[1];
  if (digest === undefined) throw new Error(`the registry told no digest of ${reference}`);
  return digest;
}

/** Puts digests to the images of an object that have none; one that cannot be had does not keep the others from theirs. */
export function pinDigests(
  object: KubernetesObject,
  matches: (image: string) => boolean,
  context: RuleContext,
): readonly RuleResult[] {
  const problems: string[] = [];
  let pinned = object;
  try {
    for (const image of [...imagesOf(object).values()].flatMap((list) => [...list.values()])) {
      if (image.image.digest !== "" || !matches(image.reference)) continue;
      try {
        const value = `${image.reference}@${digestOf(image, context)}`;
        const patched = applyJsonPatch(pinned, [{ op: "replace", path: toPointer(image.path), value }]);
        if (patched.ok && isKubernetesObject(patched.value)) pinned = patched.value;
      } catch (error) {
        problems.push(`failed to resolve digest for image ${image.reference}: ${reasonOf(error)}`);
      }
    }
  } catch (error) {
    return [errorResult(`failed to update digest: ${reasonOf(error)}`)];
  }
  const failures = problems.length === 0 ? [] : [errorResult(`failed to update digest: ${problems.join("; ")}`)];
  return pinned === object ? failures : [{ ...passed("mutated image digest"), object: pinned }, ...failures];
}
