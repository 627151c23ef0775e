import { webPages } from "../adapters/files/web-pages.ts";
import { sharedKey } from "../adapters/store/grant-tokens.ts";
import { StoredOauthRecords } from "../adapters/store/oauth-records.ts";
import { type Api, createApi } from "../server/api/api.ts";
import { addLoginRoutes } from "../server/api/login-routes.ts";
import { addRolloutRoutes } from "../server/api/rollout-routes.ts";
import { addRoutes, type ConsoleData } from "../server/api/routes.ts";
import { Sessions } from "../server/api/session.ts";
import type { Rollout } from "../services/rollout/rollout.ts";
import type { CommandContext } from "./command.ts";
import { consoleIdentities, type IdentityFlags } from "./console-identities.ts";
import { type IdentityParts, operatorUser, type ServingIdentity, serveIdentity } from "./serve-identity.ts";
import { addressOf, cannotListen } from "./serve-webhook.ts";
import type { ServerLog } from "./server-log.ts";

export interface ServingConsole {
  /** With a login that works once. */
  readonly url: string;
  /** By which address people reach it. */
  readonly publicUrl: string;
  /** Where it listens, and a token of the operator for our own commands. */
  readonly address: string;
  readonly token: string;
  /** What it shows where it speaks TLS; PEM. */
  readonly certificate: string | undefined;
  /** Who people are, for the gateway. */
  readonly identity: ServingIdentity;
  close(): Promise<void>;
}

export interface ConsoleParts {
  readonly identity: IdentityParts;
  /** Of a cluster; undefined where it is unknown, or not named and there are several. */
  readonly rollout: (cluster: string | undefined) => Rollout | undefined;
  readonly metrics: () => Promise<Iterable<string>>;
  readonly waitingFor: () => readonly string[];
  /** Names of clusters that are not reached. */
  readonly unreached: () => readonly string[];
  readonly log: ServerLog;
  /** What else the API offers; told before it listens. */
  readonly addRoutes: (api: Api, identity: ServingIdentity) => void;
}

const dayMilliseconds = 86_400_000;

/**
 * The API and the console on one listener. Who has the printed address is the operator of this machine; it works once, and
 * is not given where an issuer says who people are.
 */
export async function serveConsole(
  { listen, ...flags }: IdentityFlags & { readonly listen: string },
  data: ConsoleData,
  parts: ConsoleParts,
  context: CommandContext,
): Promise<ServingConsole> {
  const { io, version } = context;
  const { log } = parts;
  const { host, port } = addressOf(listen);
  const identities = await consoleIdentities(host, flags, context);
  const { tls, hosts, ...logins } = identities;
  const { db } = parts.identity.store;
  const own = [host, "localhost", "127.0.0.1"];
  const sessions = new Sessions({
    hosts: [...own, ...hosts],
    records: new StoredOauthRecords(db, io.now),
    secret: await sharedKey(db, "console"),
    settings: JSON.stringify([identities.document ?? null, identities.developmentAnywhere]),
    now: io.now,
    lifetime: dayMilliseconds,
  });
  let address = "";
  const identity = await serveIdentity(identities, parts.identity, {
    address: () => address,
    now: io.now,
    onError: (error) => log.trouble(error, { request: "login" }),
  });
  const api: Api = await createApi({
    version,
    pages: webPages(),
    sessions,
    tokenUser: identity.tokenUser,
    renewed: identity.renewed,
    tls,
    secure: logins.secure,
    publicHosts: hosts.filter((name) => !own.includes(name)),
    waitingFor: parts.waitingFor,
    unreached: parts.unreached,
    metrics: parts.metrics,
    onError: (error, request) => log.trouble(error, { request }),
    onAnswered: (request) => log.answered(request),
  });
  addLoginRoutes(api, { ...logins, sessions, admit: identity.admit, onLogin: identity.onLogin, now: io.now });
  identity.addRoutes(api, sessions);
  addRoutes(api, data);
  parts.addRoutes(api, identity);
  addRolloutRoutes(api, parts.rollout, io.now);
  address = await api.listen({ host, port }).catch(cannotListen(listen, "--listen"));
  for (const { name } of logins.developmentUsers)
    log.say(`castellan: ${name} logs in at ${address}/login/as/${encodeURIComponent(name)}`);
  const url =
    logins.issuer === undefined ? `${address}/login?token=${sessions.issueLogin(operatorUser(false))}` : `${address}/login`;
  return {
    url,
    publicUrl: identities.publicUrl ?? address,
    address,
    token: sessions.issueToken(operatorUser(true)),
    certificate: tls?.cert,
    identity,
    close: () => api.close(),
  };
}
