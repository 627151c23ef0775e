import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { freePort } from "../cluster/start.ts";
import { FetchBrowser } from "../e2e/fetch-browser.ts";
import { type IdentityServer, startIdentityServer, TestAuthority, tokenTo } from "../e2e/identity-server.ts";
import { type OidcIssuer, startOidcIssuer } from "../e2e/oidc-issuer.ts";
import { runCli } from "../run-cli.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

const postgres: RunningPostgres | undefined = await startPostgres();

/** As an Ingress does it: each request goes to the next replica. */
function balance(replicas: readonly IdentityServer[]): Server {
  let turn = 0;
  return createServer((asked, answer) => {
    const { method = "GET", headers } = asked;
    const upstream = request(`${replicas[turn++ % replicas.length]?.url}${asked.url}`, { method, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
      answered.pipe(answer);
    });
    upstream.once("error", () => answer.destroy());
    asked.pipe(upstream);
  });
}

describe.runIf(postgres !== undefined)("two replicas that share a PostgreSQL", () => {
  let directory = "";
  let authority: TestAuthority;
  const stores: Store[] = [];
  const servers: IdentityServer[] = [];
  const people: { vera: readonly string[] } = { vera: ["readers"] };
  let issuer: OidcIssuer;
  let front = "";
  let balancer: Server;

  beforeAll(async () => {
    const port = await freePort();
    front = `http://127.0.0.1:${port}`;
    const redirectUrl = `${front}/login/callback`;
    issuer = await startOidcIssuer(people, [redirectUrl]);
    const client = { clientId: "castellan", clientSecretEnv: "CLIENT_SECRET" };
    const oidc = { issuer: issuer.url, ...client, redirectUrl, groupsMaxAge: "2s" };
    directory = await mkdtemp(join(tmpdir(), "castellan-replicas-"));
    authority = await new TestAuthority(join(directory, "ca")).make();
    const database = (await postgres?.create()) ?? "";
    for (const name of ["one", "two"]) {
      const store = await openPostgres(database);
      stores.push(store);
      const identities = { publicUrl: "http://127.0.0.1:1", developmentUsers: [{ name: "ada", groups: ["team"] }], oidc };
      const env = { CLIENT_SECRET: issuer.clientSecret };
      servers.push(await startIdentityServer({ data: join(directory, name), store, identities, authority, env }));
    }
    balancer = balance(servers).listen(port, "127.0.0.1");
  });

  afterAll(async () => {
    balancer.close();
    for (const server of servers) await server.close();
    await issuer.close();
    for (const store of stores) await store.close();
    await postgres?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test("each takes the tokens that the other has signed, renews them, and ends its logins", async () => {
    const [one, two] = servers;
    if (one === undefined || two === undefined) throw new Error("no servers");
    const io = { env: { HOME: join(directory, "home") }, now: Date.now };
    expect((await runCli(["login", "--server", one.url, "--as", "ada"], io)).code).toBe(0);
    const credential = await runCli(["kube-credential", "--server", one.url], io);
    const { token } = JSON.parse(credential.out).status;
    for (const server of servers) {
      expect(await tokenTo(server.gateway, authority, token)).toMatchObject({ status: 200, body: { person: { user: "ada" } } });
    }
    const { servers: logins } = JSON.parse(await readFile(join(directory, "home/.config/castellan/logins.json"), "utf8"));
    const form = { client_id: "castellan-cli", grant_type: "refresh_token", resource: "urn:castellan:kubernetes" };
    const renew = async (server: IdentityServer, refresh: string) => {
      const body = new URLSearchParams({ ...form, refresh_token: refresh });
      return (await fetch(`${server.url}/oauth/token`, { method: "POST", body })).json();
    };
    const refresh = logins[one.url].refreshToken;
    const renewed = z.object({ access_token: z.string(), refresh_token: z.string() }).parse(await renew(two, refresh));
    expect((await tokenTo(one.gateway, authority, renewed.access_token)).status).toBe(200);
    // Once used at either of them it is used at both, and the login ends.
    expect(await renew(one, refresh)).toMatchObject({ error: "invalid_grant" });
    expect(await renew(two, renewed.refresh_token)).toMatchObject({ error: "invalid_grant" });
  });

  const veraLogin = async (browser: FetchBrowser) => {
    const form = await browser.open(`${front}/login`);
    const consent = await browser.submit(form.url, { prompt: "login", login: "vera", password: "any" });
    return browser.submit(consent.url, { prompt: "consent" });
  };

  test("groups that the issuer takes away are gone at both, though it tells only the one at which somebody logged in", async () => {
    const browser = new FetchBrowser();
    await veraLogin(browser);
    const cookie = `castellan_session=${browser.cookie(front, "castellan_session")}`;
    const ask = async (path: string) =>
      Promise.all(servers.map(async ({ url }) => (await fetch(`${url}${path}`, { headers: { cookie } })).json()));
    people.vera = ["writers"];
    await setTimeout(1100);
    await ask("/api/v1/me");
    const groups = { user: { groups: ["writers"] } };
    expect(await ask("/api/v1/session")).toMatchObject([groups, groups]);
  });

  test.each([
    ["by name", (browser: FetchBrowser) => browser.open(`${front}/login/as/ada`)],
    ["at an issuer, whose answer comes to another one than asked", veraLogin],
  ])("who logs in %s is logged in at both, until they log out at one", async (_, login) => {
    const browser = new FetchBrowser();
    await login(browser);
    const everywhere = async () => {
      const answers = [1, 2, 3, 4].map(() => browser.open(`${front}/api/v1/me`));
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    expect(await everywhere()).toEqual([200, 200, 200, 200]);
    const session = browser.cookie(front, "castellan_session") ?? "";
    const { csrfToken } = JSON.parse((await browser.open(`${front}/api/v1/session`)).text);
    const logout = (token: string) =>
      browser.open(`${front}/api/v1/logout`, { method: "POST", headers: { "x-csrf-token": token } });
    expect([(await logout("")).status, (await logout("")).status]).toEqual([403, 403]);
    expect((await logout(csrfToken)).status).toBe(204);
    const old = await Promise.all(
      servers.map(({ url }) => fetch(`${url}/api/v1/me`, { headers: { cookie: `castellan_session=${session}` } })),
    );
    expect(old.map(({ status }) => status)).toEqual([401, 401]);
    expect(JSON.stringify(await stores[0]?.db.selectFrom("oauth_records").selectAll().execute())).not.toContain(session);
  });

  test("the private keys are different ones and stay where they are", async () => {
    const [one, two] = await Promise.all(["one", "two"].map((name) => readFile(join(directory, name, "token-key.pem"), "utf8")));
    expect(one).not.toBe(two);
    const rows = JSON.stringify(await stores[0]?.db.selectFrom("token_keys").selectAll().execute());
    expect(JSON.parse(rows)).toHaveLength(2);
    expect(rows).not.toContain('\\"d\\"');
  });
});
