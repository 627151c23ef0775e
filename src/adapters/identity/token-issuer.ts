import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWTVerifyGetKey } from "jose";
import { Agent, fetch } from "undici";
import { identityOfClaims } from "./claims.ts";
import { type TokenIssuerSettings, usernamePrefixOf } from "./identities.ts";
import type { TokenVerifier } from "./proven-identity.ts";
import { verifySigned } from "./signed-token.ts";

const discoveryTimeout = 5000;
/** So long an issuer that did not answer is not asked again. */
const retryMilliseconds = 5000;
/** So long its configuration is believed. */
const configurationLifetime = 3_600_000;

const isLoopback = (url: URL) => ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);

/**
 * Checks bearer tokens of an OpenID Connect issuer (Discovery 1.0, RFC 9068 where it applies). Keys are fetched when a token needs
 * them, kept for ten minutes, and fetched again for a key that is not known, at most every 30 seconds. `ca` is PEM.
 */
export function tokenIssuer(settings: TokenIssuerSettings, ca: string | undefined, now: () => number): TokenVerifier {
  const names = { ...settings, usernamePrefix: usernamePrefixOf(settings), groupsPrefix: settings.groupsPrefix ?? "" };
  const agent = new Agent(ca === undefined ? {} : { connect: { ca, allowPartialTrustChain: true } });
  const keys = issuerKeys(settings.issuer, agent, now);
  return {
    issuer: () => settings.issuer,
    verify: (token) =>
      verifySigned(
        token,
        keys,
        { issuer: settings.issuer, audiences: settings.audiences, algorithms: settings.signingAlgorithms, now },
        (claims, until) => {
          for (const [claim, value] of Object.entries(settings.requiredClaims)) {
            if (claims[claim] !== value) return `the token's ${claim} is not the one that this server asks for`;
          }
          return identityOfClaims(claims, names, until);
        },
      ),
  };
}

/** Keys of an issuer, found by its configuration when the first token comes. */
function issuerKeys(issuer: string, dispatcher: Agent, now: () => number): () => Promise<JWTVerifyGetKey> {
  let known: { readonly keys: Promise<JWTVerifyGetKey>; readonly until: number } | undefined;
  // Types of undici and of the platform differ in nothing that is used.
  const ask: FetchImplementation = async (url, { headers, method, redirect, signal }) =>
    (await fetch(url, { headers: [...headers], method, redirect, signal, dispatcher })) as unknown as Response;

  async function discover(): Promise<JWTVerifyGetKey> {
    const base = new URL(issuer);
    if (base.protocol !== "https:" && !isLoopback(base)) throw new Error("an issuer must be asked by https");
    const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const response = await fetch(address, { dispatcher, redirect: "error", signal: AbortSignal.timeout(discoveryTimeout) });
    if (!response.ok) throw new Error(`its configuration was answered with ${response.status}`);
    const configuration: unknown = await response.json();
    const { issuer: named, jwks_uri: uri } = Object(configuration) as { issuer?: unknown; jwks_uri?: unknown };
    if (named !== issuer) throw new Error("its configuration names another issuer");
    if (typeof uri !== "string" || !URL.canParse(uri)) throw new Error("its configuration names no keys");
    const url = new URL(uri);
    if (url.protocol !== "https:" && !isLoopback(url)) throw new Error("its keys must be asked for by https");
    return createRemoteJWKSet(url, { timeoutDuration: discoveryTimeout, cooldownDuration: 30_000, [customFetch]: ask });
  }

  return () => {
    if (known !== undefined && now() < known.until) return known.keys;
    const keys = discover();
    known = { keys, until: now() + configurationLifetime };
    keys.catch(() => {
      known = { keys, until: now() + retryMilliseconds };
    });
    return keys;
  };
}
