import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { valueAt } from "../../src/core/json.ts";
import { type GovernedTestCluster, startGovernedCluster } from "../conformance/chainsaw/cluster.ts";
import { Stand, soon } from "./governed-stand.ts";

/** What policies generate in a live cluster, and what becomes of it. */
let cluster: GovernedTestCluster | undefined;

beforeAll(async () => {
  cluster = await startGovernedCluster();
}, 300_000);

afterAll(() => cluster?.stop());

const types = (networkPolicy: JsonValue | undefined) => valueAt(networkPolicy, ["spec", "policyTypes"]);

/** Every namespace of a team gets a default deny. */
const denying = (name: string, policyTypes: readonly string[], more: JsonObject = {}, generate: JsonObject = {}): JsonObject => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name },
  spec: {
    rules: [
      {
        name: "deny",
        match: { any: [{ resources: { kinds: ["Namespace"], selector: { matchLabels: { team: name } } } }] },
        generate: {
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          name: "default-deny",
          namespace: "{{ request.object.metadata.name }}",
          data: { spec: { podSelector: {}, policyTypes } },
          ...generate,
        },
        ...more,
      },
    ],
  },
});

const denied = (stand: Stand) => stand.find("NetworkPolicy", "networking.k8s.io/v1", "default-deny");
const networkPolicy = (namespace: string, policyTypes: readonly string[]): JsonObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "default-deny", namespace },
  spec: { podSelector: {}, policyTypes },
});

describe("generated objects", () => {
  test("are kept as the rule makes them, for as long as rule and trigger want them", async (context) => {
    if (cluster === undefined) return context.skip("no control plane can be had");
    const stand = new Stand(cluster, "kept");
    const policy = (policyTypes: readonly string[]) => denying("kept", policyTypes, {}, { synchronize: true });
    await stand.policy(policy(["Ingress"]));
    await stand.start({ team: "kept" });
    await expect.poll(async () => types(await denied(stand)), soon).toEqual(["Ingress"]);
    // Somebody changes it, somebody deletes it, the policy asks for more.
    await stand.write(networkPolicy("kept", ["Egress"]));
    await expect.poll(async () => types(await denied(stand)), soon).toEqual(["Ingress"]);
    await stand.remove(networkPolicy("kept", []));
    await expect.poll(async () => types(await denied(stand)), soon).toEqual(["Ingress"]);
    await stand.policy(policy(["Ingress", "Egress"]));
    await expect.poll(async () => types(await denied(stand)), soon).toEqual(["Ingress", "Egress"]);
    // The namespace is of another team now, and comes back.
    await stand.start({ team: "other" });
    await expect.poll(() => denied(stand), soon).toBeUndefined();
    await stand.start({ team: "kept" });
    await expect.poll(async () => types(await denied(stand)), soon).toEqual(["Ingress", "Egress"]);
    await stand.remove(policy([]));
    await expect.poll(() => denied(stand), soon).toBeUndefined();
  }, 120_000);

  test("without synchronize are made once, and then nobody's business", async (context) => {
    if (cluster === undefined) return context.skip("no control plane can be had");
    const stand = new Stand(cluster, "once");
    const policy = denying("once", ["Ingress"]);
    await stand.policy(policy);
    await stand.start({ team: "once" });
    await expect.poll(async () => types(await denied(stand)), soon).toEqual(["Ingress"]);
    await stand.write(networkPolicy("once", ["Egress"]));
    await stand.start({ team: "once", changed: "yes" });
    await sleep(2000);
    expect(types(await denied(stand))).toEqual(["Egress"]);
    await stand.remove(networkPolicy("once", []));
    await sleep(2000);
    expect(await denied(stand)).toBeUndefined();
    await stand.remove(policy);
  }, 60_000);

  test("are made for what was there before the policy, where it says so", async (context) => {
    if (cluster === undefined) return context.skip("no control plane can be had");
    const stand = new Stand(cluster, "earlier");
    await stand.start({ team: "earlier" });
    const policy = denying("earlier", ["Ingress"], {}, { generateExisting: true });
    await stand.policy(policy);
    await expect.poll(async () => types(await denied(stand)), soon).toEqual(["Ingress"]);
    await stand.remove(policy);
    await sleep(2500);
    expect(types(await denied(stand))).toEqual(["Ingress"]);
  }, 60_000);

  test("of a rule that looks at who asks are left alone: nobody asks later", async (context) => {
    if (cluster === undefined) return context.skip("no control plane can be had");
    const stand = new Stand(cluster, "asked");
    const match = {
      any: [
        { resources: { kinds: ["Namespace"], names: ["asked"] }, subjects: [{ kind: "Group", name: "system:authenticated" }] },
      ],
    };
    const policy = denying("asked", ["Ingress"], { match }, { synchronize: true });
    const own: JsonObject = { ...policy, spec: { ...Object(policy["spec"]), background: false } };
    await stand.policy(own);
    await stand.start();
    await expect.poll(async () => types(await denied(stand)), soon).toEqual(["Ingress"]);
    await stand.start({ changed: "yes" });
    await sleep(2500);
    expect(types(await denied(stand))).toEqual(["Ingress"]);
    await stand.remove(own);
  }, 60_000);
});

describe("clones", () => {
  const source = (password: string): JsonObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "pull", namespace: "default" },
    data: { password },
  });
  const password = (secret: JsonValue | undefined) => valueAt(secret, ["data", "password"]);

  test("follow their source, and go with it", async (context) => {
    if (cluster === undefined) return context.skip("no control plane can be had");
    const stand = new Stand(cluster, "cloned");
    const clone = () => stand.find("Secret", "v1", "pull");
    await stand.write(source("b25l"));
    const policy = denying("cloned", [], {}, { synchronize: true, clone: { namespace: "default", name: "pull" } });
    const rule = valueAt(policy, ["spec", "rules", 0, "generate"]);
    const { data: _, ...generate } = Object(rule);
    Object.assign(Object(valueAt(policy, ["spec", "rules", 0])), {
      generate: { ...generate, apiVersion: "v1", kind: "Secret", name: "pull" },
    });
    await stand.policy(policy);
    await stand.start({ team: "cloned" });
    await expect.poll(async () => password(await clone()), soon).toBe("b25l");
    await stand.write(source("dHdv"));
    await expect.poll(async () => password(await clone()), soon).toBe("dHdv");
    await stand.write({ ...source("c3RvbGVu"), metadata: { name: "pull", namespace: "cloned" } });
    await expect.poll(async () => password(await clone()), soon).toBe("dHdv");
    await stand.remove(source(""));
    await expect.poll(clone, soon).toBeUndefined();
    await stand.remove(policy);
  }, 120_000);
});

describe("objects that exist", () => {
  const labels = (map: JsonValue | undefined) => valueAt(map, ["metadata", "labels", "team"]);

  test("are mutated when their trigger is stored, and when the policy comes", async (context) => {
    if (cluster === undefined) return context.skip("no control plane can be had");
    const stand = new Stand(cluster, "mutated");
    const target = () => stand.find("ConfigMap", "v1", "target");
    await stand.start({ team: "nlp" });
    await stand.write({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "target", namespace: "mutated" } });
    const policy: JsonObject = {
      apiVersion: "kyverno.io/v1",
      kind: "ClusterPolicy",
      metadata: { name: "mutated" },
      spec: {
        rules: [
          {
            name: "label",
            match: { any: [{ resources: { kinds: ["Namespace"], names: ["mutated"] } }] },
            mutate: {
              mutateExistingOnPolicyUpdate: true,
              targets: [{ apiVersion: "v1", kind: "ConfigMap", namespace: "mutated", name: "target" }],
              patchStrategicMerge: { metadata: { labels: { team: "{{ request.object.metadata.labels.team }}" } } },
            },
          },
        ],
      },
    };
    await stand.policy(policy);
    await expect.poll(async () => labels(await target()), soon).toBe("nlp");
    await stand.start({ team: "vision" });
    await expect.poll(async () => labels(await target()), soon).toBe("vision");
    await stand.remove(policy);
  }, 60_000);
});

describe("cleanup policies", () => {
  test("delete what they match, at their hour", async (context) => {
    if (cluster === undefined) return context.skip("no control plane can be had");
    const stand = new Stand(cluster, "cleaned");
    const map = (name: string): JsonObject => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "cleaned", labels: { keep: name === "kept" ? "yes" : "no" } },
    });
    await stand.start();
    await stand.write(map("kept"));
    await stand.write(map("old"));
    const policy: JsonObject = {
      apiVersion: "kyverno.io/v2",
      kind: "CleanupPolicy",
      metadata: { name: "cleaned", namespace: "cleaned" },
      spec: {
        match: { any: [{ resources: { kinds: ["ConfigMap"], names: ["kept", "old"] } }] },
        conditions: { all: [{ key: "{{ target.metadata.labels.keep }}", operator: "Equals", value: "no" }] },
        schedule: "* * * * *",
      },
    };
    await stand.write(policy);
    await expect.poll(() => stand.find("ConfigMap", "v1", "old"), { timeout: 80_000, interval: 500 }).toBeUndefined();
    expect(await stand.find("ConfigMap", "v1", "kept")).toBeDefined();
    await stand.remove(policy);
  }, 90_000);
});

test("an object whose label says so is deleted in its time, and it is told why", async (context) => {
  if (cluster === undefined) return context.skip("no control plane can be had");
  const stand = new Stand(cluster, "expired");
  const map = (name: string, ttl: string): JsonObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { "cleanup.kyverno.io/ttl": ttl } },
  });
  await stand.start();
  for (const [name, ttl] of [
    ["short", "2s"],
    ["long", "1d"],
    ["past", "2020-02-01"],
    ["unread", "soon"],
  ] as const)
    await stand.write(map(name, ttl));
  const left = async () => {
    const found = await Promise.all(["short", "long", "past", "unread"].map((name) => stand.find("ConfigMap", "v1", name)));
    return found.map((object) => valueAt(object, ["metadata", "name"])).filter((name) => name !== undefined);
  };
  await expect.poll(left, { timeout: 30_000, interval: 500 }).toEqual(["long", "unread"]);
}, 60_000);

describe("a GeneratingPolicy", () => {
  test("keeps what it generates, too", async (context) => {
    if (cluster === undefined) return context.skip("no control plane can be had");
    const stand = new Stand(cluster, "generated");
    const map = () => stand.find("ConfigMap", "v1", "made");
    const expression = `generator.Apply(object.metadata.name, [{
      "apiVersion": dyn("v1"), "kind": dyn("ConfigMap"),
      "metadata": dyn({"name": "made"}), "data": dyn({"of": object.metadata.labels.team})}])`;
    const policy: JsonObject = {
      apiVersion: "policies.kyverno.io/v1",
      kind: "GeneratingPolicy",
      metadata: { name: "generated" },
      spec: {
        evaluation: { synchronize: { enabled: true } },
        matchConstraints: {
          resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["namespaces"] }],
        },
        matchConditions: [{ name: "mine", expression: "object.metadata.name == 'generated'" }],
        generate: [{ expression }],
      },
    };
    await stand.policy(policy);
    await stand.start({ team: "nlp" });
    const team = async () => valueAt(await map(), ["data", "of"]);
    await expect.poll(team, soon).toBe("nlp");
    await stand.write({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "made", namespace: "generated" },
      data: { of: "me" },
    });
    await expect.poll(team, soon).toBe("nlp");
    await stand.start({ team: "vision" });
    await expect.poll(team, soon).toBe("vision");
    await stand.remove(policy);
    await expect.poll(map, soon).toBeUndefined();
  }, 60_000);
});
