import type { KeyObject } from "node:crypto";
import { asString, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { readPublicKey, type SignatureDigest } from "../public-key.ts";

/** What can be asked about an image here: whether a public key signed it, or a statement about it. */
export interface CosignQuestion {
  readonly key: KeyObject;
  readonly digest: SignatureDigest;
  /** Undefined: its signature is asked for. */
  readonly predicateType: string | undefined;
  /** What the signature has to say, too. */
  readonly annotations: JsonObject;
  /** Where signatures are kept; empty: beside the image. */
  readonly repository: string;
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
    ...["check", "type", "predicateType", "keys", "annotations", "repository"],
    // Registries are asked as the operator says.
    ...["ctlog", "pullSecrets", "imageRegistryCredentials", "credentials"],
  ],
  keys: ["publicKeys", "signatureAlgorithm", "rekor", "ctlog"],
  rekor: ["url", "pubkey", "ignoreTlog"],
  keysCtlog: ["ignoreSCT", "pubkey"],
  ctlog: ["url", "insecureIgnoreTlog", "insecureIgnoreSCT"],
} as const;

/** Reads the `spec` of the need `image-verification`; a text says why it cannot be answered here. */
export function readQuestion(spec: JsonValue): CosignQuestion | string {
  const keys = member(spec, "keys");
  const type = asString(member(spec, "type"));
  if (type !== "Cosign") return `signatures of the type ${type ?? ""} are not checked here`;
  if (!isObject(keys)) return "only signatures by public keys are checked here, not certificates and identities";
  const stranger =
    strangerIn(spec, known.attestor) ??
    strangerIn(keys, known.keys) ??
    strangerIn(member(keys, "rekor"), known.rekor) ??
    strangerIn(member(keys, "ctlog"), known.keysCtlog) ??
    strangerIn(member(spec, "ctlog"), known.ctlog);
  if (stranger !== undefined) return `${stranger} is not understood here`;
  const ignoresLog =
    member(member(keys, "rekor"), "ignoreTlog") === true || member(member(spec, "ctlog"), "insecureIgnoreTlog") === true;
  if (!ignoresLog) return "transparency logs are not asked here: write rekor.ignoreTlog: true where the key alone is enough";
  const pem = (asString(keys["publicKeys"]) ?? "").trim();
  if (!/^-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----$/.test(pem))
    return "the key has to be one public key in PEM: keys in Secrets and in a KMS are not fetched here";
  const key = readPublicKey(pem);
  if (typeof key === "string") return key;
  const algorithm = asString(keys["signatureAlgorithm"]) ?? "";
  const digest = Object.hasOwn(digests, algorithm) ? digests[algorithm] : undefined;
  if (digest === undefined) return `the algorithm ${algorithm} is not used for signatures here`;
  const annotations = member(spec, "annotations") ?? {};
  if (!isObject(annotations)) return "annotations have to be an object";
  const check = asString(member(spec, "check"));
  const predicateType = asString(member(spec, "predicateType"));
  if (check !== "signature" && (check !== "attestation" || predicateType === undefined))
    return `${check ?? ""} is not checked here`;
  if (check === "attestation" && Object.keys(annotations).length > 0) return "annotations of attestations are not checked here";
  return {
    key,
    digest,
    predicateType: check === "signature" ? undefined : predicateType,
    annotations,
    repository: asString(member(spec, "repository")) ?? "",
  };
}

function strangerIn(value: JsonValue | undefined, fields: readonly string[]): string | undefined {
  if (!isObject(value)) return undefined;
  return Object.keys(value).find((name) => !fields.includes(name) && !isEmpty(value[name]));
}

const isEmpty = (value: JsonValue | undefined): boolean => value === undefined || value === null || value === "";
