import type { Fact, SignedMessageNeed } from "../core/facts.ts";
import { decodeBase64 } from "../core/utf8.ts";
import { isSignedBy, readPublicKey } from "./public-key.ts";

/** Annotations hold 256 KiB; what unpacks to more is no manifest. */
const longest = 2 * 1024 * 1024;
/** Each is checked over the whole message. */
const mostSignatures = 32;

/**
 * Checks signatures (ECDSA or RSA PKCS#1 v1.5 over SHA-256, or Ed25519), and unpacks what was signed. What nobody signed is
 * not looked into.
 */
export function readSignedMessage({ message, signatures, publicKey }: SignedMessageNeed): Fact {
  try {
    if (signatures.length > mostSignatures) throw new Error(`it has more than ${mostSignatures} signatures`);
    const signed = unpacked(decoded(message));
    const reason = whyNotVerified(signed, signatures, publicKey);
    return {
      ok: true,
      value: { verified: reason === undefined, reason: reason ?? "", texts: reason === undefined ? textsOf(signed) : [] },
    };
  } catch (error) {
    return { ok: false, message: `the signed message cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Buffer would pass over what is no base64. */
function decoded(text: string): Buffer {
  const bytes = decodeBase64(text);
  if (bytes === undefined || bytes.length === 0) throw new Error("it is not base64");
  return Buffer.from(bytes);
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function unpacked(bytes: Buffer): Buffer {
  if (!isGzip(bytes)) return bytes;
  // Every scan would load it: 2 MB and 3 ms for what few need.
  return process.getBuiltinModule("node:zlib").gunzipSync(bytes, { maxOutputLength: longest });
}

/** Undefined: it is verified. */
function whyNotVerified(signed: Buffer, signatures: readonly string[], publicKey: string): string | undefined {
  const key = readPublicKey(publicKey);
  if (typeof key === "string") return key;
  const isVerified = signatures.some((signature) => isSignedBy(key, "sha256", signed, Buffer.from(signature, "base64")));
  return isVerified ? undefined : "invalid signature when validating the message with the key";
}

/** The message itself, or the YAML files of an archive, by name. */
function textsOf(signed: Buffer): readonly string[] {
  if (!isGzip(signed)) return [signed.toString("utf8")];
  return [...tarFiles(unpacked(signed))]
    .filter(([name]) => /\.ya?ml$/.test(name) && !name.startsWith(".."))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, file]) => file.toString("utf8"));
}

const block = 512;

/**
 * The plain files of a tar archive (POSIX.1-1988 ustar), the last of each name: a header of one block each, with the name
 * at 0, the size in octal at 124 and the type at 156, and the contents in whole blocks.
 */
function tarFiles(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  let at = 0;
  while (at + block <= archive.length && archive[at] !== 0) {
    const field = (from: number, length: number) => archive.toString("utf8", at + from, at + from + length).split("\0")[0] ?? "";
    const digits = /^[0-7]{1,11}/.exec(field(124, 12).trimStart())?.[0];
    const start = at + block;
    const end = start + Number.parseInt(digits ?? "", 8);
    if (digits === undefined || end > archive.length) throw new Error("a file of the archive has no size that fits");
    const type = field(156, 1);
    if (type === "0" || type === "") files.set(field(0, 100), archive.subarray(start, end));
    at = start + Math.ceil((end - start) / block) * block;
  }
  return files;
}
