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
  const answer = requireFact(facts, { kind: "signed-message", message, signatures, publicKey });
  if (signatures.length === 0) return no("signature not found");
  if (member(answer, "verified") !== true) {
    throw new Error(`failed to verify signature: ${asString(member(answer, "reason")) ?? ""}`);
  }
  const candidates = manifestsFor(object, answer);
  if (candidates.length === 0) return no("failed to find a YAML manifest in the gzipped message");
  const paths = ignoredPaths(object, options.domain, options.ignored);
  const differences = candidates.map((manifest) => manifestDifferences(manifest, object, paths));
  if (differences.some((found) => found.length === 0)) return { verified: true };
  return no(`failed to verify signature. diff found; ${differencesText(differences[0] ?? [])}`);
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

/** Each is compared as a whole. */
const mostCandidates = 3;

/** The manifest of the object's name, or else those of its kind: an object may have got its name later. */
function manifestsFor(object: KubernetesObject, answer: JsonValue): readonly KubernetesObject[] {
  const texts = member(answer, "texts");
  const ofKind = (isArray(texts) ? texts : [])
    .flatMap((text) => (typeof text === "string" ? valuesOf(text) : []))
    .filter(isKubernetesObject)
    .filter(({ kind }) => kind === object.kind);
  const ofName = ofKind.filter((manifest) => groupOf(manifest) === groupOf(object) && nameOf(manifest) === nameOf(object));
  const exact = ofName.find((manifest) => namespaceOf(manifest) === namespaceOf(object)) ?? ofName[0];
  return exact === undefined ? ofKind.slice(0, mostCandidates) : [exact];
}

/** @throws Error where the text is not YAML */
function valuesOf(text: string): readonly JsonValue[] {
  const { documents, diagnostics } = parseDocuments(text, "message");
  const problem = diagnostics.find(({ severity }) => severity === "error");
  if (problem !== undefined) throw new Error(`the signed message is not YAML: ${problem.message}`);
  return documents.map(({ value }) => value);
}

/** Differences that are told; the others are counted. */
const toldDifferences = 10;

function differencesText(differences: readonly Difference[]): string {
  const told = differences.slice(0, toldDifferences).map(differenceText).join(", ");
  const more = differences.length - toldDifferences;
  return more > 0 ? `${told}, and ${more} more` : told;
}

function differenceText({ key, signed, found }: Difference): string {
  return `${short(key)}: signed ${short(signed)}, found ${short(found)}`;
}

function short(value: Difference["signed"]): string {
  const text = value === undefined ? "nothing" : typeof value === "symbol" ? (value.description ?? "") : String(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
