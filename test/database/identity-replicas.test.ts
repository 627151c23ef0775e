import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { type IdentityServer, startIdentityServer, TestAuthority, tokenTo } from "../e2e/identity-server.ts";
import { runCli } from "../run-cli.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

const postgres: RunningPostgres | undefined = await startPostgres();

describe.runIf(postgres !== undefined)("two replicas that share a PostgreSQL", () => {
  let directory = "";
  let authority: TestAuthority;
  const stores: Store[] = [];
  const servers: IdentityServer[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "castellan-replicas-"));
    authority = await new TestAuthority(join(directory, "ca")).make();
    const database = (await postgres?.create()) ?? "";
    for (const name of ["one", "two"]) {
      const store = await openPostgres(database);
      stores.push(store);
      const identities = { publicUrl: "http://127.0.0.1:1", developmentUsers: [{ name: "ada", groups: ["team"] }] };
      servers.push(await startIdentityServer({ data: join(directory, name), store, identities, authority }));
    }
  });

  afterAll(async () => {
    for (const server of servers) await server.close();
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

  test("the private keys are different ones and stay where they are", async () => {
    const [one, two] = await Promise.all(["one", "two"].map((name) => readFile(join(directory, name, "token-key.pem"), "utf8")));
    expect(one).not.toBe(two);
    const rows = JSON.stringify(await stores[0]?.db.selectFrom("token_keys").selectAll().execute());
    expect(JSON.parse(rows)).toHaveLength(2);
    expect(rows).not.toContain('\\"d\\"');
  });
});
