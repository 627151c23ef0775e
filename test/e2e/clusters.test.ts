import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";
import { joinedKubeconfig } from "./joined-kubeconfig.ts";
import { configMap, requireTeam } from "./require-team.ts";

const names = ["training", "serving"] as const;
let clusters: readonly (Cluster | NotAvailable)[] = [];
let directory = "";
let server: CastellanServer;

function running(index: number): Cluster {
  const cluster = clusters[index];
  if (cluster?.available !== true) throw new Error(cluster?.reason ?? "not started");
  return cluster;
}

/** What the API answers to whoever followed the printed address. */
async function ask(path: string): Promise<unknown> {
  return (await request(`${origin}${path}`, { headers: { cookie } })).body.json();
}
let origin = "";
let cookie = "";

beforeAll(async () => {
  clusters = await Promise.all(names.map(() => startCluster()));
  if (clusters.some((cluster) => !cluster.available)) return;
  for (const index of names.keys()) await kubectl(running(index), ["apply", "-f", "-"], configMap(`before-${names[index]}`, {}));
  directory = await mkdtemp(join(tmpdir(), "castellan-clusters-"));
  const named = new Map([...names.entries()].map(([index, name]) => [name, running(index)]));
  await writeFile(join(directory, "kubeconfig"), joinedKubeconfig(named));
  await writeFile(join(directory, "policy.yaml"), requireTeam);
  server = new CastellanServer(join(directory, "data"), [
    ...["--kubeconfig", join(directory, "kubeconfig"), "--policies", join(directory, "policy.yaml")],
    ...names.flatMap((name) => ["--context", name]),
  ]);
  await server.start();
  const login = /console:? .*?(http:\/\/\S+)/.exec(server.output)?.[1] ?? "";
  origin = new URL(login).origin;
  const answer = await request(login);
  cookie = String(answer.headers["set-cookie"]).split(";")[0] ?? "";
});

afterAll(async () => {
  await server?.stop();
  await Promise.all(clusters.map(async (cluster) => cluster.available && cluster.stop()));
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

describe("several clusters in one server", () => {
  test.for([...names.entries()])("%i: %s is judged at admission, and its record names it", async ([index, name], { skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { code, text } = await kubectl(running(index), ["apply", "-f", "-"], configMap(`denied-${name}`, {}));
    expect([code, text]).toEqual([1, expect.stringContaining("label team is required")]);
    expect(await ask(`/api/v1/audit/records?cluster=${name}&kind=admission.decision&outcome=deny`)).toMatchObject({
      items: [{ cluster: name, name: `denied-${name}` }],
    });
  });

  test("pages span them, or show one", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const found = async (query: string) =>
      ((await ask(`/api/v1/findings?text=before-${query}`)) as { items: { cluster: string; name: string }[] }).items
        .filter(({ name }) => name.startsWith("before-"))
        .map(({ cluster, name }) => `${cluster} ${name}`)
        .sort();
    await server.until(async () => (await found("")).length === 2);
    expect(await found("")).toEqual(["serving before-serving", "training before-training"]);
    expect(await found("&cluster=serving")).toEqual(["serving before-serving"]);
    expect(await ask("/api/v1/overview")).toMatchObject({ clusters: [...names], policies: 1 });
    expect(await server.metrics()).toMatch(/castellan_policies\{cluster="training",state="working"\} 1/);
  });

  test("who can is asked of all, or of one", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const asked = async (query: string) =>
      new Set(
        ((await ask(`/api/v1/rbac/who-can?verb=get&resource=secrets${query}`)) as { holders: { cluster: string }[] }).holders.map(
          ({ cluster }) => cluster,
        ),
      );
    expect(await asked("")).toEqual(new Set(names));
    expect(await asked("&cluster=training")).toEqual(new Set(["training"]));
  });
});
