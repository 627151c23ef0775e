import { createServer } from "node:http";
import Provider from "oidc-provider";
import { freePort } from "../cluster/start.ts";

export interface OidcIssuer {
  readonly url: string;
  readonly clientSecret: string;
  close(): Promise<void>;
}

/** An issuer on loopback where everybody logs in by name; groups are those of `people`, and `nobody` has no verified address. */
export async function startOidcIssuer(
  people: { readonly [name: string]: readonly string[] | undefined },
  redirects: readonly string[],
  /** How it can be asked again about somebody: by refresh tokens, at its userinfo endpoint, or not at all. */
  again: "refresh" | "userinfo" | "never" = "userinfo",
): Promise<OidcIssuer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const clientSecret = "a-secret-of-the-test-client";
  const grants = ["authorization_code", ...(again === "refresh" ? ["refresh_token"] : [])];
  const provider = new Provider(url, {
    clients: [{ client_id: "castellan", client_secret: clientSecret, redirect_uris: redirects, grant_types: grants }],
    // Who is taken out of the people has no account any more.
    findAccount: (_context, id) =>
      id in people && people[id] === undefined
        ? undefined
        : {
            accountId: id,
            claims: async () => ({
              sub: id,
              email: `${id}@example.com`,
              email_verified: id !== "nobody",
              groups: people[id] ?? [],
            }),
          },
    features: { userinfo: { enabled: again !== "never" } },
    issueRefreshToken: async () => again === "refresh",
    scopes: ["openid", "profile", "email", "groups"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"], profile: [] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ["a-key-of-the-test-issuer"] },
  });
  const answer = provider.callback();
  const server = createServer((request, response) => void answer(request, response)).listen(port, "127.0.0.1");
  return {
    url,
    clientSecret,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
