import { createPrivateKey } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SignJWT } from "jose";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRegisteredClusters } from "../../src/adapters/kubernetes/registered-clusters.ts";
import { tokenClaims } from "../../src/adapters/kubernetes/token-claims.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { startPostgres } from "../database/postgres.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";
import { configMap, requireTeam } from "./require-team.ts";

const day = 86_400_000;
let clusters: readonly (Cluster | NotAvailable)[] = [];
let directory = "";
let server: CastellanServer;
/** Those that a failed test leaves are stopped in the end. */
const others: CastellanServer[] = [];

function running(index: number): Cluster {
  const cluster = clusters[index];
  if (cluster?.available !== true) throw new Error(cluster?.reason ?? "not started");
  return cluster;
}

beforeAll(async () => {
  clusters = await Promise.all([startCluster(), startCluster()]);
  if (clusters.some((cluster) => !cluster.available)) return;
  directory = await mkdtemp(join(tmpdir(), "castellan-registered-"));
  await writeFile(join(directory, "policy.yaml"), requireTeam);
  await writeFile(join(directory, "ca.crt"), running(1).authority);
  await writeFile(join(directory, "ca-of-another.crt"), running(0).authority);
  await writeFile(join(directory, "no-ca.crt"), "");
  await writeFile(join(directory, "admin.token"), running(1).token("admin"));
  await writeFile(join(directory, "bob.token"), running(1).token("bob"));
  await writeFile(join(directory, "false.token"), "nobody");
  server = new CastellanServer(join(directory, "data"), [
    ...["--policies", join(directory, "policy.yaml"), "--gateway-listen", "127.0.0.1:0"],
  ]);
});

afterAll(async () => {
  await server?.stop();
  for (const one of others) await one.stop();
  await Promise.all(clusters.map(async (cluster) => cluster.available && cluster.stop()));
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

const file = () => join(directory, "data", "clusters.yaml");
const add = (...args: readonly string[]) => server.run("cluster", "add", ...args);
const asAdmin = (name: string, ...args: readonly string[]) =>
  add(name, "--context", "admin", "--kubeconfig", running(0).kubeconfig, ...args);
const byToken = (
  name: string,
  { token = "admin.token", authority = "ca.crt", url = running(1).server } = {},
  ...more: readonly string[]
) => {
  const trust = ["--certificate-authority", join(directory, authority)];
  return add(name, "--server", url, ...trust, "--token-file", join(directory, token), ...more);
};
const list = async () => JSON.parse((await server.run("cluster", "list", "-o", "json")).text);
const inFirst = async (...args: readonly string[]) => (await kubectl(running(0), args)).text.trim();

/** The token that is kept for our own account. */
async function keptToken(): Promise<string> {
  const read = readRegisteredClusters(file());
  const token = read.ok ? read.value.find(({ name }) => name === "training")?.access.identity.token : undefined;
  return token ?? "";
}

/** A token of the account as the API server would have given it at another time. */
async function tokenOf(issued: number, ends: number): Promise<string> {
  const key = createPrivateKey(await readFile(join(dirname(running(0).kubeconfig), "sa.key"), "utf8"));
  const uid = await inFirst("get", "serviceaccount", "castellan", "-n", "castellan", "-o", "jsonpath={.metadata.uid}");
  return new SignJWT({ "kubernetes.io": { namespace: "castellan", serviceaccount: { name: "castellan", uid } } })
    .setProtectedHeader({ alg: "RS256" })
    .setIssuer("https://kubernetes.default.svc")
    .setAudience("https://kubernetes.default.svc")
    .setSubject("system:serviceaccount:castellan:castellan")
    .setIssuedAt(Math.floor(issued / 1000))
    .setNotBefore(Math.floor(issued / 1000))
    .setExpirationTime(Math.floor(ends / 1000))
    .sign(key);
}

/** As if this were the token that was registered. */
async function register(token: string): Promise<void> {
  const text = await readFile(file(), "utf8");
  await writeFile(file(), text.replace(await keptToken(), token), { mode: 0o600 });
  await rm(join(directory, "data", "cluster-tokens"), { recursive: true, force: true });
}

describe("clusters that are registered", () => {
  test("are previewed: nothing is made, and nothing kept", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { code, text } = await asAdmin("training");
    expect([code, text]).toEqual([0, expect.stringContaining("Nothing was done: add --yes")]);
    for (const part of ["kind: ClusterRoleBinding", "name: castellan-write", "resourceNames:", "serviceaccounts/token"])
      expect(text).toContain(part);
    expect(await inFirst("get", "namespace", "castellan")).toContain("NotFound");
    await expect(stat(file())).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("never take the place of what somebody else installed", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    await inFirst("create", "clusterrole", "castellan-read", "--verb=get", "--resource=pods");
    const { code, text } = await asAdmin("training", "--yes");
    expect([code, text]).toEqual([1, expect.stringContaining("ClusterRole castellan-read: there already, and not made by us")]);
    expect(await inFirst("get", "namespace", "castellan")).toContain("NotFound");
    await inFirst("delete", "clusterrole", "castellan-read");
  });

  test("with an account of ours: made with --yes, its token kept for us alone and shown to nobody", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { code, text } = await asAdmin("training", "--yes");
    expect([code, text]).toEqual([0, expect.stringMatching(/training: https:\S+, v.*no right is missing/)]);
    const token = await keptToken();
    const claims = tokenClaims(token);
    expect(claims?.subject).toBe("system:serviceaccount:castellan:castellan");
    expect((claims?.ends ?? 0) - (claims?.issued ?? 0)).toBe(30 * day);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const listed = await list();
    expect(listed).toEqual({
      clusters: [
        {
          ...{ name: "training", server: running(0).server, reached: true, missingRights: [] },
          ...{ version: expect.stringMatching(/^v/), tokenEnds: new Date(claims?.ends ?? 0).toISOString() },
        },
      ],
    });
    for (const shown of [text, JSON.stringify(listed), (await server.run("cluster", "list")).text])
      expect(shown).not.toContain(token.slice(0, 20));
    // Again is no harm.
    expect(await asAdmin("training", "--yes")).toMatchObject({ code: 0, text: expect.stringContaining("updated ClusterRole") });
  });

  test.for([
    { what: ["list", "pods", "-A"], answer: "yes" },
    { what: ["patch", "validatingwebhookconfigurations/castellan"], answer: "yes" },
    { what: ["create", "serviceaccounts/castellan", "--subresource=token", "-n", "castellan"], answer: "yes" },
    { what: ["create", "serviceaccounts/default", "--subresource=token", "-n", "castellan"], answer: "no" },
    { what: ["create", "serviceaccounts/castellan", "--subresource=token", "-n", "default"], answer: "no" },
    { what: ["create", "validatingwebhookconfigurations"], answer: "no" },
    { what: ["get", "secrets", "-n", "castellan"], answer: "no" },
    { what: ["patch", "clusterroles/castellan-read"], answer: "no" },
  ])("the account may $what: $answer", async ({ what, answer }, { skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const text = await inFirst("auth", "can-i", ...what, "--as", "system:serviceaccount:castellan:castellan");
    expect(/^(yes|no)$/m.exec(text)?.[0]).toBe(answer);
  });

  test.for([
    { what: "nothing vouches for the server", given: { authority: "no-ca.crt" }, says: "holds no certificate in PEM" },
    { what: "another authority does", given: { authority: "ca-of-another.crt" }, says: /does not let us in: .*certificate/ },
    { what: "the way is not encrypted", given: { url: "http://127.0.0.1:1" }, says: "is not https" },
    { what: "nobody is there", given: { url: "https://127.0.0.1:1" }, says: "ECONNREFUSED" },
    { what: "the token is nobody's", given: { token: "false.token" }, says: "Unauthorized" },
    { what: "there is no token", given: { token: "no-ca.crt" }, says: "holds no token" },
  ])("a token that you have is refused where $what", async ({ given, says }, { skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { code, text } = await byToken("serving", given);
    expect([code, text]).toEqual([3, expect.stringMatching(says)]);
    expect(await readFile(file(), "utf8")).not.toContain("serving");
  });

  test("by a token that you have: the rights that it lacks are told", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { code, text } = await byToken("serving", { token: "bob.token" });
    expect([code, text]).toEqual([1, expect.stringContaining("it may not get, list, watch namespaces")]);
    const bare = await server.run("cluster", "list");
    expect(bare.code).toBe(1);
    expect(bare.text).toContain("get, patch validatingwebhookconfigurations.admissionregistration.k8s.io castellan");
    expect(await byToken("serving")).toMatchObject({ code: 0 });
    expect(await readFile(file(), "utf8")).not.toContain(running(1).token("admin"));
  });

  test("are governed together: admission, findings, metrics; and a token is renewed in time", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    // As of a server that comes back when half of its token's time is over.
    await register(await tokenOf(Date.now() - 20 * 60_000, Date.now() + 15 * 60_000));
    const registered = await keptToken();
    await kubectl(running(0), ["apply", "-f", "-"], configMap("of-training"));
    await server.start();
    await server.until(() => server.output.includes("castellan: governs training") && server.output.includes("governs serving"));
    for (const index of [0, 1]) {
      const { code, text } = await kubectl(running(index), ["apply", "-f", "-"], configMap("denied"));
      expect([code, text]).toEqual([1, expect.stringContaining("label team is required")]);
    }
    const login = /console:? .*?(http:\/\/\S+)/.exec(server.output)?.[1] ?? "";
    const cookie = String((await request(login)).headers["set-cookie"]).split(";")[0] ?? "";
    const ask = async (path: string) => (await request(`${new URL(login).origin}${path}`, { headers: { cookie } })).body.json();
    expect(await ask("/api/v1/overview")).toMatchObject({ clusters: ["training", "serving"], unreached: [] });
    await server.until(async () => JSON.stringify(await ask("/api/v1/findings?cluster=training")).includes("of-training"));
    await server.until(() => server.output.includes("the token of training was renewed"));
    const renewed = await readFile(join(directory, "data", "cluster-tokens", "training"), "utf8");
    expect(renewed.trim()).not.toBe(registered);
    const { ends = 0, issued = 0 } = tokenClaims(renewed.trim()) ?? {};
    expect(ends - issued).toBe(35 * 60_000);
    expect((await stat(join(directory, "data", "cluster-tokens", "training"))).mode & 0o777).toBe(0o600);
    expect(await list()).toMatchObject({
      clusters: expect.arrayContaining([expect.objectContaining({ name: "training", tokenEnds: new Date(ends).toISOString() })]),
    });
    const metrics = await server.metrics();
    expect(metrics).toContain(`castellan_cluster_token_expiry_timestamp_seconds{cluster="training"} ${ends / 1000}`);
    for (const token of [registered, renewed, running(1).token("admin")])
      for (const shown of [server.output, metrics, JSON.stringify(await ask("/api/v1/overview"))])
        expect(shown).not.toContain(token.slice(0, 30));
    expect(server.output).not.toContain("could not be renewed");
    // The gateway goes the same way, and has no rights by registration.
    expect(server.output).toMatch(/gateway to training: its account system:serviceaccount:castellan:castellan may not/);
    await server.stop();
    // Its own account may not delete them: nothing waits for a server that is gone.
    const left = await inFirst("get", "validatingwebhookconfiguration", "castellan", "-o", "jsonpath={.webhooks}");
    expect(["", "[]"]).toContain(left);
    expect((await kubectl(running(0), ["apply", "-f", "-"], configMap("let-through"))).code).toBe(0);
  });

  test("a token that has ended is told wherever its cluster is shown", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    // API servers forgive a minute.
    const ended = await tokenOf(Date.now() - day, Date.now() - 5 * 60_000);
    await register(ended);
    const why = /the token of system:serviceaccount:castellan:castellan ended at 2\S+Z/;
    const listed = await server.run("cluster", "list");
    expect([listed.code, listed.text]).toEqual([2, expect.stringMatching(why)]);
    // Of a server with a directory of its own the file is mounted from a Secret.
    const other = new CastellanServer(join(directory, "other"), [
      ...["--policies", join(directory, "policy.yaml"), "--clusters", file()],
    ]);
    await other.start();
    try {
      expect(other.output).toMatch(/training is not reached: .*ended at/);
      expect(other.output).toContain("castellan: governs serving");
      expect(await other.metrics()).toContain('castellan_cluster_reached{cluster="training"} 0');
      // Registered anew while the server runs, it is taken up within the minute.
      expect(await asAdmin("training", "--yes")).toMatchObject({ code: 0 });
      await other.until(() => other.output.includes("castellan: governs training"), 150);
    } finally {
      await other.stop();
    }
  }, 240_000);

  test("of replicas one leads, by a Lease that the account may hold in its own namespace", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const postgres = await startPostgres();
    if (postgres === undefined) return skip("there is no PostgreSQL");
    const shared = new CastellanServer(join(directory, "shared"), ["--clusters", file(), "--no-webhook"], {
      DATABASE_URL: await postgres.create(),
    });
    try {
      await shared.start();
      const holder = ["get", "lease", "castellan", "-n", "castellan", "-o", "jsonpath={.spec.holderIdentity}"];
      await shared.until(async () => (await inFirst(...holder)).startsWith(hostname()));
      expect(shared.output).not.toMatch(/lease\S* .*forbidden/);
      // What it may not read is told by the cluster's name: the account's name is the same in all.
      expect(shared.output).toMatch(/castellan: training: secrets cannot be watched: .*forbidden/);
    } finally {
      await shared.stop();
      await postgres.stop();
    }
  });

  test("beside a cluster that reaches us by a Service are reached by URL, or judge nothing at admission", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const flags = ["--policies", join(directory, "policy.yaml"), "--clusters", join(directory, "edge.yaml")];
    const own = ["--context", "admin", "--kubeconfig", running(0).kubeconfig, "--webhook-service", "castellan/castellan"];
    await byToken("edge", {}, "--clusters", join(directory, "edge.yaml"));
    const kind = ["get", "validatingwebhookconfiguration", "castellan", "-o", "jsonpath={.webhooks[0].clientConfig}"];
    const remote = async () => (await kubectl(running(1), kind)).text;
    const alone = new CastellanServer(join(directory, "alone"), [...flags, ...own, "--take-over-webhooks"]);
    others.push(alone);
    await alone.start();
    await alone.until(async () => (await inFirst(...kind)).includes('"service"'));
    expect(alone.output).toContain("registered clusters are not judged at admission: --webhook-url says");
    expect(await remote()).toContain("NotFound");
    await alone.stop();
    const both = new CastellanServer(join(directory, "alone"), [...flags, ...own, "--webhook-url", "https://127.0.0.1:9"]);
    others.push(both);
    await both.start();
    await both.until(async () => (await remote()).includes('"url":"https://127.0.0.1:9/clusters/edge/'));
    expect(await inFirst(...kind)).toContain('"service"');
    await both.stop();
    for (const cluster of [0, 1]) {
      for (const kind of ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"])
        await kubectl(running(cluster), ["patch", kind, "castellan", "--type=merge", "-p", '{"webhooks":[]}']);
    }
  });

  test("are forgotten, and what was made is removed where that is asked for, previewed", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const token = await keptToken();
    const forget = (...args: readonly string[]) => server.run("cluster", "remove", "training", ...args);
    const way = ["--and-its-account", "--kubeconfig", running(0).kubeconfig];
    const preview = await forget(...way);
    expect([preview.code, preview.text]).toEqual([0, expect.stringContaining("would remove ClusterRole castellan-write")]);
    expect(await inFirst("get", "clusterrole", "castellan-write")).toContain("castellan-write");
    expect(await list()).toMatchObject({ clusters: [{ name: "training" }, { name: "serving" }] });
    await inFirst("create", "configmap", "of-somebody", "-n", "castellan");
    const done = await forget(...way, "--yes");
    expect([done.code, done.text]).toEqual([
      0,
      expect.stringContaining("Namespace castellan stays: ConfigMap of-somebody in it"),
    ]);
    for (const [kind, name] of [
      ["clusterrole", "castellan-read"],
      ["clusterrolebinding", "castellan-write"],
      ["validatingwebhookconfiguration", "castellan"],
    ])
      expect(await inFirst("get", kind ?? "", name ?? "")).toContain("NotFound");
    expect(await inFirst("get", "serviceaccount", "castellan", "-n", "castellan")).toContain("NotFound");
    const { text } = await kubectl(running(0), ["get", "namespaces", "--token", token, "--kubeconfig", "/dev/null"]);
    expect(text).not.toContain("kube-system");
    expect(await list()).toMatchObject({ clusters: [{ name: "serving" }] });
    expect(await server.run("cluster", "remove", "serving")).toMatchObject({ code: 0 });
    expect(await server.run("cluster", "list")).toMatchObject({
      code: 0,
      text: expect.stringContaining("No cluster is registered"),
    });
  });
});

const data = Buffer.from("-----BEGIN CERTIFICATE-----").toString("base64");
test.for([
  { what: "no authority", cluster: { server: "https://a" }, user: { token: "t" }, says: "no certificate authority" },
  {
    what: "no verification",
    cluster: { server: "https://a", "insecure-skip-tls-verify": true },
    user: { token: "t" },
    says: "anybody on the way could take the token",
  },
  {
    what: "no encryption",
    cluster: { server: "http://a", "certificate-authority-data": data },
    user: { token: "t" },
    says: "is not https",
  },
  { what: "no token", cluster: { server: "https://a", "certificate-authority-data": data }, user: {}, says: "no token" },
])("a mounted file with $what is refused, and names the cluster", async ({ cluster, user, says }) => {
  const own = await mkdtemp(join(tmpdir(), "castellan-clusters-"));
  await mkdir(own, { recursive: true });
  const path = join(own, "clusters.yaml");
  const contexts = [{ name: "edge", context: { cluster: "edge", user: "edge" } }];
  await writeFile(path, JSON.stringify({ clusters: [{ name: "edge", cluster }], users: [{ name: "edge", user }], contexts }));
  const read = readRegisteredClusters(path);
  await rm(own, { recursive: true });
  expect(read.ok).toBe(false);
  expect(read.diagnostics.map(({ message }) => message).join()).toMatch(new RegExp(`edge: .*${says}`));
});
