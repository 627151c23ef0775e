import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";

const policy = (label: string) => `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-${label}}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: [default]}}]}
      validate: {failureAction: Enforce, message: "label ${label} is required", pattern: {metadata: {labels: {${label}: "?*"}}}}
`;

let cluster: Cluster | NotAvailable;
let directory = "";
const servers: CastellanServer[] = [];

function running(): Cluster {
  if (!cluster.available) throw new Error(cluster.reason);
  return cluster;
}

/** A server of its own, with its own policies. */
function serverOf(label: string, ...flags: readonly string[]): CastellanServer {
  const all = ["--kubeconfig", running().kubeconfig, "--policies", join(directory, `${label}.yaml`), ...flags];
  const server = new CastellanServer(join(directory, label), all);
  servers.push(server);
  return server;
}

const denial = async () =>
  (
    await kubectl(
      running(),
      ["create", "--dry-run=server", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "default" } }),
    )
  ).text;
const holder = async () =>
  (
    await kubectl(running(), [
      "get",
      "validatingwebhookconfiguration",
      "castellan",
      "-o",
      "jsonpath={.metadata.annotations['castellan\\.dev/held-by']}",
    ])
  ).text;
const held = /the webhooks of admin are those of another server \(.*\), which holds them until .* --take-over-webhooks/;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-owner-"));
  for (const label of ["first", "second"]) await writeFile(join(directory, `${label}.yaml`), policy(label));
  cluster = await startCluster();
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("two servers on one cluster", () => {
  test("the second one leaves the first one's webhooks alone, and says so; after a restart they are still the first one's", async ({
    skip,
  }) => {
    if (!cluster.available) return skip(cluster.reason);
    const first = serverOf("first");
    await first.start();
    const second = serverOf("second");
    await second.start();
    expect(second.output).toMatch(held);
    expect(second.output).toContain(join(directory, "first"));
    expect(await denial()).toContain("label first is required");
    expect(await denial()).not.toContain("second");
    expect(await second.metrics()).toContain('castellan_admission_elsewhere{cluster="admin"} 1');
    expect(await first.metrics()).toContain('castellan_admission_elsewhere{cluster="admin"} 0');
    await first.stop("SIGKILL");
    await first.start();
    expect(first.output).not.toMatch(held);
    expect(await denial()).toContain("label first is required");
    await second.stop();
    expect(await holder()).toContain(join(directory, "first"));
  });

  test("told to, the second one takes them over, and the first one says that it lost them", async ({ skip }) => {
    if (!cluster.available) return skip(cluster.reason);
    const [first] = servers;
    const second = serverOf("second", "--take-over-webhooks");
    await second.start();
    expect(second.output).not.toMatch(held);
    await first?.until(() => held.test(first.output), 30);
    expect(await holder()).toContain(join(directory, "second"));
    expect(await denial()).toContain("label second is required");
    expect(await denial()).not.toContain("first");
    // Who goes leaves the webhooks of others; they are free once their own server is gone.
    await first?.stop();
    expect(await holder()).toContain(join(directory, "second"));
    await second.stop();
    expect(await holder()).toContain("NotFound");
  });
});
