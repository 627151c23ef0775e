import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium, type Page as RealPage } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { controlPlaneBinaries } from "../cluster/binaries.ts";
import { freePort } from "../cluster/start.ts";
import { type CliResult, runCli } from "../run-cli.ts";
import { violations } from "./accessibility.ts";
import { FetchBrowser, type Page } from "./fetch-browser.ts";
import { type IdentityServer, startIdentityServer, TestAuthority, tokenTo } from "./identity-server.ts";
import { type OidcIssuer, startOidcIssuer } from "./oidc-issuer.ts";

const run = promisify(execFile);
const people = { ada: ["/platform/admins", "engineering"], vera: ["readers"], mallory: ["system:masters"] };
const humans = new Map([["ada@example.com", "ada"]]);
const locked = new Set<string>();

let directory = "";
let issuer: OidcIssuer;
let store: Store;
let server: IdentityServer;
let authority: TestAuthority;
let port = 0;

const start = async (identities: object, wantedPort = port) =>
  startIdentityServer({
    data: join(directory, "data"),
    store,
    identities,
    port: wantedPort,
    env: { CLIENT_SECRET: issuer.clientSecret },
    locked,
    directory: (_key, email) => humans.get(email ?? ""),
    authority,
  });

const oidc = () => ({
  oidc: {
    issuer: issuer.url,
    clientId: "castellan",
    clientSecretEnv: "CLIENT_SECRET",
    redirectUrl: `http://127.0.0.1:${port}/login/callback`,
    usernamePrefix: "corp:",
  },
  roles: { viewer: { groups: ["engineering"] } },
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-identity-"));
  port = await freePort();
  issuer = await startOidcIssuer(people, [`http://127.0.0.1:${port}/login/callback`]);
  store = await openSqlite(join(directory, "store"));
  authority = await new TestAuthority(join(directory, "ca")).make();
  server = await start(oidc());
});

afterAll(async () => {
  await server.close();
  await store.close();
  await issuer.close();
  await rm(directory, { recursive: true, force: true });
});

/** A computer of somebody: its home, and its command line. */
class Computer {
  readonly home: string;
  err = "";
  constructor(home: string) {
    this.home = home;
  }
  static async make(): Promise<Computer> {
    return new Computer(await mkdtemp(join(directory, "home-")));
  }
  async run(...argv: string[]): Promise<CliResult> {
    this.err = "";
    const err = (text: string) => {
      this.err += text;
    };
    const result = await runCli(argv, { env: { HOME: this.home }, now: Date.now, err });
    return { ...result, err: this.err };
  }
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (let i = 0; i < 200; i++) {
      const found = pattern.exec(this.err);
      if (found !== null) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`it never said ${pattern}: ${this.err}`);
  }
  get file(): string {
    return join(this.home, ".config/castellan/logins.json");
  }
  async credential(): Promise<{ readonly token: string; readonly expirationTimestamp: string }> {
    const { code, out, err } = await this.run("kube-credential", "--server", server.url);
    if (code !== 0) throw new Error(err);
    const { apiVersion, kind, status } = JSON.parse(out);
    expect([apiVersion, kind]).toEqual(["client.authentication.k8s.io/v1", "ExecCredential"]);
    return status;
  }
}

/** Logs in at the issuer as it asks to, and answers the page after that. */
async function throughIssuer(browser: FetchBrowser, page: Page, name: string): Promise<Page> {
  expect(page.url).toContain(`${issuer.url}/interaction/`);
  const consent = await browser.submit(page.url, { prompt: "login", login: name, password: "any" });
  return browser.submit(consent.url, { prompt: "consent" });
}

async function browserLogin(computer: Computer, name: string, browser = new FetchBrowser()): Promise<CliResult> {
  const ended = computer.run("login", "--server", server.url, "--no-browser");
  const [, url = ""] = await computer.said(/log in at (\S+)/);
  await computer.said(/where this machine has none, stop and use castellan login --device/);
  const confirmation = await throughIssuer(browser, await browser.open(url), name);
  expect(confirmation.text).toContain(`act as <strong>corp:${name}@example.com</strong>`);
  expect((await browser.send(confirmation, { answer: "allow" })).text).toContain("has come back");
  return ended;
}

const whoAmI = (token: string) => tokenTo(server.gateway, authority, token);

const token = (form: { readonly [name: string]: string }) =>
  fetch(`${server.url}/oauth/token`, { method: "POST", body: new URLSearchParams({ client_id: "castellan-cli", ...form }) });

describe("castellan login in the browser (PKCE on a loopback address)", () => {
  test("gives kubectl a token that names the person as their issuer does, with exact groups (T51, T52)", async () => {
    const computer = await Computer.make();
    const { code, err } = await browserLogin(computer, "ada");
    expect([code, err]).toEqual([0, expect.stringContaining("logged in to")]);
    const { token, expirationTimestamp } = await computer.credential();
    const { status, body } = await whoAmI(token);
    expect([status, body]).toEqual([
      200,
      {
        ok: true,
        person: {
          issuer: issuer.url,
          subject: "ada",
          user: "corp:ada@example.com",
          groups: ["/platform/admins", "engineering"],
          groupsAt: expect.any(Number),
          human: "ada",
          isProgram: false,
          email: "ada@example.com",
          until: expect.any(Number),
        },
      },
    ]);
    const lives = Date.parse(expirationTimestamp) - Date.now();
    expect(lives).toBeGreaterThan(60_000);
    expect(lives).toBeLessThanOrEqual(600_000);
  });

  test("a token for the gateway is of no use at the console, nor the other way round (T10)", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "ada");
    const { token: forGateway } = await computer.credential();
    const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
    const forConsole = servers[server.url].tokens["urn:castellan:console"].token;
    const console = async (token: string) =>
      (await fetch(`${server.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await console(forConsole), await console(forGateway)]).toEqual([200, 401]);
    expect([(await whoAmI(forGateway)).status, (await whoAmI(forConsole)).status]).toEqual([200, 401]);
  });

  test("files that hold tokens are for their owner alone, and tokens live for ten minutes (T50)", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "vera");
    const { mode } = await stat(computer.file);
    expect(mode & 0o777).toBe(0o600);
    expect((await stat(join(computer.home, ".config/castellan"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, "data/token-key.pem"))).mode & 0o777).toBe(0o600);
    const { token } = await computer.credential();
    const { iat, exp } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(exp - iat).toBe(600);
    await chmod(computer.file, 0o644);
    const { code, err } = await computer.run("kube-credential", "--server", server.url);
    expect([code, err]).toEqual([3, expect.stringContaining("others may read")]);
  });

  test("a refresh token works once; its second use ends the login (T50)", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "vera");
    const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
    const stolen = { grant_type: "refresh_token", refresh_token: servers[server.url].refreshToken };
    expect((await token(stolen)).status).toBe(200);
    expect(await (await token(stolen)).json()).toMatchObject({ error: "invalid_grant" });
    const { code, err } = await computer.run("kube-credential", "--server", server.url);
    expect([code, err]).toEqual([3, expect.stringContaining("run castellan login")]);
  });

  test("of two uses of a refresh token at once, one is refused (T50)", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "vera");
    const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
    const form = { grant_type: "refresh_token", refresh_token: servers[server.url].refreshToken };
    const statuses = await Promise.all([token(form), token(form), token(form)].map(async (answer) => (await answer).status));
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(1);
  });

  test("many commands at once renew a token once, and all get it", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "vera");
    const io = { env: { HOME: computer.home }, now: Date.now };
    const answers = await Promise.all([1, 2, 3, 4].map(() => runCli(["kube-credential", "--server", server.url], io)));
    expect(answers.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(new Set(answers.map(({ out }) => JSON.parse(out).status.token)).size).toBe(1);
  });

  test("logout ends the login at the server too", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "vera");
    const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
    expect((await computer.run("logout")).code).toBe(0);
    const answer = await token({ grant_type: "refresh_token", refresh_token: servers[server.url].refreshToken });
    expect(await answer.json()).toMatchObject({ error: "invalid_grant" });
    expect(await readFile(computer.file, "utf8")).not.toContain(servers[server.url].refreshToken);
  });

  test("a person whose identity provider says system:masters cannot log in (T06)", async () => {
    const computer = await Computer.make();
    const ended = computer.run("login", "--server", server.url, "--no-browser");
    const [, url = ""] = await computer.said(/log in at (\S+)/);
    const browser = new FetchBrowser();
    const page = await throughIssuer(browser, await browser.open(url), "mallory");
    expect([page.status, page.text]).toEqual([403, expect.stringContaining("begins with system:")]);
    expect(page.text).not.toContain("masters");
    const callback = /redirect_uri=([^&]+)/.exec(url)?.[1] ?? "";
    const state = /state=([^&]+)/.exec(url)?.[1] ?? "";
    const back = new URLSearchParams({ error: "access_denied", state, iss: server.url });
    await fetch(`${decodeURIComponent(callback)}?${back}`);
    expect((await ended).code).toBe(3);
  });

  test("the answer must be of this login, and of this server", async () => {
    for (const change of [{ state: "x" }, { iss: "http://elsewhere.example" }]) {
      const computer = await Computer.make();
      const ended = computer.run("login", "--server", server.url, "--no-browser");
      const [, url = ""] = await computer.said(/log in at (\S+)/);
      const asked = new URL(url).searchParams;
      const back = new URLSearchParams({ code: "stolen", state: asked.get("state") ?? "", iss: server.url, ...change });
      await fetch(`${asked.get("redirect_uri")}?${back}`);
      expect([(await ended).code, computer.err]).toEqual([3, expect.stringContaining("not of the login that was begun here")]);
    }
  });

  test("nothing is allowed by a GET, nor by a form of another site", async () => {
    const computer = await Computer.make();
    const ended = computer.run("login", "--server", server.url, "--no-browser");
    const [, url = ""] = await computer.said(/log in at (\S+)/);
    const browser = new FetchBrowser();
    const page = await throughIssuer(browser, await browser.open(url), "vera");
    expect((await browser.open(`${page.url}?answer=allow`)).text).toContain("asks to act as");
    expect((await browser.submit(page.url, { answer: "allow" })).status).toBe(403);
    expect((await browser.submit(page.url, { answer: "allow", _csrf: "x" })).status).toBe(403);
    const stranger = new FetchBrowser();
    const lured = await throughIssuer(stranger, await stranger.open(page.url), "ada");
    expect([lured.status, lured.text]).toEqual([400, expect.stringContaining("begun in another browser")]);
    await browser.send(page, { answer: "refuse" });
    expect([(await ended).code, computer.err]).toEqual([3, expect.stringContaining("the login was refused")]);
  });

  test.each([
    ["without PKCE", { code_challenge: "" }],
    ["with the plain challenge", { code_challenge_method: "plain" }],
    ["for another program", { client_id: "other" }],
    ["to an address that is no loopback", { redirect_uri: "http://evil.example/callback" }],
    ["to another path", { redirect_uri: "http://127.0.0.1:9/elsewhere" }],
    ["for another audience", { resource: "urn:other" }],
    ["by an implicit grant", { response_type: "token" }],
  ])("an authorization %s is refused", async (_, change) => {
    const verifier = randomBytes(32).toString("base64url");
    const query = new URLSearchParams({
      response_type: "code",
      client_id: "castellan-cli",
      redirect_uri: "http://127.0.0.1:9/callback",
      scope: "access",
      state: "s",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      resource: "urn:castellan:kubernetes",
      ...change,
    });
    const answer = await fetch(`${server.url}/oauth/authorize?${query}`, { redirect: "manual" });
    const location = answer.headers.get("location") ?? "";
    expect(location).not.toContain("/oauth/interaction/");
    expect(answer.status === 400 || /^http:\/\/127\.0\.0\.1:9\/callback[?#]error=/.test(location)).toBe(true);
  });
});

describe("castellan login --device", () => {
  async function begin(computer: Computer) {
    const ended = computer.run("login", "--server", server.url, "--device");
    const [, where = "", code = ""] = await computer.said(/open (\S+) and type the code (\S+)/);
    return { ended, where, code };
  }

  test("a code that is typed in a browser elsewhere, confirmed twice by POST", async () => {
    const computer = await Computer.make();
    const { ended, where, code } = await begin(computer);
    const browser = new FetchBrowser();
    const shown = await browser.open(where);
    const confirm = await browser.send(shown, { user_code: code });
    expect(confirm.text).toContain(code);
    const login = await browser.send(confirm, {});
    const page = await throughIssuer(browser, login, "ada");
    expect(page.text).toContain("that showed you a code");
    expect((await browser.send(page, { answer: "allow" })).text).toContain("is logged in");
    expect((await ended).code).toBe(0);
    expect((await whoAmI((await computer.credential()).token)).body.person).toMatchObject({ user: "corp:ada@example.com" });
  });

  test("an address with the code does nothing by itself, and a form without its token neither", async () => {
    const computer = await Computer.make();
    const { ended, where, code } = await begin(computer);
    const browser = new FetchBrowser();
    const page = await browser.open(`${where}?user_code=${code}`);
    expect(page.text).not.toContain("asks to act as");
    expect((await browser.submit(where, { user_code: code, confirm: "yes", xsrf: "x" })).text).not.toContain("asks to act as");
    const refused = await browser.send(await browser.send(await browser.open(where), { user_code: code }), { abort: "yes" });
    expect(refused.status).toBeLessThan(500);
    expect([(await ended).code, computer.err]).toEqual([3, expect.stringContaining("the login was refused")]);
  });

  test("a wrong code is answered with the form", async () => {
    const browser = new FetchBrowser();
    const page = await browser.send(await browser.open(`${server.url}/oauth/device`), { user_code: "AAAA-BBBB" });
    expect(page.text).toContain("not known");
  });
});

describe("locks and restarts", () => {
  test("a lock refuses the next request, the next token and the next login (T45)", async () => {
    const computer = await Computer.make();
    const before = new FetchBrowser();
    await browserLogin(computer, "ada", before);
    expect((await before.open(`${server.url}/api/v1/me`)).status).toBe(200);
    const { token: alive } = await computer.credential();
    expect((await whoAmI(alive)).status).toBe(200);
    locked.add("ada");
    try {
      expect(await whoAmI(alive)).toMatchObject({ status: 403, body: { code: "IDENTITY_LOCKED" } });
      const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
      const answer = await token({ grant_type: "refresh_token", refresh_token: servers[server.url].refreshToken });
      expect(await answer.json()).toMatchObject({ error: "invalid_grant" });
      expect((await before.open(`${server.url}/api/v1/me`)).status).toBe(403);
      const browser = new FetchBrowser();
      const page = await throughIssuer(browser, await browser.open(`${server.url}/login`), "ada");
      expect([page.status, page.text]).toEqual([403, expect.stringContaining("locked")]);
    } finally {
      locked.delete("ada");
    }
  });

  test("a login outlives a restart of the server; in the browser, unless it comes back with other settings", async () => {
    const computer = await Computer.make();
    const browser = new FetchBrowser();
    await browserLogin(computer, "vera", browser);
    const me = async () => (await browser.open(`${server.url}/api/v1/me`)).status;
    await server.close();
    server = await start(oidc());
    expect((await whoAmI((await computer.credential()).token)).status).toBe(200);
    expect(await me()).toBe(200);
    await server.close();
    server = await start({ ...oidc(), roles: { viewer: { users: ["nobody"] } } });
    expect(await me()).toBe(401);
    await server.close();
    server = await start(oidc());
  });

  test("groups that are taken away at the issuer are not in the next token, and its age is that of the issuer's word", async () => {
    const computer = await Computer.make();
    const identities = oidc();
    await server.close();
    server = await start({ ...identities, oidc: { ...identities.oidc, groupsMaxAge: "2s" } });
    const loggedIn = Date.now();
    await browserLogin(computer, "ada");
    people.ada = ["engineering"];
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
    const answer = await token({ grant_type: "refresh_token", refresh_token: servers[server.url].refreshToken });
    const { access_token } = (await answer.json()) as { readonly access_token: string };
    const { person } = (await whoAmI(access_token)).body as { readonly person: { groups: string[]; groupsAt: number } };
    expect(person.groups).toEqual(["engineering"]);
    expect(person.groupsAt).toBeGreaterThan(loggedIn + 1000);
    people.ada = ["/platform/admins", "engineering"];
    await server.close();
    server = await start(oidc());
  });

  test("the database holds no token and no code in clear text (T50)", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "vera");
    const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
    const rows = JSON.stringify(await store.db.selectFrom("oauth_records").selectAll().execute());
    expect(rows.length).toBeGreaterThan(100);
    expect(rows).not.toContain(servers[server.url].refreshToken);
    // A signed token has two parts that begin so; one alone may be chance in a random identifier.
    expect(rows).not.toMatch(/eyJ[\w-]+\.eyJ/);
  });

  test("no token, code or group is in the log (T61)", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "ada");
    const { token } = await computer.credential();
    await whoAmI(`${token}x`);
    await whoAmI("canary-token");
    const text = server.log.join("\n") + computer.err.replace(/log in at \S+/, "");
    for (const secret of [token, "canary-token", "platform/admins", "mallory"]) expect(text).not.toContain(secret);
  });
});

describe("limits", () => {
  test("logins that are begun from one address are counted, so that nobody fills the database", async () => {
    const other = await start({ developmentUsers: [{ name: "dev" }] }, 0);
    try {
      const begin = () =>
        fetch(`${other.url}/oauth/device/authorization`, {
          method: "POST",
          body: new URLSearchParams({ client_id: "castellan-cli", scope: "access" }),
        });
      const statuses = new Map<number, number>();
      for (let i = 0; i < 260; i++) {
        const { status } = await begin();
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
      // A new minute may begin in between.
      expect(statuses.get(200)).toBeLessThanOrEqual(240);
      expect(statuses.get(429)).toBeGreaterThanOrEqual(20);
    } finally {
      await other.close();
    }
  });
});

describe("development users", () => {
  test("log in without a browser, keep their roles here, and reach the gateway without them", async () => {
    const developmentUsers = [{ name: "dev", groups: ["castellan:viewer", "team"] }];
    const other = await start({ developmentUsers }, 0);
    try {
      const computer = await Computer.make();
      expect((await computer.run("login", "--server", other.url, "--as", "dev")).code).toBe(0);
      const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
      const bearer = { authorization: `Bearer ${servers[other.url].tokens["urn:castellan:console"].token}` };
      expect((await fetch(`${other.url}/api/v1/me`, { headers: bearer })).status).toBe(200);
      const browser = new FetchBrowser();
      const ended = computer.run("login", "--server", other.url, "--no-browser");
      const [, url = ""] = await computer.said(/log in at (\S+)/);
      const list = await browser.open(url);
      const link = /href="(\/login\/as\/dev[^"]*)"/.exec(list.text)?.[1] ?? "";
      const confirmation = await browser.open(new URL(link, list.url).href);
      expect((await browser.send(confirmation, { answer: "allow" })).text).toContain("has come back");
      expect((await ended).code).toBe(0);
      const stranger = await computer.run("login", "--server", other.url, "--as", "stranger");
      expect([stranger.code, stranger.err]).toEqual([3, expect.stringContaining("no development user stranger")]);
    } finally {
      await other.close();
    }
  });
});

const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

describe.runIf(chromiumPath !== undefined)("a real browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath ?? "", args: ["--no-sandbox"] });
  });
  afterAll(async () => browser.close());

  /** In both colours. */
  async function expectAccessible(page: RealPage): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page), `${page.url()} in ${colorScheme}`).toEqual([]);
    }
  }

  test("its rules for cookies, forms and redirects let both logins through", async () => {
    const computer = await Computer.make();
    const ended = computer.run("login", "--server", server.url, "--no-browser");
    const [, url = ""] = await computer.said(/log in at (\S+)/);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    await page.fill("input[name=login]", "ada");
    await page.fill("input[name=password]", "any");
    await page.click("button[type=submit]");
    await page.click("button[type=submit]");
    await page.getByRole("button", { name: "Allow" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(/127\.0\.0\.1:\d+\/callback/);
    expect(await page.textContent("body")).toContain("has come back");
    expect((await ended).code).toBe(0);

    const device = computer.run("login", "--server", server.url, "--device");
    const [, where = "", code = ""] = await computer.said(/open (\S+) and type the code (\S+)/);
    await page.goto(where);
    await expectAccessible(page);
    await page.fill("input[name=user_code]", "WRNG-CODE");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alert").waitFor();
    await expectAccessible(page);
    await page.fill("input[name=user_code]", code);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "It is", exact: true }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "It is", exact: true }).click();
    // The console knows the person from the login before.
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByText("The command line is logged in").waitFor();
    await expectAccessible(page);
    expect((await device).code).toBe(0);
    await context.close();
  });

  test("who may log in by name is shown to everybody alike", async () => {
    const other = await start({ developmentUsers: [{ name: "dev" }] }, 0);
    try {
      const page = await browser.newPage();
      await page.goto(`${other.url}/login`);
      await page.getByRole("link", { name: "dev" }).waitFor();
      await expectAccessible(page);
      await page.close();
    } finally {
      await other.close();
    }
  });
});

test.each([
  ["what is not set by kubectl", "{", "not what kubectl sets"],
  ["an older API", JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1beta1" }), "castellan kubeconfig"],
  [
    "nobody who could be asked",
    JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", spec: { interactive: false } }),
    "castellan login",
  ],
])("the plugin does not answer %s", async (_, KUBERNETES_EXEC_INFO, says) => {
  const { home } = await Computer.make();
  const env = { HOME: home, KUBERNETES_EXEC_INFO };
  const { code, out, err } = await runCli(["kube-credential", "--server", server.url], { env });
  expect([code, out, err]).toEqual([3, "", expect.stringContaining(says)]);
});

const binaries = await controlPlaneBinaries(["kubectl"]);

/** kubectl with a `castellan` on its PATH. */
async function kubectl(computer: Computer, ...args: string[]): Promise<string> {
  const bin = join(computer.home, "bin");
  await mkdir(bin, { recursive: true });
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  await writeFile(join(bin, "castellan"), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, { mode: 0o755 });
  const env = { HOME: computer.home, PATH: `${bin}:${process.env["PATH"]}` };
  const program = binaries.available ? binaries.path("kubectl") : "";
  return (await run(program, ["--kubeconfig", join(computer.home, "config"), ...args], { env })).stdout;
}

describe.runIf(binaries.available)("kubectl", () => {
  test("reaches a listener that checks its token, by the kubeconfig that castellan kubeconfig merged", async () => {
    const computer = await Computer.make();
    await browserLogin(computer, "ada");
    const kubeconfig = join(computer.home, "config");
    const other = { name: "other", context: { cluster: "c", user: "u" } };
    await writeFile(
      kubeconfig,
      JSON.stringify({ apiVersion: "v1", kind: "Config", contexts: [other], "current-context": "other" }),
    );
    const write = (...more: readonly string[]) =>
      computer.run("kubeconfig", "--server", server.url, "--kubeconfig", kubeconfig, ...more);
    expect((await write("--no-switch")).err).toContain(
      "the current context is other as before; use kubectl --context castellan-test",
    );
    expect(await kubectl(computer, "config", "current-context")).toBe("other\n");
    expect((await write()).err).toContain(
      "the current context is now castellan-test; back with: kubectl config use-context other",
    );
    const text = await readFile(kubeconfig, "utf8");
    expect(text).not.toContain("insecure-skip-tls-verify");
    expect((await stat(kubeconfig)).mode & 0o777).toBe(0o600);
    expect((await kubectl(computer, "config", "get-contexts", "-o", "name")).trim().split("\n").sort()).toEqual([
      "castellan-test",
      "other",
    ]);
    const said = JSON.parse(await kubectl(computer, "get", "--raw", "/whoami"));
    expect(said).toMatchObject({ ok: true, person: { user: "corp:ada@example.com" } });
    expect((await computer.run("logout")).code).toBe(0);
    await expect(kubectl(computer, "get", "--raw", "/whoami")).rejects.toThrow(/castellan login/);
  });

  test("shows the key that its token is bound to, where the server asks for that (T50)", async () => {
    const bound = await start({ boundTokens: true, developmentUsers: [{ name: "dev" }] }, 0);
    try {
      const computer = await Computer.make();
      expect((await computer.run("login", "--server", bound.url, "--as", "dev")).code).toBe(0);
      const args = ["--server", bound.url, "--kubeconfig", join(computer.home, "config")];
      expect((await computer.run("kubeconfig", ...args)).code).toBe(0);
      expect(JSON.parse(await kubectl(computer, "get", "--raw", "/whoami"))).toMatchObject({ ok: true, person: { user: "dev" } });

      const { out } = await computer.run("kube-credential", "--server", bound.url);
      const { token: stolen, clientCertificateData: cert, clientKeyData: key } = JSON.parse(out).status;
      const other = await authority.issue("thief", "/CN=thief", "extendedKeyUsage=clientAuth\n");
      const shown = [{ cert, key }, undefined, other].map((client) => tokenTo(bound.gateway, authority, stolen, client));
      expect((await Promise.all(shown)).map(({ status }) => status)).toEqual([200, 401, 401]);

      const { servers } = JSON.parse(await readFile(computer.file, "utf8"));
      const { refreshToken, tokens } = servers[bound.url];
      const form = { client_id: "castellan-cli", grant_type: "refresh_token", refresh_token: refreshToken };
      const answer = await fetch(`${bound.url}/oauth/token`, { method: "POST", body: new URLSearchParams(form) });
      expect(await answer.json()).toMatchObject({ error: expect.stringMatching(/invalid_(request|grant|dpop_proof)/) });
      const bearer = { authorization: `Bearer ${tokens["urn:castellan:console"].token}` };
      expect((await fetch(`${bound.url}/api/v1/me`, { headers: bearer })).status).toBe(200);
    } finally {
      await bound.close();
    }
  });
});
