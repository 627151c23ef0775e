import { requireFact } from "../../../core/facts.ts";
import { asString, isArray, type JsonValue, member } from "../../../core/json.ts";
import {
  annotationsOf,
  groupOf,
  isKubernetesObject,
  type KubernetesObject,
  nameOf,
  namespaceOf,
} from "../../../core/kubernetes.ts";
import { parseDocuments } from "../../../core/yaml/parse-documents.ts";
import type { RuleContext } from "../../policy.ts";
import { type IgnoredFields, ignoredPaths } from "./ignored-fields.ts";
import { type Difference, manifestDifferences } from "./manifest-differences.ts";

/** What signed manifests are looked for with. */
export interface ManifestOptions {
  /** Before the slash of the annotations that carry message and signatures. */
  readonly domain: string;
  readonly ignored: readonly IgnoredFields[];
}

/** Whether one key signed what the object is; `reason` says why not. */
export type SignedAnswer = { readonly verified: true } | { readonly verified: false; readonly reason: string };

const no = (reason: string): SignedAnswer => ({ verified: false, reason });

/**
 * Whether an object is the manifest in its own annotations, and that was signed with the key.
 * @throws NeedsFacts; Error where it could not be checked, or no signature is of this key
 */
export function checkSignedManifest(
  object: KubernetesObject,
  publicKey: string,
  options: ManifestOptions,
  { facts }: RuleContext,
): SignedAnswer {
  const annotations = annotationsOf(object);
  const named = (name: string) => annotations[`${options.domain}/${name}`];
  if (named("resourceBundleRef") !== undefined) throw new Error("signatures that are kept in a registry are not looked up");
  const message = named("message");
  if (message === undefined) return no("message not found");
  const signatures = signaturesOf(named);
  if (signatures.length === 0) return no("signature not found");
  const answers = signatures.map((signature) => requireFact(facts, { kind: "signed-message", message, signature, publicKey }));
  const candidates = manifestsFor(object, answers[0] ?? null);
  if (candidates.length === 0) return no("failed to find a YAML manifest in the gzipped message");
  const paths = ignoredPaths(object, options.domain, options.ignored);
  const differences = candidates.map((manifest) => manifestDifferences(manifest, object, paths));
  if (!answers.some((answer) => member(answer, "verified") === true)) {
    const reasons = answers.map(
      (answer, i) => `[signature ${i + 1}/${answers.length}] ${asString(member(answer, "reason")) ?? ""}`,
    );
    throw new Error(`failed to verify signature: ${reasons.join("; ")}`);
  }
  if (differences.some((found) => found.length === 0)) return { verified: true };
  return no(`failed to verify signature. diff found; ${(differences[0] ?? []).map(differenceText).join(", ")}`);
}

/** `signature`, `signature_1`, ... as far as they go. Certificates and bundles are for keyless signatures. */
function signaturesOf(named: (name: string) => string | undefined): readonly string[] {
  const found: string[] = [];
  for (let i = 0; ; i++) {
    const suffix = i === 0 ? "" : `_${i}`;
    const signature = named(`signature${suffix}`);
    if (signature === undefined) return found;
    if (named(`certificate${suffix}`) !== undefined || named(`bundle${suffix}`) !== undefined) {
      throw new Error("signatures with a certificate or a bundle of a transparency log are not checked");
    }
    found.push(signature);
  }
}

/** The manifest of the object's name, or else all of its kind: an object may have got its name later. */
function manifestsFor(object: KubernetesObject, answer: JsonValue): readonly KubernetesObject[] {
  const texts = member(answer, "texts");
  const documents = (isArray(texts) ? texts : []).flatMap((text) =>
    typeof text === "string" ? parseDocuments(text, "message").documents : [],
  );
  const ofKind = documents
    .map(({ value }) => value)
    .filter(isKubernetesObject)
    .filter(({ kind }) => kind === object.kind);
  const ofName = ofKind.filter((manifest) => groupOf(manifest) === groupOf(object) && nameOf(manifest) === nameOf(object));
  const exact = ofName.find((manifest) => namespaceOf(manifest) === namespaceOf(object)) ?? ofName[0];
  return exact === undefined ? ofKind : [exact];
}

function differenceText({ key, signed, found }: Difference): string {
  return `${key}: signed ${signed ?? "nothing"}, found ${found ?? "nothing"}`;
}
