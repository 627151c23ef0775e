import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { type GovernedTestCluster, startGovernedCluster } from "../conformance/chainsaw/cluster.ts";
import { Stand, soon } from "./governed-stand.ts";

/** What the GlobalContextEntries of a live cluster hold, as policies see it. */
let cluster: GovernedTestCluster | undefined;

beforeAll(async () => {
  cluster = await startGovernedCluster();
}, 300_000);

afterAll(() => cluster?.stop());

const entry = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: "kyverno.io/v2alpha1",
  kind: "GlobalContextEntry",
  metadata: { name },
  spec,
});

const configMaps = (namespace: string) => ({ group: "", version: "v1", resource: "configmaps", namespace });
const configMap = (name: string): JsonObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

/** Whoever wants to make the ConfigMap `probe` is told how many there are. */
const telling = (name: string, globalReference: JsonObject): JsonObject => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name },
  spec: {
    background: false,
    rules: [
      {
        name: "tell",
        match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [name], names: ["probe"] } }] },
        context: [{ name: "count", globalReference }],
        validate: {
          failureAction: "Enforce",
          message: "there are {{ count }} of them",
          deny: { conditions: { any: [{ key: "{{ count }}", operator: "GreaterThan", value: -1 }] } },
        },
      },
    ],
  },
});

async function standOf(name: string): Promise<Stand | undefined> {
  if (cluster === undefined) return undefined;
  const stand = new Stand(cluster, name);
  await stand.start();
  return stand;
}

test("objects are followed", async (context) => {
  const stand = await standOf("followed");
  if (stand === undefined) return context.skip("no control plane can be had");
  const told = () => stand.refusal(configMap("probe"));
  // A controller makes one of its own.
  await expect.poll(() => stand.find("ConfigMap", "v1", "kube-root-ca.crt"), soon).toBeDefined();
  await stand.write(entry("followed", { kubernetesResource: configMaps("followed") }));
  await stand.policy(telling("followed", { name: "followed", jmesPath: "length(@)" }));
  await expect.poll(told, soon).toContain("there are 1 of them");
  await stand.write(configMap("one"));
  await expect.poll(told, soon).toContain("there are 2 of them");
  await stand.remove(configMap("one"));
  await expect.poll(told, soon).toContain("there are 1 of them");
}, 60_000);

test("a call is made again, and projected; without an entry nothing passes", async (context) => {
  const stand = await standOf("called");
  if (stand === undefined) return context.skip("no control plane can be had");
  const told = () => stand.refusal(configMap("probe"));
  await stand.policy(telling("called", { name: "called.count" }));
  await expect.poll(told, soon).toContain("there is no global context entry called");
  const urlPath = "/api/v1/namespaces/called/configmaps";
  const projections = [{ name: "count", jmesPath: "length(items)" }];
  await stand.write(entry("called", { apiCall: { urlPath, refreshInterval: "1s" }, projections }));
  await expect.poll(told, soon).toContain("there are 1 of them");
  await stand.write(configMap("one"));
  await expect.poll(told, soon).toContain("there are 2 of them");
  await stand.remove(entry("called", {}));
  await expect.poll(told, soon).toContain("there is no global context entry called");
}, 60_000);

test("one that leaves the cluster is not called, and says so", async (context) => {
  const stand = await standOf("outside");
  if (stand === undefined) return context.skip("no control plane can be had");
  const apiCall = { service: { url: "https://example.com/count" }, refreshInterval: "10m" };
  await stand.write(entry("outside", { apiCall }));
  await stand.policy(telling("outside", { name: "outside" }));
  await expect.poll(() => stand.refusal(configMap("probe")), soon).toContain("https://example.com/count is outside the cluster");
}, 60_000);

test.each([
  ["a call and objects", { apiCall: { urlPath: "/version" }, kubernetesResource: configMaps("x") }, "kubernetesResource"],
  ["data without POST", { apiCall: { urlPath: "/version", data: [{ key: "a", value: "b" }] } }, "POST"],
  ["an interval of no time", { apiCall: { urlPath: "/version", refreshInterval: "1ms" } }, "refreshInterval"],
])(
  "%s is refused",
  async (_, spec, message) => {
    const stand = await standOf("refused");
    if (stand === undefined) return;
    await expect.poll(() => stand.refusal(entry("refused", spec)), soon).toContain(message);
  },
  60_000,
);
