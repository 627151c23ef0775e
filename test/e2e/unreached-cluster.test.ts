import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, freePort, startCluster } from "../cluster/start.ts";
import { CastellanServer, castellan, kubectl } from "./castellan-server.ts";
import { configMap, requireTeam } from "./require-team.ts";

/** The way to a cluster, which can be cut and mended. */
class Way {
  readonly port: number;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  async mend(): Promise<void> {
    const server = createServer((socket) => {
      const onward = connectTcp(this.#target, "127.0.0.1");
      for (const end of [socket, onward]) {
        this.#sockets.add(end);
        end.on("error", () => {});
        end.once("close", () => this.#sockets.delete(end));
      }
      socket.pipe(onward).pipe(socket);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
  }

  async cut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

let clusters: readonly (Cluster | NotAvailable)[] = [];
let directory = "";
let server: CastellanServer;
let way: Way;
let origin = "";
let cookie = "";

function running(index: number): Cluster {
  const cluster = clusters[index];
  if (cluster?.available !== true) throw new Error(cluster?.reason ?? "not started");
  return cluster;
}

const ask = async (path: string): Promise<Record<string, unknown>> =>
  (await request(`${origin}${path}`, { headers: { cookie } })).body.json() as Promise<Record<string, unknown>>;
const ready = async () => {
  const { statusCode, body } = await request(`${origin}/readyz`);
  return `${statusCode} ${await body.text()}`;
};

function kubeconfig(): string {
  const entries = [
    { name: "near", server: running(0).server, cluster: running(0) },
    { name: "far", server: `https://127.0.0.1:${way.port}`, cluster: running(1) },
  ];
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: entries.map((entry) => ({
      name: entry.name,
      cluster: {
        server: entry.server,
        "certificate-authority-data": Buffer.from(entry.cluster.authority).toString("base64"),
      },
    })),
    users: entries.map(({ name, cluster }) => ({ name, user: { token: cluster.token("admin") } })),
    contexts: entries.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
  });
}

beforeAll(async () => {
  clusters = await Promise.all([startCluster(), startCluster()]);
  if (clusters.some((cluster) => !cluster.available)) return;
  await kubectl(running(1), ["apply", "-f", "-"], configMap("of-far"));
  way = new Way(await freePort(), Number(new URL(running(1).server).port));
  directory = await mkdtemp(join(tmpdir(), "castellan-unreached-"));
  await writeFile(join(directory, "kubeconfig"), kubeconfig());
  await writeFile(join(directory, "policy.yaml"), requireTeam);
  server = new CastellanServer(join(directory, "data"), [
    ...["--kubeconfig", join(directory, "kubeconfig"), "--policies", join(directory, "policy.yaml")],
    ...["--context", "near", "--context", "far"],
  ]);
  await server.start();
  const login = /console:? .*?(http:\/\/\S+)/.exec(server.output)?.[1] ?? "";
  origin = new URL(login).origin;
  cookie = String((await request(login)).headers["set-cookie"]).split(";")[0] ?? "";
});

afterAll(async () => {
  await server?.stop();
  await way?.cut();
  await Promise.all(clusters.map(async (cluster) => cluster.available && cluster.stop()));
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

describe("a cluster that is not reached", () => {
  test("at the start holds up no other, and nothing is claimed of it", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    expect(server.output).toMatch(/far is not reached: .*ECONNREFUSED.*; nothing is known of it/);
    expect(server.output).toContain("castellan: governs near");
    expect(server.output).not.toContain("castellan: governs far");
    const denied = await kubectl(running(0), ["apply", "-f", "-"], configMap("denied"));
    expect(denied.text).toContain("label team is required");
    expect(await ready()).toBe("200 ok, but not reached: far");
    const overview = await ask("/api/v1/overview");
    expect(overview).toMatchObject({ clusters: ["near", "far"], unreached: [{ cluster: "far", known: false }] });
    expect(overview["byCluster"]).toMatchObject([{ name: "near" }]);
    expect(await ask("/api/v1/rbac/who-can?verb=get&resource=secrets&cluster=far")).toEqual({
      holders: [],
      unresolved: ["the cluster far is not reached: who can there is not known"],
    });
    expect(await ask("/api/v1/network.html?cluster=far")).toMatchObject({ code: "CLUSTER_UNREACHED" });
    const metrics = await server.metrics();
    expect(metrics).toContain('castellan_cluster_reached{cluster="far"} 0');
    expect(metrics).toContain('castellan_cluster_reached{cluster="near"} 1');
    expect(metrics).not.toContain('castellan_objects{cluster="far"}');
  });

  test("is taken up once it answers, its webhooks included", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    await way.mend();
    await server.until(() => server.output.includes("castellan: governs far"), 90);
    expect(await ready()).toBe("200 ok");
    expect(await ask("/api/v1/overview")).toMatchObject({ unreached: [], byCluster: [{}, {}] });
    expect(await ask("/api/v1/findings?cluster=far&text=of-far")).toMatchObject({ items: [{ name: "of-far" }] });
    const denied = await kubectl(running(1), ["apply", "-f", "-"], configMap("denied-too"));
    expect(denied.text).toContain("label team is required");
  });

  test("later is said once, keeps what was known of it, and comes back", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const before = server.output.length;
    await way.cut();
    await server.until(async () => (await ready()) === "200 ok, but not reached: far");
    expect(await ask("/api/v1/overview")).toMatchObject({ unreached: [{ cluster: "far", known: true }], byCluster: [{}, {}] });
    expect(await ask("/api/v1/findings?cluster=far&text=of-far")).toMatchObject({ items: [{ name: "of-far" }] });
    // Its API server still reaches us: what is known of it is judged by.
    expect((await kubectl(running(1), ["apply", "-f", "-"], configMap("denied-still"))).text).toContain("label team is required");
    await way.mend();
    await server.until(() => server.output.slice(before).includes("far is reached again"));
    expect(server.output.slice(before).match(/far is not reached/g)).toHaveLength(1);
    expect(server.output.slice(before)).not.toContain("cannot be watched");
    await kubectl(running(1), ["label", "configmap", "of-far", "team=nlp"]);
    await server.until(
      async () => JSON.stringify(await ask("/api/v1/findings?cluster=far&text=of-far")).includes('"total":0'),
      90,
    );
  });

  test("where no cluster is reached, the start ends with the reason", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const closed = await freePort();
    const text = kubeconfig().replaceAll(/127\.0\.0\.1:\d+/g, `127.0.0.1:${closed}`);
    await writeFile(join(directory, "nowhere"), text);
    const flags = ["--kubeconfig", join(directory, "nowhere"), "--context", "near", "--context", "far", "--no-webhook"];
    const args = [castellan, "serve", ...flags, "--data", join(directory, "other"), "--listen", "127.0.0.1:0"];
    await expect(promisify(execFile)(process.execPath, args)).rejects.toMatchObject({
      stderr: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
