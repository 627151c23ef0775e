import { audiences } from "../services/access/identity-audiences.ts";
import type { ServerAddress } from "./api-client.ts";
import { UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { changeLogins, type Login, readLogins } from "./logins.ts";

/** A token is not used in its last minute: it must live until the request has arrived. */
const reserveMilliseconds = 60_000;

export interface AccessToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** A token for an audience, renewed where need be; undefined where one must log in again. */
export async function accessToken(io: Io, url: string, audience: string): Promise<AccessToken | undefined> {
  const isGood = (token: AccessToken | undefined) => token !== undefined && token.until - reserveMilliseconds > io.now();
  const known = (await readLogins(io)).servers[url];
  if (known === undefined) return undefined;
  const cached = known.tokens[audience];
  if (isGood(cached)) return cached;
  return changeLogins<AccessToken | undefined>(io, async (logins) => {
    const login = logins.servers[url];
    const fresh = login?.tokens[audience];
    if (login === undefined || isGood(fresh)) return { logins, value: fresh };
    // kubectl asks with each of its commands, and mostly the token is at hand: what renews it is loaded when it is not.
    const { askTokens } = await import("./token-requests.ts");
    const { certificateAuthority, proof, refreshToken: refresh } = login;
    if (refresh === undefined) return { logins, value: undefined };
    const grant = { grant_type: "refresh_token", refresh_token: refresh };
    const answer = await askTokens({ url, certificateAuthority, proof }, grant, audience, io.now());
    if (!answer.ok) {
      if (answer.error !== "invalid_grant") throw new UsageError(`${url} gave no token: ${answer.message}`);
      // How to reach the server stays known.
      const servers = { ...logins.servers, [url]: { certificateAuthority, tokens: {} } };
      return { logins: { ...logins, servers }, value: undefined };
    }
    const { token, until, refreshToken } = answer;
    const renewed: Login = { ...login, refreshToken, tokens: { ...login.tokens, [audience]: { token, until } } };
    return { logins: { ...logins, servers: { ...logins.servers, [url]: renewed } }, value: { token, until } };
  });
}

/** The server that one is logged in to (`url`, else the last one), with a token for its API; undefined where there is none. */
export async function loggedInServer(io: Io, url?: string | undefined): Promise<ServerAddress | undefined> {
  const { current, servers } = await readLogins(io);
  const wanted = url ?? current;
  const login = wanted === undefined ? undefined : servers[wanted];
  if (wanted === undefined || login === undefined) return undefined;
  const token = await accessToken(io, wanted, audiences.console);
  return token === undefined ? undefined : { url: wanted, token: token.token, certificate: login.certificateAuthority };
}
