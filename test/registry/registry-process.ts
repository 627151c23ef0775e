import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "../../src/core/json.ts";
import { registryBinary } from "../cluster/binaries.ts";

/** A registry with an image, its signature and an attestation, as cosign wrote them. */
export interface RunningRegistry {
  readonly available: true;
  /** `127.0.0.1:40123` */
  readonly host: string;
  /** Stores a manifest under a tag. */
  put(tag: string, type: string, manifest: string): Promise<void>;
  /** Stores a blob, and answers its digest. */
  putBlob(digest: string, bytes: Buffer): Promise<void>;
  stop(): void;
}

interface Written {
  readonly image: string;
  readonly publicKey: string;
  readonly manifests: { readonly v1: Manifest; readonly [tag: string]: Manifest };
  /** The image `keyless`, which an identity signed, and the authority and the logs to trust for it. */
  readonly keyless: { readonly image: string; readonly trustedRoot: JsonObject };
  /** Images with bundles: `bundled` by the same identity, and `bundled-by-key`. */
  readonly bundled: { readonly image: string; readonly byKey: string; readonly publicKey: string };
  /** Base64, by digest. */
  readonly blobs: { readonly [digest: string]: string };
}

interface Manifest {
  readonly type: string;
  readonly text: string;
}

export const written: Written = JSON.parse(readFileSync(join(import.meta.dirname, "written-by-cosign.json"), "utf8"));
export const repository = "team/model";

export async function startRegistry(): Promise<RunningRegistry | { readonly available: false; readonly reason: string }> {
  const binary = await registryBinary();
  if (!binary.available) return binary;
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const child = spawn(binary.path("registry"), ["-port", String(port)], { stdio: "ignore" });
  await answers(`http://${host}/v2/`, child);
  const base = `http://${host}/v2/${repository}`;
  const putBlob = async (digest: string, bytes: Buffer) => {
    const upload = await fetch(`${base}/blobs/uploads/?digest=${digest}`, { method: "POST", body: new Uint8Array(bytes) });
    if (upload.status !== 201) throw new Error(`the blob ${digest} was not stored: ${upload.status}`);
  };
  const put = async (tag: string, type: string, manifest: string) => {
    const stored = await fetch(`${base}/manifests/${tag}`, { method: "PUT", headers: { "content-type": type }, body: manifest });
    if (stored.status !== 201) throw new Error(`the manifest ${tag} was not stored: ${stored.status}`);
  };
  for (const [digest, bytes] of Object.entries(written.blobs)) await putBlob(digest, Buffer.from(bytes, "base64"));
  for (const [tag, { type, text }] of Object.entries(written.manifests)) await put(tag, type, text);
  return { available: true, host, put, putBlob, stop: () => child.kill() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (child.exitCode !== null) throw new Error(`the registry ended: ${child.exitCode}`);
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await sleep(50);
  }
  throw new Error("the registry does not answer");
}
