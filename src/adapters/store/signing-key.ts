import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type CheckpointKey,
  type CheckpointSigner,
  checkpointKeyText,
  parseCheckpointKey,
  type VerifyEd25519,
} from "../../ledger/checkpoint.ts";
import { sha256 } from "./ledger-hashes.ts";

/** DER of an Ed25519 public key up to its 32 bytes (RFC 8410). */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: "der", type: "spki" });
  return verify(null, message, key, signature);
};

const privateFile = (directory: string) => join(directory, "ledger-key.pem");
const publicFile = (directory: string) => join(directory, "ledger-keys.txt");

/**
 * The key that signs checkpoints: of `keyFile`, which replicas share, or else of the directory, made on first use and readable by its
 * owner alone. Rejects where the file is no Ed25519 key, or the named one is not there.
 */
export async function openSigner(directory: string, origin: string, keyFile?: string): Promise<CheckpointSigner> {
  const pem = await (keyFile === undefined ? ownKey(directory) : readFile(keyFile, "utf8"));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const signer = signerOf(createPrivateKey(pem), origin);
  await remember(directory, signer);
  return signer;
}

async function ownKey(directory: string): Promise<string> {
  try {
    return await readFile(privateFile(directory), "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const pem = newKey();
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(privateFile(directory), pem, { mode: 0o600, flag: "wx" });
    return pem;
  }
}

/** Replaces the key; what the old one signed stays verifiable, since its public part is kept. */
export async function rotateSigner(directory: string, origin: string): Promise<CheckpointSigner> {
  await openSigner(directory, origin);
  await writeFile(privateFile(directory), newKey(), { mode: 0o600 });
  return openSigner(directory, origin);
}

/** The public keys of all signing keys so far. Copy `ledger-keys.txt` to where the verifier trusts it. */
export async function readKeys(file: string): Promise<readonly CheckpointKey[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  return lines.flatMap((line) => parseCheckpointKey(sha256, line) ?? []);
}

/** Of a directory that no key was made in yet: none. */
export const keysOf = (directory: string): Promise<readonly CheckpointKey[]> =>
  readKeys(publicFile(directory)).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });

function newKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function signerOf(key: KeyObject, origin: string): CheckpointSigner {
  if (key.asymmetricKeyType !== "ed25519") throw new TypeError(`the signing key is ${key.asymmetricKeyType}, not Ed25519`);
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-32);
  return { origin, publicKey: new Uint8Array(publicKey), sign: (message) => sign(null, message, key) };
}

async function remember(directory: string, key: CheckpointKey): Promise<void> {
  const line = checkpointKeyText(sha256, key);
  const known = await readFile(publicFile(directory), "utf8").catch(() => "");
  if (!known.split("\n").includes(line)) await appendFile(publicFile(directory), `${line}\n`, { mode: 0o644 });
}
