import type { IncomingMessage, ServerResponse } from "node:http";
import type Provider from "oidc-provider";
import type { Person } from "../../access/person.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Api } from "../api/api.ts";
import type { Sessions } from "../api/session.ts";
import { Accounts, type CurrentPerson } from "./accounts.ts";
import { addInteractionRoutes } from "./interaction-routes.ts";
import { clientId, connectionPath, paths } from "./paths.ts";
import { createProvider, sessionCookie } from "./provider.ts";
import type { OauthRecords } from "./records.ts";

/** How command lines reach what this server guards: for `castellan kubeconfig`. */
export interface Connection {
  /** The gateway's address. */
  readonly gateway: string;
  /** PEM of what vouches for it; undefined: an authority of the system. */
  readonly certificateAuthority: string | undefined;
  /** Clusters behind it; each is reached at `gateway` + `path`. */
  readonly clusters: readonly { readonly name: string; readonly path: string }[];
}

export interface OauthOptions {
  /** The console's address as browsers and tokens name it, without a slash at its end. Asked once, with the first request. */
  readonly issuer: () => string;
  /** Tokens for the gateway are bound to a key of the command line's. */
  readonly bound: boolean;
  readonly sessions: Sessions;
  readonly records: OauthRecords;
  /** Private, ES256, with `kid`. */
  readonly signingKey: JsonObject;
  /** The public keys of all replicas. */
  readonly keys: () => Promise<readonly JsonObject[]>;
  /** Makes the signing key known to other replicas; called before each token. */
  readonly announceKey: () => Promise<void>;
  readonly isLocked: (person: Person) => boolean;
  /** People as their identity provider knows them by now. */
  readonly current: CurrentPerson;
  /** Whether people can log in by themselves, at `/login`. */
  readonly hasLogin: boolean;
  /** Undefined: there is no gateway. */
  readonly connection: () => Connection | undefined;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Castellan as the issuer of its own short-lived tokens, on the console's listener. */
export function addOauthRoutes(api: Api, options: OauthOptions): void {
  const accounts = new Accounts(options.records, options.now, options.current);
  let made: Promise<Provider> | undefined;
  const provider = () => {
    made ??= createProvider({ ...options, issuer: options.issuer(), accounts }).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };

  api.get(paths.jwks, { schema: { hide: true } }, async () => ({ keys: await options.keys() }));
  api.get(connectionPath, { schema: { hide: true } }, async () => ({
    issuer: options.issuer(),
    client: clientId,
    bound: options.bound,
    ...options.connection(),
  }));
  void api.register(async (scoped) => {
    scoped.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(body))));
    });
    addInteractionRoutes(scoped, { ...options, accounts, provider });
  });
  void api.register(async (scoped) => {
    const budget = new StartBudget();
    // The library reads bodies by itself.
    scoped.removeAllContentTypeParsers();
    scoped.addContentTypeParser("*", (_request, _body, done) => done(null));
    for (const { method, url } of libraryRoutes) {
      scoped.route({
        method,
        url,
        config: { csrf: "none" },
        schema: { hide: true },
        handler: async (request, reply) => {
          if (starts.has(`${method} ${url}`) && !budget.takes(request.ip, options.now())) {
            return reply
              .status(429)
              .header("retry-after", "60")
              .send({ error: "slow_down", error_description: "too many logins" });
          }
          const answer = (await provider()).callback();
          reply.hijack();
          await answer(prepared(request.raw, options.issuer()), secured(reply.raw));
        },
      });
    }
  });
}

/** What anybody may send and what then must be remembered for minutes. */
const starts: ReadonlySet<string> = new Set([`GET ${paths.authorization}`, `POST ${paths.device_authorization}`]);
const startsEachMinute = 120;

/** So many logins may be begun from one address in a minute, and by everybody ten times as many. */
class StartBudget {
  readonly #counts = new Map<string, number>();
  #minute = 0;

  takes(address: string, now: number): boolean {
    const minute = Math.floor(now / 60_000);
    if (minute !== this.#minute) {
      this.#counts.clear();
      this.#minute = minute;
    }
    const [all, own] = [(this.#counts.get("") ?? 0) + 1, (this.#counts.get(address) ?? 0) + 1];
    if (all > 10 * startsEachMinute || own > startsEachMinute) return false;
    this.#counts.set("", all).set(address, own);
    return true;
  }
}

const libraryRoutes = [
  { method: "GET", url: paths.authorization },
  { method: "GET", url: `${paths.authorization}/:uid` },
  { method: "POST", url: paths.token },
  { method: "POST", url: paths.device_authorization },
  { method: "GET", url: paths.code_verification },
  { method: "POST", url: paths.code_verification },
  { method: "GET", url: `${paths.code_verification}/:uid` },
  { method: "POST", url: paths.revocation },
  { method: "GET", url: "/.well-known/openid-configuration" },
  { method: "GET", url: "/.well-known/oauth-authorization-server" },
] as const;

/** Where a login begins: each has a session of its own in the library, so that it is always the console's that says who it is. */
const beginnings: ReadonlySet<string> = new Set([paths.authorization, paths.code_verification]);

/** The library believes these headers; the address is ours to say, the host was checked. */
function prepared(request: IncomingMessage, issuer: string): IncomingMessage {
  const { headers } = request;
  for (const name of ["x-forwarded-host", "x-forwarded-for", "x-forwarded-port"]) delete headers[name];
  headers["x-forwarded-proto"] = new URL(issuer).protocol.slice(0, -1);
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  if (request.method === "GET" && beginnings.has(path) && headers.cookie !== undefined) {
    const own = new RegExp(`^${sessionCookie}(\\.sig)?=`);
    headers.cookie = headers.cookie
      .split(/; */)
      .filter((cookie) => !own.test(cookie))
      .join("; ");
  }
  return request;
}

function secured(response: ServerResponse): ServerResponse {
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("x-frame-options", "DENY");
  response.setHeader("cache-control", "no-store");
  return response;
}
