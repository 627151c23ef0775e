import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { matchWildcard } from "../../../core/wildcard.ts";
import type { DocumentReport } from "../report.ts";

export const verificationTypes = ["Cosign", "SigstoreBundle", "Notary"] as const;
export type VerificationType = (typeof verificationTypes)[number];

/** `attestors[]`: so many of the entries must hold. */
export interface AttestorSet {
  readonly required: number;
  readonly entries: readonly AttestorEntry[];
}

export type AttestorEntry = { readonly nested: AttestorSet } | Attestor;

/** One key, certificate or identity, as written. */
export interface Attestor {
  readonly attestor: JsonObject;
  readonly kind: "keys" | "certificates" | "keyless" | "";
}

export interface Attestation {
  readonly name: string;
  /** The predicate type. */
  readonly type: string;
  readonly attestors: readonly AttestorSet[];
}

/** An entry of `verifyImages` with its defaults, the deprecated forms (`image`, `key`, `issuer`) put as the current ones. */
export interface ImageVerification {
  readonly type: VerificationType;
  readonly references: readonly string[];
  readonly skipped: readonly string[];
  readonly attestors: readonly AttestorSet[];
  readonly attestations: readonly Attestation[];
  readonly mutateDigest: boolean;
  readonly verifyDigest: boolean;
  readonly required: boolean;
  /** What every signature is looked up with. */
  readonly options: JsonObject;
}

export function matchesAny(patterns: readonly string[], image: string): boolean {
  return patterns.some((pattern) => matchWildcard(pattern, image));
}

const texts = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((item) => typeof item === "string") : [];
const list = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const text = (value: JsonValue, field: string): string => asString(member(value, field)) ?? "";
const isTrue = (value: JsonValue, field: string): boolean => member(value, field) !== false;

const optionFields = ["repository", "annotations", "roots", "cosignOCI11", "imageRegistryCredentials"] as const;

/** Reads an entry whose fields have been checked. */
export function parseVerification(spec: JsonValue): ImageVerification {
  const legacy = legacyAttestors(spec);
  const image = text(spec, "image");
  const attestations = list(member(spec, "attestations")).map((entry) => parseAttestation(entry, legacy));
  const attestors = list(member(spec, "attestors")).map(parseAttestorSet);
  const options = optionFields.map((field) => [field, member(spec, field)] as const).filter(([, value]) => value !== undefined);
  return {
    type: verificationTypes.find((type) => type === member(spec, "type")) ?? "Cosign",
    references: [...texts(member(spec, "imageReferences")), ...(image === "" ? [] : [image])],
    skipped: texts(member(spec, "skipImageReferences")),
    attestors: attestations.length > 0 ? attestors : [...attestors, ...legacy],
    attestations,
    mutateDigest: isTrue(spec, "mutateDigest"),
    verifyDigest: isTrue(spec, "verifyDigest"),
    required: isTrue(spec, "required"),
    options: Object.fromEntries(options),
  };
}

/** `key`, or `issuer` with `subject` and `roots`, of the first versions of the format. */
function legacyAttestors(spec: JsonValue): readonly AttestorSet[] {
  const [key, issuer] = [text(spec, "key"), text(spec, "issuer")];
  if (key === "" && issuer === "") return [];
  const annotations = member(spec, "annotations");
  const shared = annotations === undefined ? {} : { annotations };
  const extensions = member(spec, "additionalExtensions");
  const more = extensions === undefined ? {} : { additionalExtensions: extensions };
  const identity =
    key === ""
      ? { keyless: { issuer, subject: text(spec, "subject"), roots: text(spec, "roots"), ...more } }
      : { keys: { publicKeys: key } };
  return [parseAttestorSet({ entries: [{ ...shared, ...identity }] })];
}

function parseAttestation(spec: JsonValue, legacy: readonly AttestorSet[]): Attestation {
  const attestors = [...list(member(spec, "attestors")).map(parseAttestorSet), ...legacy];
  return {
    name: text(spec, "name"),
    type: text(spec, "type") || text(spec, "predicateType"),
    // Without attestors the attestation is fetched and its conditions are checked.
    attestors: attestors.length > 0 ? attestors : [{ required: 1, entries: [{ attestor: {}, kind: "" }] }],
  };
}

export function parseAttestorSet(spec: JsonValue): AttestorSet {
  const entries = list(member(spec, "entries")).flatMap(parseEntry);
  const count = member(spec, "count");
  // Whatever else stands there, nothing is verified by nobody.
  return { required: isCount(count) && count > 0 ? count : Math.max(1, entries.length), entries };
}

const isCount = (value: JsonValue | undefined): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0;

const identities = ["keys", "certificates", "keyless"] as const;

function parseEntry(spec: JsonValue): readonly AttestorEntry[] {
  const nested = member(spec, "attestor");
  if (isObject(nested)) return [{ nested: parseAttestorSet(nested) }];
  const attestor = isObject(spec) ? spec : {};
  const kind = identities.find((identity) => isObject(attestor[identity])) ?? "";
  const keys = attestor["keys"];
  const single = publicKeysOf(text(keys ?? null, "publicKeys"));
  if (kind !== "keys" || !isObject(keys) || single.length < 2) return [{ attestor, kind }];
  // Several keys in one text are as many entries.
  return single.map((publicKeys) => ({ attestor: { ...attestor, keys: { ...keys, publicKeys } }, kind }));
}

const endOfKey = "-----END PUBLIC KEY-----";

function publicKeysOf(pem: string): readonly string[] {
  return pem
    .split(endOfKey)
    .slice(0, -1)
    .map((key) => key + endOfKey);
}

/** Reports what Kyverno's admission refuses in an entry of `verifyImages`. */
export function checkVerification(spec: JsonValue, path: JsonPath, report: DocumentReport): void {
  const type = member(spec, "type");
  if (type !== undefined && !verificationTypes.some((known) => known === type)) {
    report.error("KYV_BAD_RULE", [...path, "type"], `must be one of ${verificationTypes.join(", ")}`);
  }
  if (parseVerification(spec).references.length === 0) {
    report.error("KYV_BAD_RULE", path, "needs imageReferences");
  }
  const notary = type === "Notary";
  for (const [i, set] of list(member(spec, "attestors")).entries()) checkSet(set, [...path, "attestors", i], notary, report);
  for (const [i, attestation] of list(member(spec, "attestations")).entries()) {
    const at = [...path, "attestations", i];
    if (parseAttestation(attestation, []).type === "") report.error("KYV_BAD_RULE", at, "needs a type");
    for (const [j, set] of list(member(attestation, "attestors")).entries())
      checkSet(set, [...at, "attestors", j], notary, report);
  }
}

function checkSet(spec: JsonValue, path: JsonPath, notary: boolean, report: DocumentReport): void {
  const entries = list(member(spec, "entries"));
  if (entries.length === 0) report.error("KYV_BAD_RULE", path, "needs entries");
  const count = member(spec, "count") ?? 0;
  if (!isCount(count)) report.error("KYV_BAD_RULE", [...path, "count"], "has to be a whole number");
  else if (count > entries.length) report.error("KYV_BAD_RULE", [...path, "count"], "cannot exceed the number of entries");
  for (const [i, entry] of entries.entries()) checkEntry(entry, [...path, "entries", i], notary, report);
}

function checkEntry(spec: JsonValue, path: JsonPath, notary: boolean, report: DocumentReport): void {
  const given = [...identities, "attestor"].filter((field) => isObject(member(spec, field)));
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    report.error("KYV_BAD_RULE", path, "needs exactly one of keys, certificates, keyless, attestor");
    return;
  }
  const body = member(spec, kind) ?? null;
  const missing = missingIdentity(kind, body);
  if (missing !== undefined) report.error("KYV_BAD_RULE", [...path, kind], `needs ${missing}`);
  if (notary && (kind === "keys" || kind === "keyless")) {
    report.error("KYV_BAD_RULE", [...path, kind], "is not allowed for type Notary");
  }
  if (kind === "attestor") checkSet(body, [...path, kind], notary, report);
}

function missingIdentity(kind: string, body: JsonValue): string | undefined {
  const none = (...fields: readonly string[]) => fields.every((field) => (member(body, field) ?? "") === "");
  switch (kind) {
    case "keys":
      return none("publicKeys", "kms", "secret") ? "publicKeys, kms or secret" : undefined;
    case "certificates":
      return none("cert", "certChain") ? "cert or certChain" : undefined;
    case "keyless":
      if (none("rekor", "roots")) return "rekor or roots";
      return isObject(member(body, "rekor")) && text(member(body, "rekor") ?? null, "url") === "" ? "rekor.url" : undefined;
    default:
      return undefined;
  }
}
