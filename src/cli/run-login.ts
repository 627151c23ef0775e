import { readFile } from "node:fs/promises";
import { clientId, paths } from "../server/oauth/paths.ts";
import { audiences } from "../services/access/identity-audiences.ts";
import { type CommandContext, UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { browserLogin, developmentLogin, deviceLogin, openBrowser } from "./login-flows.ts";
import { changeLogins, type Login, readLogins } from "./logins.ts";
import { localServer } from "./running-server.ts";
import { askConnection, askLogin, jsonOf, type LoginServer } from "./token-requests.ts";

export interface ServerFlags {
  readonly server?: string;
  readonly certificateAuthority?: string;
  readonly data: string;
}

export interface LoginFlags extends ServerFlags {
  readonly device?: boolean;
  readonly as?: string;
  readonly browser: boolean;
}

/** The server that is meant: named, that of the last login, or the one that runs here. Throws `UsageError` where there is none. */
export async function wantedServer({ server, certificateAuthority, data }: ServerFlags, io: Io): Promise<LoginServer> {
  const { current, servers } = await readLogins(io);
  const given = certificateAuthority === undefined ? undefined : await textOf(certificateAuthority);
  const named = server ?? io.env["CASTELLAN_SERVER"];
  if (named !== undefined) {
    const url = originOf(named);
    return { url, certificateAuthority: given ?? servers[url]?.certificateAuthority };
  }
  const here = await localServer(data);
  if (here !== undefined) return { url: originOf(here.url), certificateAuthority: given ?? here.certificate };
  if (current === undefined) throw new UsageError("which server? Name it with --server, or set CASTELLAN_SERVER");
  return { url: current, certificateAuthority: given ?? servers[current]?.certificateAuthority };
}

function originOf(text: string): string {
  if (!URL.canParse(text)) throw new UsageError(`${text} is no address: write https://castellan.example.com`);
  return new URL(text).origin;
}

const textOf = (file: string): Promise<string> =>
  readFile(file, "utf8").catch(() => {
    throw new UsageError(`${file} cannot be read`);
  });

export async function runLogin(flags: LoginFlags, { io }: CommandContext): Promise<void> {
  await logIn(await wantedServer(flags, io), flags, io);
}

/** Logs in and remembers it. Throws `UsageError` where that is refused. */
export async function logIn(wanted: LoginServer, flags: Pick<LoginFlags, "device" | "as" | "browser">, io: Io): Promise<void> {
  const { issuer, bound } = await askConnection(wanted);
  const server = bound ? { ...wanted, proof: await newProof(io) } : wanted;
  const show = (url: string) => {
    io.err(`castellan: log in at ${url}\n`);
    io.err("castellan: waiting for that browser; where this machine has none, stop and use castellan login --device\n");
    if (flags.browser) openBrowser(url);
  };
  const { token, refreshToken, until } =
    flags.as !== undefined
      ? await developmentLogin(server, issuer, flags.as, io)
      : flags.device === true
        ? await deviceLogin(server, issuer, io)
        : await browserLogin(server, issuer, io, show);
  const { url, certificateAuthority, proof } = server;
  const login = { certificateAuthority, refreshToken, proof, tokens: { [audiences.console]: { token, until } } };
  await changeLogins(io, async (logins) => ({
    logins: { current: url, servers: { ...logins.servers, [url]: login } },
    value: undefined,
  }));
  io.err(`castellan: logged in to ${url} as ${nameOf(token)}\n`);
}

/** Longer than any login. */
const proofDays = 30;

async function newProof(io: Io): Promise<LoginServer["proof"]> {
  const { createOwnCertificate } = await import("../adapters/certificates.ts");
  return createOwnCertificate("castellan login", io.now(), proofDays);
}

/** For the message alone: nothing is decided by it. */
function nameOf(token: string): string {
  const claims = jsonOf(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  const name = typeof claims === "object" && claims !== null && "preferred_username" in claims ? claims.preferred_username : "";
  return String(name);
}

/** Ends the login at the server and forgets it; where the server does not answer it is forgotten all the same, and said. */
export async function runLogout(flags: ServerFlags & { readonly all?: boolean }, { io }: CommandContext): Promise<void> {
  const { current, servers } = await readLogins(io);
  const wanted = flags.all === true ? Object.keys(servers) : [(flags.server && originOf(flags.server)) ?? current ?? ""];
  for (const url of wanted) {
    const login = servers[url];
    if (login === undefined) throw new UsageError(url === "" ? "nobody is logged in" : `nobody is logged in to ${url}`);
    const ended = await endAtServer(url, login);
    await changeLogins(io, async (logins) => {
      const { [url]: _, ...others } = logins.servers;
      const [next] = Object.keys(others);
      return { logins: { current: logins.current === url ? next : logins.current, servers: others }, value: undefined };
    });
    const unsure = ended ? "" : "; the server did not answer, so the login there ends by itself";
    io.err(`castellan: logged out of ${url}${unsure}\n`);
  }
}

/** Whether the server has ended the login, or it had ended before. */
async function endAtServer(url: string, { refreshToken: token, certificateAuthority }: Login): Promise<boolean> {
  if (token === undefined) return true;
  const form = { client_id: clientId, token, token_type_hint: "refresh_token" };
  const ended = await askLogin({ url, certificateAuthority }, paths.revocation, { form }).catch(() => undefined);
  return ended?.status === 200;
}
