import { decodeBase64, encodeBase64, encodeUtf8 } from "../core/utf8.ts";
import { type Sha256, sameHash } from "./merkle.ts";
import type { TreeHead } from "./proof.ts";

/** Signs with an Ed25519 key: 64 bytes. */
export type SignEd25519 = (message: Uint8Array) => Uint8Array;
/** Verifies with a raw Ed25519 public key of 32 bytes. */
export type VerifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

export interface CheckpointSigner {
  /** The log's name, one line without `+` or spaces, as in `castellan.example.com/ledger`. */
  readonly origin: string;
  readonly publicKey: Uint8Array;
  readonly sign: SignEd25519;
}

/** A log's name and public key, as verifiers keep it. */
export interface CheckpointKey {
  readonly origin: string;
  readonly publicKey: Uint8Array;
}

/**
 * A checkpoint is a signed note (c2sp.org/tlog-checkpoint, c2sp.org/signed-note): origin, size and root in three
 * lines, an empty line, one signature line. Ed25519 signatures have type byte 1.
 */
export function signCheckpoint(sha256: Sha256, signer: CheckpointSigner, head: TreeHead): string {
  const text = `${signer.origin}\n${head.size}\n${encodeBase64(head.root)}\n`;
  const signature = signer.sign(encodeUtf8(text));
  const id = keyId(sha256, signer);
  return `${text}\n\u2014 ${signer.origin} ${encodeBase64(concat(id, signature))}\n`;
}

export type CheckpointReading =
  | { readonly ok: true; readonly head: TreeHead; readonly key: CheckpointKey }
  | { readonly ok: false; readonly reason: string };

/** The tree head that a note vouches for, if one of the known keys signed it. */
export function readCheckpoint(
  sha256: Sha256,
  verify: VerifyEd25519,
  keys: readonly CheckpointKey[],
  note: string,
): CheckpointReading {
  const split = note.indexOf("\n\n");
  if (split < 0) return { ok: false, reason: "it is no signed note: there is no empty line before the signatures" };
  const text = note.slice(0, split + 1);
  const [origin, sizeText, rootText, ...rest] = text.split("\n");
  const root = decodeBase64(rootText ?? "");
  if (!/^(0|[1-9]\d{0,15})$/.test(sizeText ?? "") || root?.length !== 32 || rest.length !== 1) {
    return { ok: false, reason: "its text is not origin, size and root hash, a line each" };
  }
  for (const line of note.slice(split + 2).split("\n")) {
    const [, name, blob] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = decodeBase64(blob ?? "");
    if (name === undefined || bytes?.length !== 68) continue;
    const key = keys.find((k) => k.origin === name && k.origin === origin && sameHash(keyId(sha256, k), bytes.slice(0, 4)));
    if (key === undefined) continue;
    if (!verify(key.publicKey, encodeUtf8(text), bytes.slice(4))) return { ok: false, reason: "its signature is wrong" };
    return { ok: true, head: { size: Number(sizeText), root }, key };
  }
  return { ok: false, reason: "no known key signed it" };
}

/** `name+hash+base64(type || key)`: a key in one line (c2sp.org/signed-note). */
export function checkpointKeyText(sha256: Sha256, key: CheckpointKey): string {
  const hex = Array.from(keyId(sha256, key), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${key.origin}+${hex}+${encodeBase64(concat(Uint8Array.of(1), key.publicKey))}`;
}

/** Undefined where the line is no key or its hash does not belong to it. */
export function parseCheckpointKey(sha256: Sha256, line: string): CheckpointKey | undefined {
  const [, origin, , blob] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(line.trim()) ?? [];
  const bytes = decodeBase64(blob ?? "");
  if (origin === undefined || bytes?.length !== 33 || bytes[0] !== 1) return undefined;
  const key = { origin, publicKey: bytes.slice(1) };
  return checkpointKeyText(sha256, key) === line.trim() ? key : undefined;
}

function keyId(sha256: Sha256, key: CheckpointKey): Uint8Array {
  return sha256(concat(encodeUtf8(`${key.origin}\n`), Uint8Array.of(1), key.publicKey)).slice(0, 4);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
