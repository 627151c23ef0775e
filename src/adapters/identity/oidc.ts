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
  finish(url: URL, attempt: OidcAttempt): Promise<Proof>;
}

/** Reads the issuer's configuration; rejects where it cannot be reached. Plain HTTP is for a loopback issuer alone. */
export async function oidcLogin(settings: OidcSettings, secret: string | undefined): Promise<OidcLogin> {
  const issuer = new URL(settings.issuer);
  const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(issuer.hostname);
  const config = await client.discovery(issuer, settings.clientId, secret, secret === undefined ? client.None() : undefined, {
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
      return identityOfClaims(tokens.claims() ?? {}, names, undefined);
    },
  };
}
