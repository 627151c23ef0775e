import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientCertificates } from "../../src/adapters/identity/client-certificate.ts";
import { readIdentities, type TokenIssuerSettings, usernamePrefixOf } from "../../src/adapters/identity/identities.ts";
import { tokenIssuer } from "../../src/adapters/identity/token-issuer.ts";
import { openTokenKey } from "../../src/adapters/identity/token-key.ts";
import { type Authenticator, mostGroups, mostTokenBytes } from "../../src/services/access/identity.ts";
import { audiences } from "../../src/services/access/identity-audiences.ts";
import { admission, createAuthenticator } from "../../src/services/access/identity-authenticator.ts";
import { claimsOf, ownTokens } from "../../src/services/access/identity-own-tokens.ts";
import { startWhoAmI, TestAuthority } from "./identity-server.ts";

/** An issuer that signs whatever a test wants. */
class SigningIssuer {
  url = "";
  asked = 0;
  isDown = false;
  readonly #keys: { readonly kid: string; readonly alg: string; readonly key: CryptoKey; readonly jwk: JWK }[] = [];
  #server: Server | undefined;

  async start(): Promise<this> {
    const server = createServer((incoming, response) => {
      this.asked++;
      if (this.isDown) return void response.writeHead(503).end();
      const keys = { keys: this.#keys.map(({ jwk }) => jwk) };
      const isKeys = incoming.url === "/keys";
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(isKeys ? keys : { issuer: this.url, jwks_uri: `${this.url}/keys` }));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    this.#server = server;
    await this.addKey("RS256");
    return this;
  }

  async addKey(alg: string): Promise<string> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `${alg}-${this.#keys.length}`;
    this.#keys.push({ kid, alg, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } });
    return kid;
  }

  removeKey(kid: string): void {
    const at = this.#keys.findIndex((one) => one.kid === kid);
    this.#keys.splice(at, 1);
  }

  /** A token for `kubernetes` that lives for five minutes, with the claims given; undefined takes one away. */
  async sign(claims: { readonly [claim: string]: unknown }, kid = this.#keys[0]?.kid): Promise<string> {
    const known = this.#keys.find((one) => one.kid === kid);
    if (known === undefined) throw new Error(`no key ${kid}`);
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.url, aud: "kubernetes", sub: "1", iat: now, exp: now + 300, name: "Ada", ...claims };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return new SignJWT(given).setProtectedHeader({ alg: known.alg, kid: known.kid }).sign(known.key);
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

const [corporate, contractors, impostor] = [new SigningIssuer(), new SigningIssuer(), new SigningIssuer()];
let directory = "";
let authority: TestAuthority;
let otherAuthority: TestAuthority;
let gateway = { url: "", close: async () => {} };
let authenticator: Authenticator;
let clock = 0;
const now = () => Date.now() + clock;

function issuersOf(issuers: readonly object[]): readonly TokenIssuerSettings[] {
  const read = readIdentities(JSON.parse(JSON.stringify({ apiVersion: "castellan.dev/v1alpha1", kind: "Identities", issuers })));
  if (!read.ok) throw new Error(read.problem);
  return read.identities.issuers;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-tokens-"));
  await Promise.all([corporate, contractors, impostor].map((issuer) => issuer.start()));
  authority = await new TestAuthority(join(directory, "ca")).make();
  otherAuthority = await new TestAuthority(join(directory, "other")).make();
  const settings = issuersOf([
    {
      issuer: corporate.url,
      audiences: ["kubernetes"],
      usernameClaim: "name",
      usernamePrefix: "corp:",
      requiredClaims: { tenant: "1" },
    },
    { issuer: contractors.url, audiences: ["kubernetes"], usernameClaim: "name", groupsPrefix: "contractors:" },
  ]);
  const prefixes = settings.map((one) => [one.issuer, usernamePrefixOf(one)] as const);
  const certificates = clientCertificates(
    [
      {
        settings: { name: "staff", file: authority.file, usernamePrefix: "cert:", groupsPrefix: "", programs: false },
        pem: await readFile(authority.file, "utf8"),
      },
    ],
    now,
  );
  authenticator = createAuthenticator({
    tokens: settings.map((one) => tokenIssuer(one, undefined, now)),
    certificates,
    bound: false,
    admit: admission({
      usernamePrefixes: new Map([...prefixes, ["certificate:staff", "cert:"]]),
      refusedGroupPrefixes: ["root-"],
      directory: () => undefined,
      isLocked: () => false,
    }),
    now,
  });
  const own = await authority.issue("gateway", "/CN=gateway", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
  gateway = await startWhoAmI(() => authenticator, own);
});

afterAll(async () => {
  await gateway.close();
  await Promise.all([corporate, contractors, impostor].map((issuer) => issuer.stop()));
  await rm(directory, { recursive: true, force: true });
});

const corp = (claims: { readonly [claim: string]: unknown }, kid?: string) => corporate.sign({ tenant: "1", ...claims }, kid);
const authenticate = (...tokens: string[]) =>
  authenticator.authenticate({ authorization: tokens.map((token) => `Bearer ${token}`) });
const statusOf = async (token: string) => {
  const said = await authenticate(token);
  return said.ok ? 200 : `${said.status} ${said.code}`;
};
const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset;

describe("bearer tokens of OIDC issuers", () => {
  test("a good one names its person, with the issuer's prefix and whole groups (T51, T52)", async () => {
    const groups = ["/tenant-a/admin", "/tenant-b/admin", "with, comma"];
    const said = await authenticate(await corp({ sub: "u1", groups, email: "ada@example.com", email_verified: true }));
    expect(said).toEqual({
      ok: true,
      person: {
        issuer: corporate.url,
        subject: "u1",
        user: "corp:Ada",
        groups,
        human: `${corporate.url}#u1`,
        isProgram: false,
        email: "ada@example.com",
        displayName: "Ada",
        until: expect.any(Number),
      },
    });
  });

  test("the same name and subject at two issuers are two people (T51)", async () => {
    const [one, other] = await Promise.all([
      authenticate(await corp({ sub: "7", groups: ["admins"] })),
      authenticate(await contractors.sign({ sub: "7", groups: ["admins"] })),
    ]);
    const people = [one, other].map((said) => (said.ok ? [said.person.user, said.person.groups, said.person.human] : said));
    expect(people).toEqual([
      ["corp:Ada", ["admins"], `${corporate.url}#7`],
      [`${contractors.url}#Ada`, ["contractors:admins"], `${contractors.url}#7`],
    ]);
  });

  test("no groups claim is no groups: nothing is asked in its stead (T53)", async () => {
    const before = corporate.asked;
    const said = await authenticate(await corp({ groups: undefined, hasgroups: true }));
    expect(said).toMatchObject({ ok: true, person: { groups: [] } });
    expect(corporate.asked).toBe(before);
  });

  const refusals: readonly (readonly [string, () => Promise<string>, string])[] = [
    ["T10 for another audience", () => corp({ aud: "other" }), "401 IDENTITY_INVALID"],
    ["T10 without an audience", () => corp({ aud: undefined }), "401 IDENTITY_INVALID"],
    ["of an issuer that is not known", () => impostor.sign({ tenant: "1" }), "401 IDENTITY_INVALID"],
    [
      "that names an issuer whose key did not sign it",
      () => impostor.sign({ iss: corporate.url, tenant: "1" }),
      "401 IDENTITY_INVALID",
    ],
    ["that has expired", () => corp({ exp: seconds(-60) }), "401 IDENTITY_INVALID"],
    ["that never expires", () => corp({ exp: undefined }), "401 IDENTITY_INVALID"],
    ["that is not good yet", () => corp({ nbf: seconds(120) }), "401 IDENTITY_INVALID"],
    ["without a subject", () => corp({ sub: undefined }), "401 IDENTITY_INVALID"],
    ["T54 with an empty subject", () => corp({ sub: "" }), "401 IDENTITY_INVALID"],
    ["T54 with an empty name", () => corp({ name: "" }), "401 IDENTITY_INVALID"],
    ["without the name's claim", () => corp({ name: undefined }), "401 IDENTITY_INVALID"],
    ["without a claim that is asked for", () => corp({ tenant: undefined }), "401 IDENTITY_INVALID"],
    ["with another value of such a claim", () => corp({ tenant: "2" }), "401 IDENTITY_INVALID"],
    ["whose groups are no names", () => corp({ groups: [1] }), "401 IDENTITY_INVALID"],
    ["T54 that is no token", async () => "null", "401 IDENTITY_INVALID"],
    ["T06 with the group system:masters", () => corp({ groups: ["a", "system:masters"] }), "403 IDENTITY_NAME_REFUSED"],
    ["T06 with another group of the system", () => corp({ groups: "system:nodes" }), "403 IDENTITY_NAME_REFUSED"],
    ["T06 with a group of a grant", () => corp({ groups: ["castellan:grant:prod"] }), "403 IDENTITY_NAME_REFUSED"],
    ["T06 with a group that the configuration refuses", () => corp({ groups: ["root-1"] }), "403 IDENTITY_NAME_REFUSED"],
    ["with a group that headers would cut", () => corp({ groups: [" admins"] }), "403 IDENTITY_NAME_REFUSED"],
    ["with a line break in a group", () => corp({ groups: ["a\r\nImpersonate-Group: b"] }), "403 IDENTITY_NAME_REFUSED"],
    ["with an empty group", () => corp({ groups: [""] }), "403 IDENTITY_NAME_REFUSED"],
    ["T11 with more groups than may be", () => corp({ groups: numbered(mostGroups + 1) }), "431 IDENTITY_TOO_LARGE"],
    ["T11 that is too long", () => corp({ filler: "x".repeat(mostTokenBytes) }), "431 IDENTITY_TOO_LARGE"],
  ];
  test.each(refusals)("refused: %s", async (_, token, expected) => {
    expect(await statusOf(await token())).toBe(expected);
  });

  test("an unsigned token, and one signed with a public key as a secret, are refused", async () => {
    const claims = Buffer.from(
      JSON.stringify({ iss: corporate.url, aud: "kubernetes", sub: "1", exp: seconds(60), tenant: "1", name: "A" }),
    );
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims.toString("base64url")}.`;
    expect(await statusOf(unsigned)).toBe("401 IDENTITY_INVALID");
    const shared = await new SignJWT({ tenant: "1", name: "A" })
      .setProtectedHeader({ alg: "HS256", kid: "RS256-0" })
      .setIssuer(corporate.url)
      .setAudience("kubernetes")
      .setSubject("1")
      .setExpirationTime("1m")
      .sign(Buffer.alloc(32));
    expect(await statusOf(shared)).toBe("401 IDENTITY_INVALID");
  });

  test("an algorithm that is not on the list is refused, though the issuer has the key", async () => {
    const kid = await corporate.addKey("ES384");
    expect(await statusOf(await corp({}, kid))).toBe("401 IDENTITY_INVALID");
  });

  test("200 groups and a token of 12 KiB are accepted (T11)", async () => {
    const said = await authenticate(
      await corp({ groups: numbered(200).map((n) => `${n}-6f9619ff-8b86-d011-b42d-00c04fc964ff`) }),
    );
    expect(said.ok && said.person.groups.length).toBe(200);
  });

  test("exactly one credential (T10, T54)", async () => {
    const token = await corp({});
    const results = await Promise.all([
      authenticate(token, token),
      authenticator.authenticate({ authorization: [] }),
      authenticator.authenticate({ authorization: [""] }),
      authenticator.authenticate({ authorization: ["Bearer "] }),
      authenticator.authenticate({ authorization: [`Bearer ${token}, Bearer ${token}`] }),
      authenticator.authenticate({ authorization: ["Basic YWRhOnNlY3JldA=="] }),
      authenticator.authenticate({ authorization: [`bearer ${token}`] }),
    ]);
    expect(results.map((said) => (said.ok ? 200 : said.code))).toEqual([
      "IDENTITY_SEVERAL",
      "IDENTITY_MISSING",
      "IDENTITY_INVALID",
      "IDENTITY_INVALID",
      "IDENTITY_INVALID",
      "IDENTITY_INVALID",
      200,
    ]);
  });

  test("a small difference of clocks is borne, and a remembered token ends with its time", async () => {
    const token = await corp({ exp: seconds(100), nbf: seconds(5) });
    expect(await statusOf(token)).toBe(200);
    clock = 200_000;
    try {
      expect(await statusOf(token)).toBe("401 IDENTITY_INVALID");
    } finally {
      clock = 0;
    }
  });

  test("a verified token is not verified again, and a changed one is", async () => {
    const token = await corp({ sub: "cached" });
    expect(await statusOf(token)).toBe(200);
    corporate.isDown = true;
    try {
      expect(await statusOf(token)).toBe(200);
      expect(await statusOf(`${token.slice(0, -2)}AA`)).toBe("401 IDENTITY_INVALID");
    } finally {
      corporate.isDown = false;
    }
  });

  test.each([
    ["client credentials (RFC 9068)", { sub: "robot", client_id: "robot" }],
    ["Entra", { idtyp: "app" }],
    ["Auth0", { gty: "client-credentials" }],
    ["Keycloak", { preferred_username: "service-account-robot" }],
  ])("programs are told from people: %s", async (_, claims) => {
    expect(await authenticate(await corp(claims))).toMatchObject({ ok: true, person: { isProgram: true } });
  });

  test("what a refusal says repeats neither a token nor a group (T61)", async () => {
    const canaries = ["canary-group", "system:canary", "canary-name"];
    const said = await Promise.all([
      authenticate(await corp({ groups: ["canary-group", "system:canary"] })),
      authenticate(await corp({ name: "canary-name", aud: "canary-group" })),
      authenticate(await corp({ name: "canary-name", groups: ["canary-group", 1] })),
      authenticate("canary-name"),
    ]);
    for (const one of said) expect(one.ok).toBe(false);
    for (const canary of canaries) expect(JSON.stringify(said)).not.toContain(canary);
  });
});

describe("keys of an issuer", () => {
  test("a new key is found when the first token comes with it, and one that is gone is not trusted from memory for ever", async () => {
    const issuer = await new SigningIssuer().start();
    let time = Date.now();
    const [settings] = issuersOf([{ issuer: issuer.url, audiences: ["kubernetes"] }]);
    if (settings === undefined) throw new Error("no issuer");
    const verifier = tokenIssuer(settings, undefined, () => time);
    try {
      const first = await issuer.sign({});
      expect((await verifier.verify(first)).ok).toBe(true);
      expect((await verifier.verify(first)).ok).toBe(true);
      expect(issuer.asked).toBe(2);
      const kid = await issuer.addKey("RS256");
      issuer.removeKey("RS256-0");
      time += 3_700_000;
      expect((await verifier.verify(await issuer.sign({ exp: Math.floor(time / 1000) + 60 }, kid))).ok).toBe(true);
    } finally {
      await issuer.stop();
    }
  });

  test("an issuer that cannot be asked: the token could not be checked, which is no success", async () => {
    const issuer = await new SigningIssuer().start();
    issuer.isDown = true;
    let time = Date.now();
    const [settings] = issuersOf([{ issuer: issuer.url, audiences: ["kubernetes"] }]);
    if (settings === undefined) throw new Error("no issuer");
    const verifier = tokenIssuer(settings, undefined, () => time);
    const token = await issuer.sign({});
    expect(await verifier.verify(token)).toMatchObject({ ok: false, status: 503, code: "IDENTITY_UNCHECKED" });
    issuer.isDown = false;
    time += 10_000;
    expect((await verifier.verify(token)).ok).toBe(true);
    await issuer.stop();
    const late = tokenIssuer(settings, undefined, () => time);
    expect(await late.verify(token)).toMatchObject({ ok: false, status: 503 });
  });

  test("a configuration that names another issuer is not believed", async () => {
    const [settings] = issuersOf([{ issuer: `${corporate.url}/`, audiences: ["kubernetes"] }]);
    if (settings === undefined) throw new Error("no issuer");
    const token = await corporate.sign({ iss: `${corporate.url}/` });
    expect(await tokenIssuer(settings, undefined, now).verify(token)).toMatchObject({ ok: false, status: 503 });
  });
});

describe("tokens of our own", () => {
  const person = { issuer: "https://a.example", subject: "1", user: "ada", groups: ["g"], human: "ada", isProgram: false };

  async function stand(development = true) {
    const key = await openTokenKey(await mkdtemp(join(directory, "key-")));
    const state = { isDown: false, asked: 0, time: Date.now() };
    const verifier = ownTokens({
      issuer: () => "https://castellan.example",
      audience: audiences.kubernetes,
      keys: async () => {
        state.asked++;
        if (state.isDown) throw new Error("the database is down");
        return [key.publicJwk];
      },
      development,
      bound: false,
      now: () => state.time,
    });
    const signing = await importJWK(key.privateJwk, "ES256");
    const sign = (change: { readonly [claim: string]: unknown } = {}, by = signing) =>
      new SignJWT({
        iss: "https://castellan.example",
        aud: audiences.kubernetes,
        exp: Math.floor(state.time / 1000) + 600,
        ...claimsOf(person, state.time + 3_600_000),
        ...change,
      })
        .setProtectedHeader({ alg: "ES256", kid: key.kid })
        .sign(by);
    return { verifier, sign, state };
  }

  test("go on to be good while the database is down, if their key was known", async () => {
    const { verifier, sign, state } = await stand();
    state.isDown = true;
    expect(await verifier.verify(await sign())).toMatchObject({ ok: false, status: 503 });
    state.isDown = false;
    expect(await verifier.verify(await sign())).toMatchObject({ ok: true, identity: { user: "ada", groups: ["g"] } });
    state.isDown = true;
    state.time += 3_600_000;
    expect((await verifier.verify(await sign())).ok).toBe(true);
    const asked = state.asked;
    expect((await verifier.verify(await sign())).ok).toBe(true);
    expect(state.asked).toBe(asked);
  });

  test.each([
    ["of another audience", { aud: audiences.console }, 401],
    ["of another server", { iss: "https://other.example" }, 401],
    ["that has expired", { exp: 1 }, 401],
    ["that says not whose it is", { castellan: undefined }, 401],
    [
      "of a development user where those are not let in",
      { castellan: { issuer: "development", subject: "x", program: false, until: 1 } },
      403,
    ],
  ])("refused: one %s", async (_, change, status) => {
    const { verifier, sign } = await stand(false);
    expect((await verifier.verify(await sign())).ok).toBe(true);
    expect(await verifier.verify(await sign(change))).toMatchObject({ ok: false, status });
  });

  test("refused: one that another key has signed under the name of ours", async () => {
    const { verifier, sign } = await stand();
    const { privateKey } = await generateKeyPair("ES256");
    expect(await verifier.verify(await sign({}, privateKey))).toMatchObject({ ok: false, status: 401 });
  });
});

describe("client certificates", () => {
  const forClients = "extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\n";

  async function whoAmI(client: { readonly cert: string; readonly key: string } | undefined, token?: string) {
    const ca = await readFile(authority.file, "utf8");
    const dispatcher = new Agent({ connect: { ca, ...client } });
    try {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const { statusCode, body } = await request(gateway.url, { dispatcher, headers });
      return { status: statusCode, body: JSON.parse(await body.text()) };
    } finally {
      await dispatcher.close();
    }
  }

  test("the common name is the user, organisations are the groups, the end is the certificate's", async () => {
    const client = await authority.issue("ada", "/O=platform/O=on-call/CN=ada", forClients);
    const { status, body } = await whoAmI(client);
    expect([status, body.person]).toEqual([
      200,
      {
        issuer: "certificate:staff",
        subject: "ada",
        user: "cert:ada",
        groups: ["platform", "on-call"],
        human: "certificate:staff#ada",
        isProgram: false,
        until: expect.any(Number),
      },
    ]);
    expect(body.person.until - Date.now()).toBeLessThanOrEqual(86_400_000);
  });

  test("refused: of another authority, for servers, for nothing, expired, without a name, of the system", async () => {
    const clients = [
      await otherAuthority.issue("eve", "/O=platform/CN=ada", forClients),
      await authority.issue("server", "/CN=ada", "extendedKeyUsage=serverAuth\n"),
      await authority.issue("nothing", "/CN=ada", "basicConstraints=CA:FALSE\n"),
      await authority.issue("old", "/CN=ada", forClients, 0),
      await authority.issue("nameless", "/O=platform", forClients),
      await authority.issue("two", "/CN=ada/CN=bob", forClients),
      await authority.issue("masters", "/O=system:masters/CN=ada", forClients),
    ];
    const statuses = await Promise.all(clients.map(async (client) => (await whoAmI(client)).status));
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 403]);
  });

  test("a certificate beside a token is a second credential (T10), and none is none (T54)", async () => {
    const client = await authority.issue("bob", "/CN=bob", forClients);
    expect(await whoAmI(client, await corp({}))).toMatchObject({ status: 401, body: { code: "IDENTITY_SEVERAL" } });
    expect(await whoAmI(undefined)).toMatchObject({ status: 401, body: { code: "IDENTITY_MISSING" } });
    expect((await whoAmI(undefined, await corp({}))).status).toBe(200);
  });

  test("a token that is bound to a certificate is good beside that one alone (T50)", async () => {
    const { X509Certificate, hash } = await import("node:crypto");
    const client = await authority.issue("carol", "/CN=carol", forClients);
    const other = await authority.issue("dave", "/CN=dave", forClients);
    const thumbprint = hash("sha256", new X509Certificate(client.cert).raw, "base64url");
    const token = await corp({ sub: "bound", cnf: { "x5t#S256": thumbprint } });
    const statuses = await Promise.all([client, other, undefined].map(async (one) => (await whoAmI(one, token)).status));
    expect(statuses).toEqual([200, 401, 401]);
  });
});

describe("the identities document", () => {
  const issuer = { issuer: "https://a.example", audiences: ["x"] };
  test.each([
    ["an unknown field", { issuers: [{ ...issuer, groupClaim: "g" }] }, "issuers.0"],
    ["no audience", { issuers: [{ ...issuer, audiences: [] }] }, "issuers.0.audiences"],
    ["a shared secret's algorithm", { issuers: [{ ...issuer, signingAlgorithms: ["HS256"] }] }, "issuers.0.signingAlgorithms.0"],
    [
      "T51 two issuers that name people alike",
      {
        issuers: [
          { ...issuer, usernameClaim: "email" },
          { issuer: "https://b.example", audiences: ["x"], usernameClaim: "email" },
        ],
      },
      "issuers.1.usernamePrefix",
    ],
    [
      "T51 certificates that name people as an issuer does",
      { issuers: [{ ...issuer, usernamePrefix: "" }], certificates: [{ name: "staff", file: "ca.crt" }] },
      "certificates.0.usernamePrefix",
    ],
    ["an issuer twice", { issuers: [issuer, { ...issuer, usernamePrefix: "b:" }] }, "issuers.1"],
    ["nobody", {}, "nobody could log in"],
  ])("refused: %s", (_, fields, says) => {
    const read = readIdentities(
      JSON.parse(JSON.stringify({ apiVersion: "castellan.dev/v1alpha1", kind: "Identities", ...fields })),
    );
    expect(read.ok ? "" : read.problem).toContain(says);
  });
});

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `g${i}`);
