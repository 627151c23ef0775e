import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent } from "undici";
import { asString, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { UsageError } from "./command.ts";

const fileOf = (data: string) => join(data, "operator.json");

interface AnnouncedServer {
  readonly address: string;
  readonly token: string;
  /** PEM; undefined: it does not speak TLS. */
  readonly certificate: string | undefined;
}

/** Leaves in the data directory how its owner reaches the server; answers how to take that away. */
export async function announceServer(data: string, server: AnnouncedServer): Promise<() => Promise<void>> {
  const { address, token, certificate } = server;
  await writeFile(fileOf(data), `${JSON.stringify({ url: address, token, certificate })}\n`, { mode: 0o600 });
  return () => rm(fileOf(data), { force: true });
}

export interface ServerAnswer {
  readonly status: number;
  readonly body: JsonValue;
}

/** Asks the server that runs with a data directory, as its operator. Throws `UsageError` where none runs. */
export async function askServer(data: string, path: string, body: JsonObject): Promise<ServerAnswer> {
  const text = await readFile(fileOf(data), "utf8").catch(() => undefined);
  const known: JsonValue = text === undefined ? null : JSON.parse(text);
  const url = asString(member(known, "url"));
  const token = asString(member(known, "token"));
  const nobody = `no server runs with ${data}: start castellan serve, or name its --data directory`;
  if (url === undefined || token === undefined) throw new UsageError(nobody);
  // The certificate is known from the directory, so its names need not be those of this machine.
  const ca = asString(member(known, "certificate"));
  const trust = { ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  const agent = new Agent(ca === undefined ? {} : { connect: trust });
  try {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await agent.request({ origin: url, path, method: "POST", headers, body: JSON.stringify(body) });
    const text = await response.body.text();
    return { status: response.statusCode, body: isJson(text) ? JSON.parse(text) : null };
  } catch (error) {
    throw new UsageError(nobody, { cause: error });
  } finally {
    await agent.close();
  }
}

const isJson = (text: string): boolean => text.startsWith("{");
