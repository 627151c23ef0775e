import { asString, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { askAddress, type ServerAddress, type ServerQuestion } from "./api-client.ts";
import { type CommandContext, UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { localServer } from "./running-server.ts";
import { loggedInServer } from "./token-client.ts";

/** How commands about access find the server, and as whom they ask it. */
export interface ServerFlags {
  readonly server?: string;
  readonly data: string;
}

/** The server's answer where it is one, or what it says against it. */
export type Answered =
  | { readonly ok: true; readonly body: JsonValue }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly message: string };

export type AskServer = (question: ServerQuestion) => Promise<Answered>;

/**
 * The server that was named or logged in to, else the one that runs on this machine. Rejects with `UsageError` where nobody
 * could be asked.
 */
export async function accessClient(flags: ServerFlags, { io, version }: CommandContext): Promise<AskServer> {
  const address = await addressOf(flags, io);
  return async (question) => {
    const answer = await askAddress(address, { agent: `castellan/${version}`, ...question }).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new UsageError(`${address.url} does not answer (${why}): start castellan serve, or name another with --server`);
    });
    const { status, body } = answer;
    if (status >= 200 && status < 300) return { ok: true, body };
    const message = asString(member(body, "message")) ?? `the server answered ${status}`;
    const code = asString(member(body, "code")) ?? "";
    if (status === 401) throw new UsageError(`${message}. Log in with castellan login --server ${address.url}`);
    return { ok: false, status, code, message };
  };
}

async function addressOf({ server, data }: ServerFlags, io: Io): Promise<ServerAddress> {
  const { env } = io;
  const named = server ?? env["CASTELLAN_SERVER"];
  const token = env["CASTELLAN_TOKEN"];
  if (named !== undefined && token !== undefined) return { url: serverUrl(named), token };
  const url = named === undefined ? undefined : serverUrl(named);
  const login = await loggedInServer(io, url);
  if (login !== undefined) return login;
  if (url !== undefined) throw new UsageError(`nobody is logged in to ${url}: castellan login --server ${url}`);
  const local = await localServer(data);
  if (local !== undefined) return local;
  throw new UsageError(`nobody is logged in, and no server runs with ${data}: castellan login --server URL, or name its --data`);
}

function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url !== undefined && /^(localhost|\[::1\]|127(\.\d+){3})$/.test(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isHere)) return url.origin;
  throw new UsageError(`${text} is no address that a token may be sent to: https://castellan.example.com`);
}

/** A member of an answer that must be there: the server is of our own version. */
export function objectOf(answer: JsonValue): JsonObject {
  if (typeof answer === "object" && answer !== null && !Array.isArray(answer)) return answer as JsonObject;
  throw new UsageError("the server's answer is not one of Castellan's: is it the right address?");
}
