import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK } from "jose";
import type { JsonObject } from "../../core/json.ts";

/** An ES256 key: what kube-apiserver's own OIDC authentication accepts too. */
export interface TokenKey {
  /** The public key's RFC 7638 thumbprint. */
  readonly kid: string;
  readonly privateJwk: JsonObject;
  readonly publicJwk: JsonObject;
}

/** The key that signs this server's tokens; made on first use, readable by its owner alone. Rejects where the file is no P-256 key. */
export async function openTokenKey(directory: string): Promise<TokenKey> {
  const file = join(directory, "token-key.pem");
  let pem: string;
  try {
    pem = await readFile(file, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(file, pem, { mode: 0o600, flag: "wx" });
  }
  return keyOf(createPrivateKey(pem), file);
}

async function keyOf(key: KeyObject, file: string): Promise<TokenKey> {
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new TypeError(`${file} holds no P-256 key`);
  const publicJwk = await exportJWK(createPublicKey(key));
  const privateJwk = await exportJWK(key);
  const kid = await calculateJwkThumbprint(publicJwk);
  const about = { kid, alg: "ES256", use: "sig" };
  return { kid, privateJwk: { ...textsOf(privateJwk), ...about }, publicJwk: { ...textsOf(publicJwk), ...about } };
}

const textsOf = (jwk: object): JsonObject =>
  Object.fromEntries(Object.entries(jwk).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
