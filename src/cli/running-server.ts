import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asString, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { askAddress, type ServerAddress, type ServerAnswer } from "./api-client.ts";
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

/** The server that runs with a data directory, and its operator's token; undefined where none runs. */
export async function localServer(data: string): Promise<ServerAddress | undefined> {
  const text = await readFile(fileOf(data), "utf8").catch(() => undefined);
  const known: JsonValue = text === undefined ? null : JSON.parse(text);
  const url = asString(member(known, "url"));
  const token = asString(member(known, "token"));
  if (url === undefined || token === undefined) return undefined;
  return { url, token, certificate: asString(member(known, "certificate")), isPinned: true };
}

/** Asks the server that runs with a data directory, as its operator. Throws `UsageError` where none runs. */
export async function askServer(data: string, path: string, body: JsonObject): Promise<ServerAnswer> {
  const server = await localServer(data);
  const nobody = `no server runs with ${data}: start castellan serve, or name its --data directory`;
  if (server === undefined) throw new UsageError(nobody);
  return askAddress(server, { method: "POST", path, body }).catch((error: unknown) => {
    throw new UsageError(nobody, { cause: error });
  });
}
