import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Person } from "../../src/access/person.ts";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";
import type { ClusterAccess } from "../../src/adapters/kubernetes/kubeconfig.ts";
import {
  type AuditEvent,
  accessAs,
  asAdmin,
  GatewayStand,
  installGatewayRoles,
  person,
  startAuditedCluster,
  unchunked,
} from "./gateway-stand.ts";

let audited: Awaited<ReturnType<typeof startAuditedCluster>>;
let stand: GatewayStand;
const whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const review = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });

beforeAll(async () => {
  audited = await startAuditedCluster();
  const { cluster } = audited;
  await installGatewayRoles(cluster);
  await asAdmin(cluster, ["create", "clusterrole", "everything", "--verb=*", "--resource=*.*"]);
  await asAdmin(cluster, ["create", "clusterrolebinding", "everything", "--clusterrole=everything", "--group=team"]);
  await asAdmin(cluster, [
    "create",
    "clusterrole",
    "execget",
    "--verb=get",
    "--resource=pods,pods/exec,pods/proxy,services/proxy,nodes/proxy",
  ]);
  await asAdmin(cluster, ["create", "clusterrolebinding", "execget", "--clusterrole=execget", "--group=readers"]);
  await asAdmin(
    cluster,
    ["create", "-f", "-"],
    JSON.stringify({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "paths" },
      rules: [{ nonResourceURLs: ["*"], verbs: ["*"] }],
    }),
  );
  await asAdmin(cluster, ["create", "clusterrolebinding", "paths", "--clusterrole=paths", "--group=team"]);
  stand = new GatewayStand(cluster);
  stand.people.set("ada", person("ada", ["team"]));
  stand.people.set("rea", person("rea", ["readers"]));
  await stand.start(accessAs(cluster, "bob"), { limits: { streamsPerPerson: 3 } });
});

afterAll(async () => {
  await stand?.stop();
  await audited?.stop();
});

/** Whom the API server takes a caller for. */
async function userOf(name: string, headers: readonly string[] = []) {
  const { status, body } = await stand.ask(name, "POST", whoami, ["Content-Type: application/json", ...headers], review);
  return { status, user: status === 201 ? JSON.parse(body).status.userInfo : undefined };
}

async function soon<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + 20_000; ; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error("it did not happen");
    await sleep(50);
  }
}

/** The gateway's record of a call, and the API server's: both are written a moment later. */
const recordOf = (target: string) => soon(() => stand.records.findLast((r) => r.data["target"] === target));
const eventWhere = (condition: (event: AuditEvent) => boolean) => soon(async () => (await audited.events()).find(condition));

const as = async (who: Person, headers: readonly string[] = []) => {
  stand.people.set("x", who);
  return userOf("x", headers);
};

describe("headers", () => {
  test.each([
    "Impersonate-User: admin",
    "IMPERSONATE-GROUP: system:masters",
    "impersonate-uid: 1",
    "Impersonate-Extra-Scopes: x",
    "Impersonate_User: admin",
  ])("T01 %s of a client is refused", async (line) => {
    expect((await userOf("ada", [line])).status).toBe(403);
  });

  test.each(["Impersonate-User", "Impersonate-Group", "Authorization", "X-Remote-User", "Content-Length", "Audit-ID"])(
    "T02 Connection may not name %s",
    async (name) => expect((await userOf("ada", [`Connection: close, ${name}`])).status).toBe(400),
  );

  test("T03 a person without a user name is never forwarded", async () => {
    expect((await as(person("nobody", [], { user: "" }))).status).toBe(500);
    expect((await as(person("blank", [], { user: " " }))).status).toBe(403);
  });

  test("T04, T05 groups arrive one by one: with commas, in other scripts, twice", async () => {
    const groups = ["a,b", "grün", "c", "日本"];
    const { user } = await as(person("zoë", groups, { user: "zoë@example.com" }));
    expect(user).toEqual({ username: "zoë@example.com", groups: [...groups, "system:authenticated"] });
  });

  test("T05 groups stay apart over the HTTP/2 connections of watches, too", async () => {
    stand.people.set("x", person("h2", ["team", "a,b", "c"]));
    const target = "/api/v1/namespaces/default/services?watch=1&timeoutSeconds=1&marker=h2";
    expect((await stand.ask("x", "GET", target)).status).toBe(200);
    const event = await eventWhere((e) => e.requestURI === target);
    expect(event.impersonatedUser?.groups).toEqual(["team", "a,b", "c", "system:authenticated"]);
  });

  test.each(["system:masters", "system:nodes", "castellan:grant:any", " spaced", "new\nline", ""])(
    "T06 the group %j of a person is refused",
    async (group) => expect((await as(person("mallory", [group]))).status).toBe(403),
  );

  test.each(["system:kube-controller-manager", "system:serviceaccount:kube-system:default", "system:anonymous"])(
    "T06 the user %s of a person is refused",
    async (user) => expect((await as(person("mallory", [], { user }))).status).toBe(403),
  );

  test("T07 of a service account only the name is sent", async () => {
    const user = "system:serviceaccount:default:robot";
    await asAdmin(
      audited.cluster,
      ["create", "-f", "-"],
      JSON.stringify({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: { name: "robots" },
        rules: [
          { apiGroups: ["authentication.k8s.io"], resources: ["serviceaccounts"], verbs: ["impersonate:serviceaccount"] },
          { apiGroups: ["*"], resources: ["*"], verbs: ["impersonate-on:serviceaccount:create"] },
        ],
      }),
    );
    await asAdmin(audited.cluster, ["create", "clusterrolebinding", "robots", "--clusterrole=robots", "--user=bob"]);
    const { user: seen } = await as(person("robot", ["team"], { user, uid: "7", isProgram: true }));
    expect(seen.username).toBe(user);
    expect(seen.groups).toEqual(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]);
  });

  test("T08, T09 what fronts may say is not taken from clients", async () => {
    const lines = [
      "X-Remote-User: admin",
      "X-Remote-Group: system:masters",
      "X-Forwarded-For: 9.9.9.9",
      "X-Forwarded-Host: evil",
      "X_Remote_User: admin",
    ];
    const { user } = await userOf("ada", [...lines, "User-Agent: t08"]);
    expect(user.username).toBe("ada@example.com");
    const event = await eventWhere((e) => e.userAgent === "t08");
    expect(event).toMatchObject({ sourceIPs: ["127.0.0.1"] });
  });

  test("T10 exactly one credential, and it stays here", async () => {
    expect((await userOf("ada", ["Authorization: Bearer rea-token"])).status).toBe(401);
    expect((await userOf("admin")).status).toBe(401);
    const bare = await stand.raw(`GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(bare).toMatch(/^HTTP\/1.1 401[\s\S]*"reason":"Unauthorized"/);
  });

  test("T11 200 groups and a large token pass in one call; headers above the limit are answered 431", async () => {
    const groups = Array.from({ length: 200 }, (_, i) => `/directory/department-${i}/role`);
    const before = (await audited.events()).length;
    const { user } = await as(person("large", groups), [`X-Padding: ${"p".repeat(16_000)}`]);
    expect(user.groups).toHaveLength(201);
    await sleep(300);
    const calls = (await audited.events()).slice(before).filter((e) => e.user.username === "bob");
    expect(calls.filter((e) => e.objectRef?.resource === "subjectaccessreviews").length).toBeLessThanOrEqual(1);
    const lines = Array.from({ length: 10_000 }, (_, i) => `X-Line-${i}: 1`);
    expect((await userOf("ada", lines)).status).toBe(431);
  });
});

describe("paths", () => {
  test.each([
    ["T12", "/api/v1/pods/../secrets"],
    ["T12", "/api/v1/%2e%2e/secrets"],
    ["T12", "/api/v1/./pods"],
    ["T12", "/api/v1/namespaces/a/services/s/proxy/..%2f..%2fsecrets"],
    ["T13", "/api/v1/namespaces/a/pods/p%2fexec"],
    ["T13", "/api/v1/namespaces/a%2Fpods"],
    ["T14", "//api/v1/pods"],
    ["T14", "/api/v1/namespaces//pods"],
    ["T15", "/api/v1\\namespaces\\ns\\secrets"],
    ["T15", "/api/v1/%5c/pods"],
    ["T15", "/api/v1/pods%00"],
    ["T16", "http://evil.example/api/v1/pods"],
    ["T16", "https://127.0.0.1/api/v1/pods"],
    ["T16", "*"],
    ["T16", "api/v1/pods"],
    ["T12", "/api/v1/pods#x"],
    ["T12", "/api/v1/pods%zz"],
    ["T12", "/api/v1/pods%ff"],
  ])("%s %s is refused before anything is asked", async (_, target) => {
    const { status } = await stand.ask("ada", "GET", target);
    expect(status).toBe(400);
  });

  test("T16 CONNECT is refused", async () => {
    const answer = await stand.raw("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 405/);
  });

  test.each([
    ["T17", "GET", "/api/v1/namespaces/a/pods?watch&timeoutSeconds=1", "watch"],
    ["T17", "GET", "/api/v1/namespaces/a/pods?watch=yes&timeoutSeconds=1", "watch"],
    ["T17", "GET", "/api/v1/namespaces/a/pods?watch=0&watch=1", "list"],
    ["T19", "HEAD", "/api/v1/namespaces/a/pods", "list"],
    ["T68", "DELETE", "/api/v1/namespaces/a/configmaps?dryRun=All", "deletecollection"],
  ])("%s %s %s is the verb that the API server sees", async (id, method, target, verb) => {
    const marked = `${target}${target.includes("?") ? "&" : "?"}marker=${id}-${randomBytes(4).toString("hex")}`;
    // Nothing answers HEAD on resources; what it is taken for is decided before.
    expect((await stand.ask("ada", method, marked)).status).toBe(method === "HEAD" ? 405 : 200);
    expect((await recordOf(marked)).verb).toBe(verb);
    expect((await eventWhere((e) => e.requestURI === marked)).verb).toBe(verb);
  });

  test("T18 a field selector on the name names the object", async () => {
    const target = "/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx";
    await stand.ask("ada", "GET", target);
    expect(await recordOf(target)).toMatchObject({ verb: "list", name: "x" });
  });

  test("T19 methods are not overridden, and unknown ones are no verbs", async () => {
    const { status } = await stand.ask("rea", "GET", "/api/v1/namespaces/a/pods/p", ["X-HTTP-Method-Override: DELETE"]);
    expect(status).toBe(404);
    expect((await stand.ask("ada", "PROPFIND", "/api/v1/pods")).status).toBe(405);
    expect((await stand.ask("ada", "FOO", "/api/v1/pods")).status).toBeGreaterThanOrEqual(400);
    expect((await stand.ask("ada", "OPTIONS", "/api/v1/pods")).status).toBe(405);
  });

  test.each(["/api/v1/namespaces/a/pods/p/proxy/x", "/api/v1/namespaces/a/services/s/proxy", "/api/v1/nodes/n/proxy/run"])(
    "T20 the right to get %s does not run it",
    async (target) => {
      const { status } = await stand.ask("rea", "GET", target);
      expect(status).toBe(403);
      expect((await recordOf(target)).verb).toBe("proxy");
    },
  );

  test("what classify decides is what the API server's audit log saw, for random targets", { timeout: 300_000 }, async () => {
    const word = fc.constantFrom(
      "api",
      "apis",
      "v1",
      "apps",
      "namespaces",
      "pods",
      "exec",
      "watch",
      "proxy",
      "a",
      "%61",
      "status",
      "x y",
      "deployments",
      "nodes",
      "",
    );
    const query = fc.constantFrom(
      "",
      "?watch",
      "?watch=0",
      "?watch=1&timeoutSeconds=1",
      "?fieldSelector=metadata.name%3Dq",
      "?watch=false&limit=x",
      "?a;watch=1",
    );
    const target = fc
      .tuple(fc.array(word, { maxLength: 8 }), query)
      .map(([words, q]) => `/${words.map(encodeLoosely).join("/")}${q}`);
    const samples = fc.sample(fc.tuple(fc.constantFrom("GET", "HEAD", "DELETE", "POST"), target), {
      numRuns: 250,
      seed: 20261121,
    });
    let n = 0;
    for (const [method, path] of samples) {
      const marked = `${path}${path.includes("?") ? "&" : "?"}n=${n++}`;
      const { status } = await stand.ask(
        "ada",
        method,
        marked,
        method === "POST" ? ["Content-Type: application/json"] : [],
        method === "POST" ? "{}" : "",
      );
      expect(status, `${method} ${marked}`).toBeGreaterThan(0);
    }
    await sleep(2500);
    const events = new Map((await audited.events()).map((event) => [event.auditID, event]));
    let compared = 0;
    for (const record of stand.records) {
      if (!/[?&]n=\d+$/.test(String(record.data["target"])) || record.outcome === "refused") continue;
      const event = events.get(String(record.data["auditID"]));
      if (event === undefined) continue;
      compared++;
      const reference = event.objectRef;
      const isProxy = reference?.subresource === "proxy";
      const sub = reference?.subresource === undefined ? "" : `/${reference.subresource}`;
      expect(
        { verb: isProxy ? event.verb : record.verb, resource: record.resource, namespace: record.namespace, name: record.name },
        String(record.data["target"]),
      ).toEqual({
        verb: event.verb,
        resource: reference?.resource === undefined ? undefined : `${reference.resource}${sub}`,
        namespace: reference?.namespace,
        name: reference?.name,
      });
    }
    expect(compared).toBeGreaterThan(100);
  });
});

const encodeLoosely = (word: string) => word.replaceAll(" ", "%20");

const upgrade = (protocol: string, more: readonly string[] = []) => ["Connection: Upgrade", `Upgrade: ${protocol}`, ...more];
const websocket = (more: readonly string[] = []) =>
  upgrade("websocket", ["Sec-WebSocket-Version: 13", `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`, ...more]);

describe("upgrades", () => {
  const exec = "/api/v1/namespaces/a/pods/p/exec?command=id&stdout=1";

  test("T21 exec by GET over WebSocket needs the right to create", async () => {
    const { status, body } = await stand.ask("rea", "GET", exec, websocket(["Sec-WebSocket-Protocol: v5.channel.k8s.io"]));
    expect(status, body).toBe(403);
    expect(body).toContain("pods/exec");
  });

  test.each(["h2c", "foo", "HTTP/2.0", "TLS/1.0"])("T24 an upgrade to %s is refused", async (protocol) => {
    expect((await stand.ask("ada", "GET", exec, upgrade(protocol))).status).toBe(400);
  });

  test.each([
    ["no subprotocol", []],
    ["an unknown subprotocol", ["Sec-WebSocket-Protocol: v9.channel.k8s.io"]],
  ])("T25 a stream with %s is not begun", async (_, lines) => {
    expect((await stand.ask("ada", "GET", exec, websocket(lines))).status).toBe(400);
  });

  test("T27 an upgrade that could not be recorded is refused: proxies", async () => {
    for (const target of ["/api/v1/namespaces/a/pods/p/proxy/", "/api/v1/nodes/n/proxy/exec/a/p/c"]) {
      expect((await stand.ask("ada", "GET", target, websocket())).status).toBe(403);
      expect((await stand.ask("ada", "POST", target, upgrade("SPDY/3.1"))).status).toBe(403);
    }
  });

  test("T29 a page of another site opens no socket", async () => {
    const lines = websocket(["Sec-WebSocket-Protocol: v5.channel.k8s.io", "Origin: https://evil.example"]);
    expect((await stand.ask("ada", "GET", exec, lines)).status).toBe(403);
    const own = websocket(["Sec-WebSocket-Protocol: v5.channel.k8s.io", "Origin: https://gateway"]);
    expect((await stand.ask("ada", "GET", exec, own)).status).toBe(404);
  });

  test("T29 cookies say nothing", async () => {
    const answer = await stand.raw(
      `GET ${exec} HTTP/1.1\r\nHost: x\r\nCookie: token=ada-token\r\n${websocket().join("\r\n")}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 401/);
  });

  test("a watch over WebSocket, with the token as browsers send it, which stays here", async () => {
    const socket = await stand.socket();
    const token = Buffer.from("ada-token").toString("base64url");
    const lines = websocket([
      "Origin: https://x",
      `Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.${token}, base64.binary.k8s.io`,
    ]);
    socket.write(`GET /api/v1/namespaces/default/services?watch=1 HTTP/1.1\r\nHost: x\r\n${lines.join("\r\n")}\r\n\r\n`);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    for (let i = 0; i < 100 && !/\r\n\r\n[\s\S]+/.test(text); i++) await sleep(50);
    expect(text).toMatch(/^HTTP\/1.1 101/);
    expect(text.length).toBeGreaterThan(200);
    expect(stand.streams?.size).toBe(1);
    socket.destroy();
    for (let i = 0; i < 100 && stand.streams?.size !== 0; i++) await sleep(20);
    expect(stand.streams?.size).toBe(0);
  });
});

describe("what is answered", () => {
  test("T66 protobuf, CBOR, tables, gzip and patches pass as they are", async () => {
    const big = JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "big" },
      data: { x: "y".repeat(300_000) },
    });
    expect(
      (await stand.ask("ada", "POST", "/api/v1/namespaces/default/configmaps", ["Content-Type: application/json"], big)).status,
    ).toBe(201);
    const path = "/api/v1/namespaces/default/configmaps/big";
    const protobuf = await stand.ask("ada", "GET", path, ["Accept: application/vnd.kubernetes.protobuf"]);
    expect(protobuf.head).toContain("application/vnd.kubernetes.protobuf");
    expect(protobuf.body).toMatch(/^k8s\0/);
    const table = await stand.ask("ada", "GET", path, ["Accept: application/json;as=Table;v=v1;g=meta.k8s.io"]);
    expect(JSON.parse(table.body)).toMatchObject({ kind: "Table" });
    const partial = await stand.ask("ada", "GET", path, ["Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"]);
    expect(JSON.parse(partial.body)).toMatchObject({ kind: "PartialObjectMetadata" });
    const zipped = await rawBody(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n`,
    );
    expect(zipped.head).toMatch(/content-encoding: gzip/i);
    expect(JSON.parse(gunzipSync(zipped.body).toString()).data.x).toHaveLength(300_000);
    const applied = await stand.ask(
      "ada",
      "PATCH",
      `${path}?fieldManager=t&force=true`,
      ["Content-Type: application/apply-patch+yaml"],
      "apiVersion: v1\nkind: ConfigMap\ndata: {x: z}\n",
    );
    expect(applied.status).toBe(200);
    const conditional = await stand.ask("ada", "GET", "/openapi/v2", ["Accept: application/json"]);
    const etag = /^etag: (.*)$/im.exec(conditional.head)?.[1] ?? "";
    expect((await stand.ask("ada", "GET", "/openapi/v2", ["Accept: application/json", `If-None-Match: ${etag}`])).status).toBe(
      304,
    );
  });

  test("T62 a body above the limit is answered 413, told or counted", async () => {
    const told = await stand.raw(
      `POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\nContent-Length: 999999999\r\n\r\n`,
    );
    expect(told).toMatch(/^HTTP\/1.1 413/);
    const socket = await stand.socket();
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.on("error", () => {});
    socket.write(
      "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const chunk = "x".repeat(0x10000);
    for (let i = 0; i < 60 && !socket.destroyed && text === ""; i++) {
      socket.write(`10000\r\n${chunk}\r\n`);
      await sleep(5);
    }
    for (let i = 0; i < 100 && text === ""; i++) await sleep(20);
    expect(text).toMatch(/^HTTP\/1.1 413/);
    socket.destroy();
  });

  test("T62 request smuggling: two lengths, both framings, a GET with a body, odd transfer codings", async () => {
    const start = "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\n";
    const bodies = [
      "Content-Length: 4\r\nContent-Length: 40\r\n\r\nabcd",
      "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ];
    for (const body of bodies) expect(await stand.raw(start + body), body).toMatch(/^HTTP\/1.1 (400|501)/);
    expect((await stand.ask("ada", "GET", "/api", ["Content-Length: 3"], "abc")).status).toBe(400);
  });

  test("T62 one person may not keep more open than the limit", async () => {
    const sockets = await Promise.all(Array.from({ length: 3 }, () => stand.socket()));
    const watch =
      "GET /api/v1/namespaces/default/services?watch=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\n\r\n";
    for (const socket of sockets) {
      socket.write(watch);
      await new Promise((resolve) => socket.once("data", resolve));
    }
    expect((await stand.ask("ada", "GET", "/api/v1/namespaces/default/services?watch=1")).status).toBe(429);
    for (const socket of sockets) socket.destroy();
    for (let i = 0; i < 100 && stand.streams?.size !== 0; i++) await sleep(20);
    expect(stand.streams?.size).toBe(0);
  });

  test("T61 no token is in any record or trouble", async () => {
    await stand.ask("ada", "GET", "/api");
    await sleep(300);
    expect(JSON.stringify(stand.records)).not.toContain("ada-token");
    expect(stand.troubles.map(String).join()).not.toContain("ada-token");
  });
});

async function rawBody(text: string): Promise<{ readonly head: string; readonly body: Buffer }> {
  const socket = await stand.socket();
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {});
  socket.write(text);
  await new Promise((resolve) => socket.once("close", resolve));
  const all = Buffer.concat(chunks);
  const at = all.indexOf("\r\n\r\n");
  const head = all.subarray(0, at).toString();
  const rest = all.subarray(at + 4);
  return { head, body: /chunked/i.test(head) ? unchunked(rest) : rest };
}

/** An API server that answers every request with the same bytes, and keeps what it was sent. */
class HostileServer {
  readonly received: string[] = [];
  readonly #server: Server;
  readonly sockets = new Set<TLSSocket>();
  answer = "";

  constructor(identity: { readonly certificate: string; readonly key: string }) {
    this.#server = createServer({ cert: identity.certificate, key: identity.key, ALPNProtocols: ["http/1.1"] }, (socket) => {
      this.sockets.add(socket);
      socket
        .on("error", () => {})
        .on("data", (chunk: Buffer) => {
          this.received.push(chunk.toString("latin1"));
          if (chunk.includes("\r\n\r\n")) socket.write(this.answer);
        });
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

describe("a hostile API server", () => {
  let hostile: HostileServer;
  let before: GatewayStand;
  const exec = "/api/v1/namespaces/a/pods/p/exec?command=id";
  const lines = websocket(["Sec-WebSocket-Protocol: v5.channel.k8s.io"]);

  beforeAll(async () => {
    const authority = await createAuthority("hostile", Date.now(), 10);
    hostile = new HostileServer(await issueServerCertificate(authority, { dns: [], ips: ["127.0.0.1"] }, Date.now(), 10));
    const port = await hostile.listen();
    const access: ClusterAccess = {
      context: "hostile",
      server: `https://127.0.0.1:${port}`,
      authority: authority.certificate,
      insecure: false,
      serverName: undefined,
      proxy: undefined,
      namespace: "default",
      identity: { token: "gateway-secret" },
    };
    hostile.answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}";
    before = new GatewayStand({ kubectl: "" });
    before.people.set("ada", person("ada", ["team"]));
    await before.start(access, {
      headersMilliseconds: 2000,
      parts: { rights: { covers: () => ({ covered: true, by: "roles" }), onChange: () => () => {} } },
    });
  });

  afterAll(async () => {
    await before?.stop();
    hostile?.close();
  });

  test("T10 the client's credential is not in what it is sent; the gateway's is, once", async () => {
    hostile.received.length = 0;
    await before.ask("ada", "GET", "/api/v1/pods?t10");
    const sent = hostile.received.find((text) => text.includes("t10")) ?? "";
    expect(sent).not.toContain("ada-token");
    expect(sent.match(/^authorization: .*$/gim)).toEqual(["authorization: Bearer gateway-secret"]);
    expect(sent.startsWith("GET /api/v1/pods?t10 HTTP/1.1\r\n")).toBe(true);
    expect(sent.match(/^Impersonate-User: .*$/gim)).toEqual(["Impersonate-User: ada@example.com"]);
  });

  test("T22 a failed upgrade is answered and closed: what the client goes on to write reaches nobody", async () => {
    hostile.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
    hostile.received.length = 0;
    const socket = await before.socket();
    let text = "";
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (chunk: Buffer) => (text += chunk.toString())).on("error", () => {});
    const smuggled = "GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\nImpersonate-User: system:admin\r\n\r\n";
    socket.write(
      `GET ${exec} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\n${lines.join("\r\n")}\r\n\r\n${smuggled}`,
    );
    await closed;
    expect(text).toMatch(/^HTTP\/1.1 200 OK/);
    expect(hostile.received.join("")).not.toContain("secrets");
  });

  test.each([
    ["T23", "302 Found", `GET`, exec],
    ["T23", "307 Temporary Redirect", "GET", "/apis/metrics.k8s.io/v1beta1/nodes"],
    ["T09", "301 Moved Permanently", "GET", "/api/v1/pods"],
  ])("%s a redirect by %s is not followed", async (_, status, method, target) => {
    hostile.answer = `HTTP/1.1 ${status}\r\nLocation: https://127.0.0.1:1/steal\r\nContent-Length: 0\r\n\r\n`;
    const answer = await before.ask("ada", method, target, target === exec ? lines : []);
    expect(answer.status).toBe(502);
    expect(answer.head.toLowerCase()).not.toContain("location");
  });

  test.each(["HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n", "garbage\r\n\r\n"])(
    "T22 an upgrade to what was not asked for is no upgrade: %j",
    async (answer) => {
      hostile.answer = answer;
      expect((await before.ask("ada", "GET", exec, lines)).status).toBe(502);
    },
  );

  test("T63, T64 what comes without a length or an end is passed on as it comes, for as long as it comes", async () => {
    hostile.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nfirst\n";
    const socket = await before.socket();
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString())).on("error", () => {});
    socket.write(
      "GET /api/v1/namespaces/a/pods/p/log?follow=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\n\r\n",
    );
    for (let i = 0; i < 100 && !text.includes("first"); i++) await sleep(20);
    expect(text).toContain("first");
    await sleep(500);
    for (const upstream of hostile.sockets) if (!upstream.destroyed) upstream.write("second\n");
    for (let i = 0; i < 100 && !text.includes("second"); i++) await sleep(20);
    expect(text).toContain("second");
    socket.destroy();
  });

  test("T62 who sends header lines slowly is answered 408 and gone", async () => {
    const socket = await before.socket();
    let text = "";
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (chunk: Buffer) => (text += chunk.toString())).on("error", () => {});
    socket.write("GET /api/v1/pods HTTP/1.1\r\nHost: x\r\n");
    const drip = setInterval(() => socket.write("X-Slow: 1\r\n"), 200);
    await closed;
    clearInterval(drip);
    expect(text).toMatch(/^HTTP\/1.1 408[\s\S]*"kind":"Status"/);
  });

  test("an answer that breaks off is not taken for whole", async () => {
    hostile.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart";
    const socket = await before.socket();
    let text = "";
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (chunk: Buffer) => (text += chunk.toString())).on("error", () => {});
    socket.write("GET /api/v1/pods HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada-token\r\n\r\n");
    for (let i = 0; i < 100 && !text.includes("part"); i++) await sleep(20);
    for (const upstream of hostile.sockets) upstream.destroy();
    await closed;
    expect(text).toMatch(/Content-Length: 100[\s\S]*part$/i);
  });
});
