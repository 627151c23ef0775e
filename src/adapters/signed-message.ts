import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { Fact, SignedMessageNeed } from "../core/facts.ts";

/** Annotations hold 256 KiB; what unpacks to more is no manifest. */
const longest = 4 * 1024 * 1024;

/** Checks a signature (ECDSA or RSA PKCS#1 v1.5 over SHA-256, or Ed25519), and unpacks what was signed. */
export function readSignedMessage({ message, signature, publicKey }: SignedMessageNeed): Fact {
  try {
    const signed = unpacked(Buffer.from(message, "base64"));
    const reason = whyNotVerified(signed, signature, publicKey);
    return { ok: true, value: { verified: reason === undefined, reason: reason ?? "", texts: textsOf(signed) } };
  } catch (error) {
    return { ok: false, message: `the signed message cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function unpacked(bytes: Buffer): Buffer {
  return isGzip(bytes) ? gunzipSync(bytes, { maxOutputLength: longest }) : bytes;
}

/** Undefined: it is verified. */
function whyNotVerified(signed: Buffer, signature: string, publicKey: string): string | undefined {
  let key: KeyObject;
  try {
    key = createPublicKey(publicKey);
  } catch {
    return "the public key cannot be read";
  }
  const type = key.asymmetricKeyType ?? "";
  if (type !== "ec" && type !== "rsa" && type !== "ed25519") return `keys of the type ${type} are not used for signatures here`;
  const isVerified = verify(type === "ed25519" ? null : "sha256", signed, key, Buffer.from(signature, "base64"));
  return isVerified ? undefined : "invalid signature when validating the message with the key";
}

/** The message itself, or the files of an archive. */
function textsOf(signed: Buffer): readonly string[] {
  if (!isGzip(signed)) return [signed.toString("utf8")];
  return tarFiles(unpacked(signed)).map((file) => file.toString("utf8"));
}

const block = 512;

/**
 * The plain files of a tar archive (POSIX.1-1988 ustar): a header of one block each, with the size in octal at 124 and the
 * type at 156, and the contents in whole blocks. Names, which extended headers make longer, do not matter here.
 */
function tarFiles(archive: Buffer): readonly Buffer[] {
  const files: Buffer[] = [];
  let at = 0;
  while (at + block <= archive.length && archive[at] !== 0) {
    const written = archive.toString("latin1", at + 124, at + 136);
    const digits = /^[0-7]{1,11}/.exec(written.trimStart())?.[0];
    const start = at + block;
    const end = start + Number.parseInt(digits ?? "", 8);
    if (digits === undefined || end > archive.length) throw new Error("a file of the archive has no size that fits");
    const type = archive.toString("latin1", at + 156, at + 157);
    if (type === "0" || type === "\0") files.push(archive.subarray(start, end));
    at = start + Math.ceil((end - start) / block) * block;
  }
  return files;
}
