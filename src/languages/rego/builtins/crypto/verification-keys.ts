import type { BuiltinError } from "../builtin.ts";
import { failure, isError } from "../operand.ts";
import { readCertificate } from "./certificate.ts";
import { parseJwks } from "./jwk.ts";
import { type PublicKey, parsePublicKey } from "./keys.ts";
import { decodePem } from "./pem.ts";
import { isAlgorithm } from "./signatures.ts";

/** A key that a signature may have been made with. */
export interface VerificationKey {
  /** The only algorithm that it is for; empty: any. */
  readonly algorithm: string;
  readonly id: string;
  /** Undefined: a key that verifies nothing, as it is private or of a kind that is not known. */
  readonly key: PublicKey | undefined;
}

/** The keys of a PEM certificate or public key, or of a JWK or JWK set. */
export function verificationKeys(text: string): readonly VerificationKey[] | BuiltinError {
  const block = decodePem(text);
  if (block !== undefined) {
    const key = block.rest === "" ? pemKey(block.type, block.bytes) : failure("extra data after a PEM certificate block");
    return isError(key) ? key : [{ algorithm: "", id: "", key }];
  }
  const keys = parseJwks(text);
  if (isError(keys)) return keys;
  return keys
    .filter(({ algorithm }) => algorithm === "" || isAlgorithm(algorithm))
    .map(({ algorithm, id, publicKey, privateKey }) => {
      const usable = privateKey === undefined || privateKey.kind === "secret";
      return { algorithm, id, key: usable ? publicKey : undefined };
    });
}

function pemKey(type: string, bytes: Uint8Array): PublicKey | undefined | BuiltinError {
  if (type === "CERTIFICATE") {
    const certificate = readCertificate(bytes);
    if (certificate === undefined) return failure("failed to parse a PEM certificate: x509: malformed certificate");
    return certificate.publicKey;
  }
  if (type === "PUBLIC KEY") return parsePublicKey(bytes) ?? failure("failed to parse a PEM public key: asn1: structure error");
  return failure("failed to extract a Key from the PEM certificate");
}
