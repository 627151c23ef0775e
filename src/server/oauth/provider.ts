import { hash } from "node:crypto";
import type Provider from "oidc-provider";
import type { Configuration, JWK, KoaContextWithOIDC } from "oidc-provider";
import type { Person } from "../../access/person.ts";
import type { JsonObject } from "../../core/json.ts";
import { audiences } from "../../services/access/identity-audiences.ts";
import { claimsOf } from "../../services/access/identity-own-tokens.ts";
import type { Accounts } from "./accounts.ts";
import { codeConfirmationPage, codeInputPage, escaped, page, pageHeaders } from "./pages.ts";
import { clientId, paths, scope } from "./paths.ts";
import { type OauthRecords, RecordsAdapter } from "./records.ts";

export interface ProviderOptions {
  /** The console's address: who issues the tokens. */
  readonly issuer: string;
  /** Tokens are bound to the key that the command line proves to have (RFC 9449). */
  readonly bound: boolean;
  readonly accounts: Accounts;
  readonly records: OauthRecords;
  /** Private, ES256. */
  readonly signingKey: JsonObject;
  /** Called before a token is signed: other replicas must know the key by then. */
  readonly announceKey: () => Promise<void>;
  readonly isLocked: (person: Person) => boolean;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Lifetimes in seconds. */
const accessTokenSeconds = 600;
const codeSeconds = 60;
const loginSeconds = 600;
/** What it is good for ends before, with the login that it belongs to. */
const grantSeconds = 31 * 86_400;

export const sessionCookie = "castellan_oauth";

/**
 * Issues tokens to the command line: authorization code with PKCE on a loopback address (RFC 8252, 7636), device codes (RFC 8628),
 * refresh tokens that change with each use, revocation (RFC 7009). The library is loaded when the first login comes.
 */
export async function createProvider(options: ProviderOptions): Promise<Provider> {
  const { default: OidcProvider, errors } = await import("oidc-provider");
  const used = () => new errors.InvalidGrant("it was used before");
  const noSuchAudience = () => new errors.InvalidTarget();
  const provider = new OidcProvider(options.issuer, {
    ...configuration(options, noSuchAudience),
    adapter: (model: string) => new RecordsAdapter(model, options.records, used),
  });
  // Whether people reach us by TLS is said by the issuer's address: the headers it reads are ours (`forward`).
  provider.proxy = true;
  provider.on("server_error", (_context, error) => options.onError(error));
  return provider;
}

function configuration(
  { bound, accounts, signingKey, announceKey, isLocked, now, issuer }: ProviderOptions,
  noSuchAudience: () => Error,
): Configuration {
  const loopback = ["http://127.0.0.1/callback", "http://[::1]/callback"];
  const grants = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];
  const resourceServer = {
    scope,
    accessTokenFormat: "jwt",
    accessTokenTTL: accessTokenSeconds,
    jwt: { sign: { alg: "ES256" } },
  } as const;
  const known: ReadonlySet<string> = new Set(Object.values(audiences));
  /** Seconds that the login behind a token still has. */
  const secondsLeft = (context: KoaContextWithOIDC | undefined): number => {
    const until = Number(context?.oidc.entities.Account?.["until"]);
    return Number.isFinite(until) ? Math.max(1, Math.floor((until - now()) / 1000)) : loginSeconds;
  };
  const cookie = { httpOnly: true, sameSite: "lax", signed: true, secure: issuer.startsWith("https:") } as const;
  return {
    clients: [
      {
        client_id: clientId,
        client_name: "castellan",
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: grants,
        response_types: ["code"],
        redirect_uris: loopback,
        id_token_signed_response_alg: "ES256",
        dpop_bound_access_tokens: bound,
      },
    ],
    jwks: { keys: [signingKey as JWK] },
    routes: paths,
    scopes: [scope],
    responseTypes: ["code"],
    pkce: { required: () => true },
    cookies: {
      names: { session: sessionCookie, interaction: "castellan_oauth_step", resume: "castellan_oauth_back" },
      long: cookie,
      short: cookie,
      keys: [hash("sha256", `cookies ${JSON.stringify(signingKey)}`)],
    },
    clientBasedCORS: () => false,
    interactions: { url: (_context, { uid }) => `/oauth/interaction/${uid}` },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    // The console's session is what ends them; the library's own lives only for the login.
    expiresWithSession: async () => false,
    findAccount: async (_context, id) => {
      const account = await accounts.find(id);
      if (account === undefined || isLocked(account.person)) return undefined;
      return { accountId: id, until: account.until, claims: async () => ({ sub: id }) };
    },
    formats: {
      customizers: {
        jwt: async (_context, token, { payload }) => {
          const account =
            "accountId" in token && token.accountId !== undefined ? await accounts.find(token.accountId) : undefined;
          if (account === undefined) throw new Error("a token without a login");
          await announceKey();
          // The console sees no client certificates, and takes no other proof.
          if (payload["aud"] === audiences.console) delete payload["cnf"];
          Object.assign(payload, claimsOf(account.person, account.until));
        },
      },
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: codeSeconds,
      DeviceCode: loginSeconds,
      Interaction: loginSeconds,
      Session: loginSeconds,
      Grant: grantSeconds,
      RefreshToken: (context) => secondsLeft(context),
      IdToken: accessTokenSeconds,
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: bound },
      pushedAuthorizationRequests: { enabled: false },
      revocation: { enabled: true, allowedPolicy: async (_context, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audiences.kubernetes,
        useGrantedResource: () => false,
        getResourceServerInfo: (_context, resource) => {
          if (!known.has(resource)) throw noSuchAudience();
          return { ...resourceServer, audience: resource };
        },
      },
      deviceFlow: {
        enabled: true,
        charset: "base-20",
        mask: "****-****",
        userCodeInputSource: (context, form, _out, error) => {
          const problem = error === undefined ? undefined : "This code is not known, was used, or has expired.";
          show(context, codeInputPage(form, problem));
        },
        userCodeConfirmSource: (context, form, _client, _device, code) => show(context, codeConfirmationPage(form, code)),
        successSource: (context) => show(context, page("Logged in", "<p>The command line is logged in. Close this page.</p>")),
      },
    },
    renderError: (context, { error, error_description: description }) =>
      show(
        context,
        page("This did not work", `<p>${escaped(description ?? error)}</p><p>Run <code>castellan login</code> again.</p>`),
      ),
  };
}

function show(context: KoaContextWithOIDC, html: string): void {
  context.set(pageHeaders);
  context.body = html;
}
