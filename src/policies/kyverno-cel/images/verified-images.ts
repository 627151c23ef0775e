import type { RuleContext } from "../../policy.ts";

/** What the policies of one evaluation found out about images: true where a check was passed. */
type Verifications = Map<string, boolean>;

const known = new WeakMap<object, Verifications>();

function verificationsOf(context: RuleContext): Verifications {
  const key = context.evaluation ?? context;
  let verifications = known.get(key);
  if (verifications === undefined) {
    verifications = new Map();
    known.set(key, verifications);
  }
  return verifications;
}

/** Notes that an image was really checked; what was verified once stays so. */
export function recordVerification(context: RuleContext, image: string, verified: boolean): void {
  const verifications = verificationsOf(context);
  verifications.set(image, verifications.get(image) === true || verified);
}

/** What is wrong with the first of the images that no policy has verified; undefined where all were. */
export function unverifiedImage(context: RuleContext, images: readonly string[]): string | undefined {
  const verifications = verificationsOf(context);
  for (const image of images) {
    const verified = verifications.get(image);
    if (verified === false) return `image ${image} failed signature or attestation verification`;
    if (verified === undefined) {
      return `image ${image} is not verified: no policy performed a signature or attestation check on it`;
    }
  }
  return undefined;
}
