import type { KeyObject } from "node:crypto";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { compileRegex } from "../../core/regex.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import { readPublicKey, type SignatureDigest } from "../public-key.ts";

/** Who has to have signed. */
export type CosignAuthority =
  | { readonly kind: "key"; readonly key: KeyObject; readonly digest: SignatureDigest }
  /** One of these. */
  | { readonly kind: "keyless"; readonly identities: readonly WantedIdentity[] };

export interface WantedIdentity {
  readonly issuer: (text: string) => boolean;
  readonly subject: (text: string) => boolean;
}

/** What can be asked about an image here: whether somebody signed it, or a statement about it. */
export interface CosignQuestion {
  readonly by: CosignAuthority;
  /** Undefined: its signature is asked for. */
  readonly predicateType: string | undefined;
  /** What the signature has to say, too. */
  readonly annotations: JsonObject;
  /** Where signatures are kept; empty: beside the image. */
  readonly repository: string;
  /** Signatures count that are kept under cosign's tags; bundles that refer to the image; or both. */
  readonly forms: { readonly tags: boolean; readonly bundles: boolean };
}

const digests: { readonly [name: string]: SignatureDigest } = {
  "": "sha256",
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
};

/** What an attestor may say here; anything else would be passed over. */
const known = {
  attestor: [
    ...["check", "type", "predicateType", "annotations", "repository", "bundles"],
    // Registries are asked as the operator says.
    ...["ctlog", "pullSecrets", "imageRegistryCredentials", "credentials"],
  ],
  keys: ["publicKeys", "signatureAlgorithm", "rekor", "ctlog"],
  rekor: ["url", "pubkey", "ignoreTlog"],
  keysCtlog: ["ignoreSCT", "pubkey"],
  ctlog: ["url", "insecureIgnoreTlog", "insecureIgnoreSCT"],
  // The logs and authorities are those that the operator trusts, and all of them have to agree.
  keyless: ["issuer", "issuerRegExp", "subject", "subjectRegExp", "identities", "rekor", "ctlog"],
  // An expression has been put into subjectRegExp.
  identity: ["issuer", "issuerRegExp", "subject", "subjectRegExp", "subjectExpression"],
  log: ["url"],
} as const;

/** Reads the `spec` of the need `image-verification`; a text says why it cannot be answered here. */
export function readQuestion(spec: JsonValue): CosignQuestion | string {
  const type = asString(member(spec, "type"));
  if (type !== "Cosign" && type !== "SigstoreBundle") return `signatures of the type ${type ?? ""} are not checked here`;
  const by = isObject(member(spec, "keyless")) ? readKeyless(spec) : readKey(spec);
  if (typeof by === "string") return by;
  const annotations = member(spec, "annotations") ?? {};
  if (!isObject(annotations)) return "annotations have to be an object";
  const check = asString(member(spec, "check"));
  const predicateType = asString(member(spec, "predicateType"));
  if (check !== "signature" && (check !== "attestation" || predicateType === undefined))
    return `${check ?? ""} is not checked here`;
  const isAnnotated = Object.keys(annotations).length > 0;
  if (isAnnotated && (check === "attestation" || type === "SigstoreBundle"))
    return "annotations of attestations and bundles are not checked here";
  return {
    by,
    predicateType: check === "signature" ? undefined : predicateType,
    annotations,
    repository: asString(member(spec, "repository")) ?? "",
    forms: {
      tags: type === "Cosign",
      bundles: type === "SigstoreBundle" || (member(spec, "bundles") === true && !isAnnotated),
    },
  };
}

function readKey(spec: JsonValue): CosignAuthority | string {
  const keys = member(spec, "keys");
  if (!isObject(keys)) return "only signatures by public keys and by identities are checked here, not by certificates";
  const stranger =
    strangerIn(spec, [...known.attestor, "keys"]) ??
    strangerIn(keys, known.keys) ??
    strangerIn(member(keys, "rekor"), known.rekor) ??
    strangerIn(member(keys, "ctlog"), known.keysCtlog) ??
    strangerIn(member(spec, "ctlog"), known.ctlog);
  if (stranger !== undefined) return `${stranger} is not understood here`;
  const ignoresLog =
    member(member(keys, "rekor"), "ignoreTlog") === true || member(member(spec, "ctlog"), "insecureIgnoreTlog") === true;
  if (!ignoresLog)
    return "transparency logs are not asked about keys here: write rekor.ignoreTlog: true where the key alone is enough";
  const pem = (asString(keys["publicKeys"]) ?? "").trim();
  if (!/^-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----$/.test(pem))
    return "the key has to be one public key in PEM: keys in Secrets and in a KMS are not fetched here";
  const key = readPublicKey(pem);
  if (typeof key === "string") return key;
  const algorithm = asString(keys["signatureAlgorithm"]) ?? "";
  const digest = Object.hasOwn(digests, algorithm) ? digests[algorithm] : undefined;
  if (digest === undefined) return `the algorithm ${algorithm} is not used for signatures here`;
  return { kind: "key", key, digest };
}

/** An attestor of a ClusterPolicy is one identity; one of the CEL kind has a list of them. */
function readKeyless(spec: JsonValue): CosignAuthority | string {
  const keyless = member(spec, "keyless");
  const listed = member(keyless, "identities");
  const identities = isArray(listed) ? listed : [keyless ?? null];
  const stranger =
    strangerIn(spec, [...known.attestor, "keyless"]) ??
    strangerIn(keyless, isArray(listed) ? ["identities"] : known.keyless.filter((name) => name !== "identities")) ??
    [member(spec, "ctlog"), member(keyless, "rekor"), member(keyless, "ctlog")]
      .map((log) => strangerIn(log, known.log))
      .find((name) => name !== undefined) ??
    (isArray(listed) ? listed.map((one) => strangerIn(one, known.identity)).find((name) => name !== undefined) : undefined);
  if (stranger !== undefined) return `${stranger} is not understood here`;
  const wanted: WantedIdentity[] = [];
  for (const identity of identities) {
    // The CEL kind is as cosign: a text is that text.
    const holds = isArray(listed) ? isSame : matchWildcard;
    const issuer = textWanted(identity, "issuer", holds);
    const subject = textWanted(identity, "subject", holds);
    if (typeof issuer === "string") return issuer;
    if (typeof subject === "string") return subject;
    wanted.push({ issuer, subject });
  }
  return { kind: "keyless", identities: wanted };
}

const isSame = (wanted: string, text: string): boolean => wanted === text;

/** An expression may match anywhere, and where a text is there, too, both have to hold. */
function textWanted(
  identity: JsonValue,
  name: "issuer" | "subject",
  holds: (pattern: string, text: string) => boolean,
): ((text: string) => boolean) | string {
  const pattern = asString(member(identity, name)) ?? "";
  const source = asString(member(identity, `${name}RegExp`)) ?? "";
  if (pattern === "" && source === "") return `the ${name} has to be named: anybody can have a certificate`;
  const regex = compileRegex(source);
  if (!regex.ok) return `${name}RegExp is no regular expression: ${regex.message}`;
  return (text) => (pattern === "" || holds(pattern, text)) && (source === "" || regex.value.test(text));
}

function strangerIn(value: JsonValue | undefined, fields: readonly string[]): string | undefined {
  if (!isObject(value)) return undefined;
  return Object.keys(value).find((name) => !fields.includes(name) && !isEmpty(value[name]));
}

const isEmpty = (value: JsonValue | undefined): boolean =>
  value === undefined || value === null || value === "" || value === false;
