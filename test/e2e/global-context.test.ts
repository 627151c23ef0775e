import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { type GovernedTestCluster, startGovernedCluster } from "../conformance/chainsaw/cluster.ts";
import { Stand, soon } from "./governed-stand.ts";

/** What the GlobalContextEntries of a live cluster hold, as policies see it. */
let cluster: GovernedTestCluster | undefined;

/** A service outside the API server, that policies may call below `/allowed`. */
const service = createServer((_, response) => response.end('{"count": 42}'));
let origin = "";

beforeAll(async () => {
  await once(service.listen(0, "127.0.0.1"), "listening");
  const address = service.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  cluster = await startGovernedCluster(["--allow-calls", `${origin}/allowed`]);
}, 300_000);

afterAll(async () => {
  await cluster?.stop();
  service.close();
});

const entry = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: "kyverno.io/v2alpha1",
  kind: "GlobalContextEntry",
  metadata: { name },
  spec,
});

const configMaps = (namespace: string) => ({ group: "", version: "v1", resource: "configmaps", namespace });
const configMap = (name: string): JsonObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

/** Whoever wants to make the ConfigMap `probe` is told how many there are. */
const telling = (name: string, source: JsonObject): JsonObject => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name },
  spec: {
    background: false,
    rules: [
      {
        name: "tell",
        match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [name], names: ["probe"] } }] },
        context: [{ name: "count", ...source }],
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
  await stand.policy(telling("followed", { globalReference: { name: "followed", jmesPath: "length(@)" } }));
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
  await stand.policy(telling("called", { globalReference: { name: "called.count" } }));
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

test("a call that finds nothing is no value", async (context) => {
  const stand = await standOf("nothing");
  if (stand === undefined) return context.skip("no control plane can be had");
  await stand.write(entry("nothing", { apiCall: { urlPath: "/api/v1/namespaces/none/configmaps/none" } }));
  await stand.policy({
    apiVersion: "policies.kyverno.io/v1",
    kind: "ValidatingPolicy",
    metadata: { name: "nothing" },
    spec: {
      validationActions: ["Deny"],
      matchConstraints: {
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "nothing" } },
      },
      validations: [{ expression: "globalContext.Get('nothing', '') == null" }],
    },
  });
  await expect.poll(() => stand.refusal(configMap("probe")), soon).toContain("failed to get global reference");
}, 60_000);

test("an entry is another from one moment to the next", async (context) => {
  const stand = await standOf("changed");
  if (stand === undefined) return context.skip("no control plane can be had");
  const told = () => stand.refusal(configMap("probe"));
  await stand.write(entry("changed", { kubernetesResource: configMaps("changed") }));
  await stand.policy(telling("changed", { globalReference: { name: "changed", jmesPath: "length(@)" } }));
  await expect.poll(told, soon).toContain("there are 1 of them");
  await stand.write(entry("changed", { kubernetesResource: configMaps("none-such") }));
  const all: (string | undefined)[] = [];
  await expect.poll(async () => all.push(await told()) && all.at(-1), soon).toContain("there are 0 of them");
  expect(all.filter((text) => text?.includes("there are") !== true)).toEqual([]);
}, 60_000);

test("services outside are called where that is allowed, by entries and by policies themselves", async (context) => {
  const stand = await standOf("outside");
  if (stand === undefined) return context.skip("no control plane can be had");
  const told = () => stand.refusal(configMap("probe"));
  const apiCall = (path: string) => ({ service: { url: `${origin}${path}` } });
  await stand.write(entry("outside", { apiCall: { ...apiCall("/allowed/a"), refreshInterval: "10m" } }));
  await stand.policy(telling("outside", { globalReference: { name: "outside", jmesPath: "count" } }));
  await expect.poll(told, soon).toContain("there are 42 of them");
  await stand.policy(telling("outside", { apiCall: { ...apiCall("/allowed/b"), jmesPath: "count" } }));
  await expect.poll(told, soon).toContain("there are 42 of them");
  await stand.policy(telling("outside", { apiCall: { ...apiCall("/elsewhere"), jmesPath: "count" } }));
  await expect.poll(told, soon).toContain("was not started with --allow-calls for it");
  await stand.write(entry("outside", { apiCall: { ...apiCall("/elsewhere"), refreshInterval: "10m" } }));
  await stand.policy(telling("outside", { globalReference: { name: "outside", jmesPath: "count" } }));
  await expect.poll(told, soon).toContain("was not started with --allow-calls for it");
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
