import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../cluster/start.ts";
import { FetchBrowser } from "./fetch-browser.ts";
import { type OidcIssuer, startOidcIssuer } from "./oidc-issuer.ts";

const castellan = join(import.meta.dirname, "../../src/cli/main.ts");
const documents = `
apiVersion: castellan.dev/v1alpha1
kind: Directory
metadata: {name: people}
spec: {people: []}
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: sessions}
spec:
  requesters: {groups: [dev]}
  asks: [session]
  namespaces: [nlp]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 1h
  approvals: [{from: ["group:oncall"]}]
`;
let directory = "";
const children: ChildProcess[] = [];
const issuers: OidcIssuer[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-groups-"));
  await writeFile(join(directory, "namespace.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: nlp}\n");
  await writeFile(join(directory, "access.yaml"), documents);
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const issuer of issuers) await issuer.close();
  await rm(directory, { recursive: true, force: true });
});

/** Somebody in a browser, logged in. */
class Person {
  readonly #browser = new FetchBrowser();
  readonly #origin: string;
  readonly #name: string;

  constructor(origin: string, name: string) {
    this.#origin = origin;
    this.#name = name;
  }

  async login(): Promise<this> {
    let page = await this.#browser.open(`${this.#origin}/login`);
    // Who has a session at the issuer is not asked again.
    if (page.url.includes("/interaction/")) {
      const consent = await this.#browser.submit(page.url, { prompt: "login", login: this.#name, password: "any" });
      page = await this.#browser.submit(consent.url, { prompt: "consent" });
    }
    return this;
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: { readonly [key: string]: unknown } }> {
    const { status, text } = await this.#browser.open(`${this.#origin}${path}`);
    return { status, body: JSON.parse(text) };
  }

  async post(
    path: string,
    body: object,
  ): Promise<{ readonly status: number; readonly body: { readonly [key: string]: unknown } }> {
    const { csrfToken } = (await this.get("/api/v1/session")).body;
    const { status, text } = await this.#browser.open(`${this.#origin}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", "csrf-token": String(csrfToken) },
    });
    return { status, body: JSON.parse(text) };
  }
}

interface World {
  readonly people: { [name: string]: readonly string[] | undefined };
  readonly issuer: OidcIssuer;
  readonly somebody: (name: string) => Promise<Person>;
  /** Asks for a session and answers with the request's path. */
  readonly asked: () => Promise<string>;
}

const requests = "/api/v1/access/requests";
let count = 0;

async function world(again: "refresh" | "userinfo" | "never", groupsMaxAge: string): Promise<World> {
  const people: World["people"] = { ana: ["dev"], omar: ["oncall", "staff"] };
  const redirectUrl = `http://127.0.0.1:${await freePort()}/login/callback`;
  const issuer = await startOidcIssuer(people, [redirectUrl], again);
  issuers.push(issuer);
  const oidc = { issuer: issuer.url, clientId: "castellan", clientSecretEnv: "CLIENT_SECRET", redirectUrl, groupsMaxAge };
  const file = join(directory, `identities-${count}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: "castellan.dev/v1alpha1", kind: "Identities", oidc }));
  const { host, origin } = new URL(redirectUrl);
  const flags = ["--files", join(directory, "namespace.yaml"), "--access", join(directory, "access.yaml"), "--identities", file];
  const child = spawn(
    process.execPath,
    [castellan, "serve", ...flags, "--listen", host, "--data", join(directory, `d${count++}`)],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, CLIENT_SECRET: issuer.clientSecret },
    },
  );
  children.push(child);
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += String(chunk);
  });
  const isReady = () =>
    fetch(`${origin}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let tries = 0; !(await isReady()); tries++) {
    if (tries > 300 || child.exitCode !== null) throw new Error(log);
    await sleep(200);
  }
  const somebody = (name: string) => new Person(origin, name).login();
  let asks = 0;
  return {
    people,
    issuer,
    somebody,
    async asked() {
      const ask = { type: "session", namespace: "nlp", milliseconds: 600_000 + asks++ };
      const { status, body } = await (await somebody("ana")).post(requests, { ask, reason: "INC" });
      expect([status, body["phase"]]).toEqual([201, "pending"]);
      return `${requests}/${String(body["id"])}`;
    },
  };
}

describe.each(["refresh", "userinfo"] as const)("an issuer that can be asked again (%s)", (again) => {
  let of: World;
  beforeAll(async () => {
    of = await world(again, "3s");
  });

  test("a group that is lost there decides nothing, by the session from before; one that comes back does", async () => {
    const omar = await of.somebody("omar");
    const path = await of.asked();
    expect((await omar.get(path)).body).toMatchObject({ mayDecide: true });
    of.people["omar"] = ["staff"];
    await sleep(1600);
    for (const verdict of ["approve", "deny"]) {
      const answer = await omar.post(`${path}/${verdict}`, { comment: "" });
      expect([answer.status, answer.body["code"]]).toEqual([404, "ACCESS_NOT_FOUND"]);
    }
    of.people["omar"] = ["oncall"];
    await sleep(1600);
    expect((await omar.post(`${path}/approve`, { comment: "" })).body).toMatchObject({ phase: "granted" });
  });

  test("a session goes on while the issuer is asked again and again, past the age of one word", async () => {
    const omar = await of.somebody("omar");
    await sleep(3500);
    expect((await omar.post(`${await of.asked()}/approve`, { comment: "" })).body).toMatchObject({ phase: "granted" });
  });

  test("who has no account there any more decides nothing, at once", async () => {
    const omar = await of.somebody("omar");
    const path = await of.asked();
    of.people["omar"] = undefined;
    await sleep(1600);
    const answer = await omar.post(`${path}/approve`, { comment: "" });
    expect([answer.status, answer.body["code"]]).toEqual([403, "ACCESS_SIGN_IN_AGAIN"]);
    expect(answer.body["message"]).toContain("no longer vouches for");
  });
});

test("an issuer that does not answer makes nobody's groups younger", async () => {
  const of = await world("refresh", "3s");
  const omar = await of.somebody("omar");
  const path = await of.asked();
  await of.issuer.close();
  await sleep(1600);
  expect((await omar.get(path)).body).toMatchObject({ mayDecide: true });
  await sleep(2000);
  const answer = await omar.post(`${path}/approve`, { comment: "" });
  expect([answer.status, answer.body["code"]]).toEqual([403, "ACCESS_SIGN_IN_AGAIN"]);
});

test("where the issuer cannot be asked, approving and asking take a new login after a while; looking does not", async () => {
  const of = await world("never", "6s");
  const [omar, ana] = [await of.somebody("omar"), await of.somebody("ana")];
  const path = await of.asked();
  await sleep(6200);
  const ask = { type: "session", namespace: "nlp", milliseconds: 60_000 };
  for (const answer of [
    await omar.post(`${path}/approve`, { comment: "" }),
    await omar.post(`${path}/deny`, { comment: "" }),
    await ana.post(requests, { ask, reason: "INC" }),
  ]) {
    expect([answer.status, answer.body["code"]]).toEqual([403, "ACCESS_SIGN_IN_AGAIN"]);
  }
  expect((await omar.get(path)).body).toMatchObject({ phase: "pending", mayDecide: true });
  await omar.login();
  expect((await omar.post(`${path}/approve`, { comment: "" })).body).toMatchObject({ phase: "granted" });
});
