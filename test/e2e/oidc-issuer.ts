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
  people: { readonly [name: string]: readonly string[] },
  redirects: readonly string[],
): Promise<OidcIssuer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const clientSecret = "a-secret-of-the-test-client";
  const provider = new Provider(url, {
    clients: [{ client_id: "castellan", client_secret: clientSecret, redirect_uris: redirects }],
    findAccount: (_context, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: id !== "nobody", groups: people[id] ?? [] }),
    }),
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
