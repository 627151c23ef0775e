import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** Of signatures by keys that have no digest of their own. */
export type SignatureDigest = "sha256" | "sha384" | "sha512";

/** What NIST SP 800-131A allows. */
const fewestRsaBits = 2048;

/** An EC, RSA or Ed25519 key in PEM; a text says why it is none. */
export function readPublicKey(pem: string): KeyObject | string {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return "the public key cannot be read";
  }
  const type = key.asymmetricKeyType ?? "";
  if (type === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) < fewestRsaBits)
    return `RSA keys of less than ${fewestRsaBits} bits are not used for signatures here`;
  return type === "ec" || type === "rsa" || type === "ed25519"
    ? key
    : `keys of the type ${type} are not used for signatures here`;
}

/** Whether a signature (ECDSA in DER, RSA PKCS#1 v1.5, or Ed25519) is this key's over the whole message. */
export function isSignedBy(key: KeyObject, digest: SignatureDigest, message: Buffer, signature: Buffer): boolean {
  return verify(key.asymmetricKeyType === "ed25519" ? null : digest, message, key, signature);
}
