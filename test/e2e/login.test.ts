import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../cluster/start.ts";
import { runCli } from "../run-cli.ts";
import { FetchBrowser } from "./fetch-browser.ts";
import { type OidcIssuer, startOidcIssuer } from "./oidc-issuer.ts";

const castellan = join(import.meta.dirname, "../../src/cli/main.ts");
const people: { readonly [name: string]: readonly string[] } = {
  ada: ["platform"],
  vera: ["readers"],
  odo: ["auditors"],
  nobody: ["strangers"],
};
let directory = "";
let issuer: OidcIssuer;
const servers: ChildProcess[] = [];
const redirects: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-login-"));
  await writeFile(join(directory, "namespace.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: nlp}\n");
  for (let i = 0; i < 2; i++) redirects.push(`http://127.0.0.1:${await freePort()}/login/callback`);
  issuer = await startOidcIssuer(people, redirects);
});

afterAll(async () => {
  for (const server of servers) server.kill("SIGKILL");
  await issuer.close();
  await rm(directory, { recursive: true, force: true });
});

/** A server with an identities file; answers where it is. */
async function serve(name: string, listen: string, identities: object): Promise<string> {
  const file = join(directory, `${name}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: "castellan.dev/v1alpha1", kind: "Identities", ...identities }));
  const flags = ["--files", join(directory, "namespace.yaml"), "--data", join(directory, name), "--listen", listen];
  const child = spawn(process.execPath, [castellan, "serve", ...flags, "--identities", file], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, CLIENT_SECRET: issuer.clientSecret },
  });
  servers.push(child);
  return new Promise((resolve, reject) => {
    let text = "";
    child.stderr.on("data", (chunk) => {
      text += String(chunk);
      const found = /console:?\s+(?:at )?(http:\/\/[^/\s]+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error(text)));
  });
}

async function login(
  origin: string,
  name: string,
): Promise<{ browser: FetchBrowser; last: { status: number; text: string; url: string } }> {
  const browser = new FetchBrowser();
  const form = await browser.open(`${origin}/login`);
  expect(form.url).toContain(`${issuer.url}/interaction/`);
  const consent = await browser.submit(form.url, { prompt: "login", login: name, password: "any" });
  return { browser, last: await browser.submit(consent.url, { prompt: "consent" }) };
}

const roles = {
  viewer: { groups: ["readers"] },
  auditor: { groups: ["auditors"] },
  admin: { groups: ["platform"] },
};

describe("a login at an OpenID Connect issuer", () => {
  let origin = "";
  beforeAll(async () => {
    const redirectUrl = redirects[0] ?? "";
    const oidc = { issuer: issuer.url, clientId: "castellan", clientSecretEnv: "CLIENT_SECRET", redirectUrl };
    origin = await serve("oidc", new URL(redirectUrl).host, { oidc, roles });
  });

  test("roles come from groups, and routes ask for them", async () => {
    const answers: { [name: string]: readonly unknown[] } = {};
    for (const name of ["ada", "vera", "odo"]) {
      const { browser } = await login(origin, name);
      const session = await browser.open(`${origin}/api/v1/session`);
      const { user, csrfToken } = JSON.parse(session.text);
      const body = JSON.stringify({ policy: "none", to: "enforce" });
      const promote = (token: string) =>
        browser.open(`${origin}/api/v1/policies/promote`, {
          method: "POST",
          body,
          headers: { "content-type": "application/json", "x-csrf-token": token },
        });
      answers[name] = [
        user.name,
        user.roles,
        (await browser.open(`${origin}/api/v1/findings`)).status,
        (await browser.open(`${origin}/api/v1/audit/records`)).status,
        (await promote("")).status,
        (await promote(csrfToken)).status,
      ];
    }
    expect(answers).toEqual({
      ada: ["ada@example.com", ["admin"], 200, 200, 403, 404],
      vera: ["vera@example.com", ["viewer"], 200, 403, 403, 403],
      odo: ["odo@example.com", ["auditor"], 200, 200, 403, 403],
    });
  });

  test("a stranger's CSRF token is of no use, and a logout ends the session", async () => {
    const { browser } = await login(origin, "ada");
    const other = await login(origin, "ada");
    const tokenOf = async (who: FetchBrowser) => JSON.parse((await who.open(`${origin}/api/v1/session`)).text).csrfToken;
    const logout = (token: string) =>
      browser.open(`${origin}/api/v1/logout`, { method: "POST", headers: { "x-csrf-token": token } });
    const own = await tokenOf(browser);
    expect((await logout(await tokenOf(other.browser))).status).toBe(403);
    expect((await logout(own)).status).toBe(204);
    expect((await browser.open(`${origin}/api/v1/findings`)).status).toBe(401);
  });

  test("an address that is not verified is refused, as is an answer that nobody asked for", async () => {
    const refused = await login(origin, "nobody");
    expect([refused.last.status, refused.last.text]).toEqual([401, expect.stringContaining("LOGIN_REFUSED")]);
    expect(refused.browser.cookie(origin, "castellan_session")).toBeUndefined();
    const forged = await new FetchBrowser().open(`${origin}/login/callback?code=x&state=y`);
    expect([forged.status, forged.text]).toEqual([401, expect.stringContaining("LOGIN_EXPIRED")]);
  });

  test("cookies are out of reach of scripts and of other sites", async () => {
    const { browser } = await login(origin, "vera");
    const session = browser.setCookies.find((line) => line.startsWith("castellan_session="));
    expect(session).toMatch(/HttpOnly/);
    expect(session).toMatch(/SameSite=Strict/);
    expect(session).not.toMatch(/Secure/);
  });
});

describe("development users", () => {
  const identities = { developmentUsers: [{ name: "dev", groups: ["castellan:auditor"] }, { name: "guest" }] };

  test("log in by name on loopback", async () => {
    const origin = await serve("development", "127.0.0.1:0", identities);
    const statuses: number[] = [];
    for (const name of ["dev", "guest", "stranger"]) {
      const browser = new FetchBrowser();
      await browser.open(`${origin}/login/as/${name}`);
      statuses.push((await browser.open(`${origin}/api/v1/audit/records`)).status);
    }
    expect(statuses).toEqual([200, 403, 401]);
  });

  test.each([
    ["development users elsewhere", identities, "--insecure-development-identities"],
    ["an unknown field", { ...identities, admins: [] }, "admins"],
    ["nobody", {}, "nobody could log in"],
    [
      "a secret that is not there",
      {
        oidc: {
          issuer: "http://127.0.0.1:1",
          clientId: "c",
          clientSecretEnv: "NO",
          redirectUrl: "https://c.example/login/callback",
        },
      },
      "NO is not set",
    ],
  ])("refused: %s", async (_, wrong, says) => {
    const file = join(directory, "wrong.json");
    await writeFile(file, JSON.stringify({ apiVersion: "castellan.dev/v1alpha1", kind: "Identities", ...wrong }));
    const data = join(await mkdtemp(join(directory, "d-")), "data");
    const { code, err } = await runCli([
      "serve",
      "--files",
      join(directory, "namespace.yaml"),
      "--data",
      data,
      "--listen",
      "0.0.0.0:0",
      "--identities",
      file,
    ]);
    expect([code, err]).toEqual([3, expect.stringContaining(says)]);
  });
});
