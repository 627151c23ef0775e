import { homedir } from "node:os";
import { asString, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { askAddress, type ServerAddress, type ServerQuestion } from "./api-client.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { localServer } from "./running-server.ts";

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
  const address = await addressOf(flags, io.env);
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

async function addressOf(
  { server, data }: ServerFlags,
  env: { readonly [name: string]: string | undefined },
): Promise<ServerAddress> {
  const named = server ?? env["CASTELLAN_SERVER"];
  const token = env["CASTELLAN_TOKEN"];
  if (named !== undefined && token !== undefined) return { url: serverUrl(named), token };
  const login = await storedLogin(named === undefined ? undefined : serverUrl(named), env, homedir());
  if (login !== undefined) return login;
  if (named !== undefined) throw new UsageError(`you are not logged in to ${named}: castellan login --server ${named}`);
  const local = await localServer(data);
  if (local !== undefined) return local;
  throw new UsageError(`you are not logged in, and no server runs with ${data}: castellan login --server URL, or name --server`);
}

function serverUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/$/, "");
  throw new UsageError(`${text} is no address of a server: https://castellan.example.com`);
}

/** The login that castellan login left, refreshed where it must be. */
async function storedLogin(
  _server: string | undefined,
  _env: { readonly [name: string]: string | undefined },
  _home: string,
): Promise<ServerAddress | undefined> {
  return undefined;
}

/** A member of an answer that must be there: the server is of our own version. */
export function objectOf(answer: JsonValue): JsonObject {
  if (typeof answer === "object" && answer !== null && !Array.isArray(answer)) return answer as JsonObject;
  throw new UsageError("the server's answer is not one of Castellan's: is it the right address?");
}
