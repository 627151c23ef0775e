import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, freePort, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";
import { configMap, requireTeam } from "./require-team.ts";

let cluster: Cluster | NotAvailable;
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-webhook-reach-"));
  await writeFile(join(directory, "policies.yaml"), requireTeam);
  cluster = await startCluster();
});
afterAll(async () => {
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A kubeconfig that reaches the cluster by another address. */
function kubeconfigOf({ server, token }: Cluster, host: string): string {
  const address = new URL(server);
  address.hostname = host;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "there",
    clusters: [{ name: "there", cluster: { server: address.origin, "insecure-skip-tls-verify": true } }],
    users: [{ name: "me", user: { token: token("admin") } }],
    contexts: [{ name: "there", context: { cluster: "there", user: "me" } }],
  });
}

// Nobody's address, at which this machine answers: as little loopback by its text as another machine's.
const elsewhere = "0.0.0.0";

test.for([
  { title: "on this machine calls the webhook here", host: "127.0.0.1", flags: () => [], isJudged: true, name: "here" },
  { title: "elsewhere is not told to call itself", host: elsewhere, flags: () => [], isJudged: false, name: "unjudged" },
  {
    title: "elsewhere calls what its operator names",
    host: elsewhere,
    flags: (webhook: string) => ["--webhook-url", `https://${webhook}`],
    isJudged: true,
    name: "elsewhere",
  },
])("an API server $title", async ({ title, host, flags, isJudged, name }, { skip }) => {
  if (!cluster.available) return skip(cluster.reason);
  const kubeconfig = join(directory, `${title}.yaml`);
  await writeFile(kubeconfig, kubeconfigOf(cluster, host));
  const webhook = `127.0.0.1:${await freePort()}`;
  const own = ["--kubeconfig", kubeconfig, "--policies", join(directory, "policies.yaml"), ...flags(webhook)];
  const server = new CastellanServer(join(directory, title), own, {}, webhook);
  await server.start();
  try {
    const said = `there is not judged at admission: its API server, ${new URL(cluster.server).origin.replace("127.0.0.1", host)}, cannot call ${webhook}`;
    expect(server.output.includes(said)).toBe(!isJudged);
    const { code, text } = await kubectl(cluster, ["apply", "-f", "-"], configMap(name));
    expect([code, text.includes("label team is required")]).toEqual(isJudged ? [1, true] : [0, false]);
    const { text: registered } = await kubectl(cluster, ["get", "validatingwebhookconfigurations", "-o", "name"]);
    expect(registered.includes("/castellan")).toBe(isJudged);
  } finally {
    await server.stop();
  }
});
