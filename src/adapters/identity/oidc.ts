import * as client from "openid-client";
import { identityOfClaims } from "./claims.ts";
import { type OidcSettings, usernamePrefixOf } from "./identities.ts";
import type { Proof } from "./proven-identity.ts";

/** What must be remembered between sending somebody to the issuer and their return. */
export interface OidcAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** A login by authorization code with PKCE (RFC 7636), checked as OpenID Connect Core 3.1 says. */
export interface OidcLogin {
  begin(): Promise<{ readonly url: string; readonly attempt: OidcAttempt }>;
  /** `url` is the address at which the person came back, with the code. Rejects where the issuer or the token is not right. */
  finish(url: URL, attempt: OidcAttempt): Promise<{ readonly proof: Proof; readonly again: AskAgain | undefined }>;
}

/**
 * Asks the issuer again who somebody is who logged in: by the refresh token where it gave one, else at its userinfo endpoint. `gone`: it
 * no longer vouches for this login. `unknown`: it says too little to tell. Rejects where it does not answer.
 */
export type AskAgain = () => Promise<Proof | "gone" | "unknown">;

/** An issuer that takes longer does not answer: people wait for it. */
const answerSeconds = 5;

/** Reads the issuer's configuration; rejects where it cannot be reached. Plain HTTP is for a loopback issuer alone. */
export async function oidcLogin(settings: OidcSettings, secret: string | undefined): Promise<OidcLogin> {
  const issuer = new URL(settings.issuer);
  const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(issuer.hostname);
  const config = await client.discovery(issuer, settings.clientId, secret, secret === undefined ? client.None() : undefined, {
    timeout: answerSeconds,
    execute: isLoopback && issuer.protocol === "http:" ? [client.allowInsecureRequests] : [],
  });
  return {
    async begin() {
      const attempt = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: settings.redirectUrl,
        scope: settings.scopes.join(" "),
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: "S256",
      });
      return { url: url.href, attempt };
    },
    async finish(url, { state, nonce, verifier }) {
      const back = new URL(settings.redirectUrl);
      back.search = url.search;
      const tokens = await client.authorizationCodeGrant(config, back, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const names = {
        ...settings,
        usernamePrefix: usernamePrefixOf(settings),
        groupsPrefix: settings.groupsPrefix ?? "",
        programs: [],
      };
      const claims = tokens.claims() ?? {};
      const proofOf = (said: Claims) => identityOfClaims(said, names, undefined);
      return { proof: proofOf(claims), again: askAgain(config, tokens, claims, settings.groupsClaim, proofOf) };
    },
  };
}

interface Claims {
  readonly [claim: string]: unknown;
}

type Tokens = Awaited<ReturnType<typeof client.refreshTokenGrant>>;

function askAgain(
  config: client.Configuration,
  tokens: Tokens,
  first: Claims,
  groupsClaim: string,
  proofOf: (claims: Claims) => Proof,
): AskAgain | undefined {
  const { sub } = first;
  const hasUserinfo = config.serverMetadata().userinfo_endpoint !== undefined;
  if (typeof sub !== "string" || (tokens.refresh_token === undefined && !hasUserinfo)) return undefined;
  let refresh = tokens.refresh_token;
  const over = performance.now() + (tokens.expires_in ?? Number.POSITIVE_INFINITY) * 1000;
  /** Where it leaves out groups that the login had, they may be lost, or only not be told there. */
  const atUserinfo = async (accessToken: string): Promise<Proof | "unknown"> => {
    const said = await client.fetchUserInfo(config, accessToken, sub);
    if (first[groupsClaim] !== undefined && said[groupsClaim] === undefined) return "unknown";
    const proof = proofOf(said);
    return proof.ok ? proof : "unknown";
  };
  return async () => {
    try {
      if (refresh === undefined) return performance.now() >= over ? "unknown" : await atUserinfo(tokens.access_token);
      const answered = await client.refreshTokenGrant(config, refresh);
      // Many issuers give a new one each time, some leave the old one good.
      refresh = answered.refresh_token ?? refresh;
      const claims = answered.claims();
      if (claims === undefined) return hasUserinfo ? await atUserinfo(answered.access_token) : "unknown";
      return claims.sub === sub ? proofOf(claims) : "gone";
    } catch (error) {
      if (isRefusal(error)) return "gone";
      throw error;
    }
  };
}

/** The issuer has answered, and does not take the token any more. */
const isRefusal = (error: unknown): boolean =>
  (error instanceof client.ResponseBodyError && error.error === "invalid_grant") ||
  (error instanceof client.WWWAuthenticateChallengeError && error.status === 401);
