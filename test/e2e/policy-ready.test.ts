import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isArray, type JsonObject, type JsonValue, member } from "../../src/core/json.ts";
import { type GovernedTestCluster, startGovernedCluster } from "../conformance/chainsaw/cluster.ts";

let cluster: GovernedTestCluster | undefined;

beforeAll(async () => {
  cluster = await startGovernedCluster();
}, 300_000);

afterAll(() => cluster?.stop());

const refusing = (kind: string): JsonObject => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name: `no-${kind.toLowerCase()}` },
  spec: {
    rules: [
      {
        name: "none",
        match: { any: [{ resources: { kinds: [kind] } }] },
        validate: { failureAction: "Enforce", message: `no ${kind}`, deny: {} },
      },
    ],
  },
});

function isReady(policy: JsonValue | undefined): boolean {
  const conditions = member(member(policy, "status"), "conditions");
  return isArray(conditions) && conditions.some((each) => member(each, "type") === "Ready" && member(each, "status") === "True");
}

test("a policy that says Ready refuses, also when the webhooks were just changed for another one", async (context) => {
  if (cluster === undefined) return context.skip("no control plane can be had");
  const { objects } = cluster;
  const before = refusing("Service");
  for (const [round, kind] of ["Secret", "ConfigMap", "LimitRange", "ResourceQuota"].entries()) {
    await objects.write("create", before, "default");
    for (let tries = 0; tries < 200 && !(await objects.find(before, "")).some(isReady); tries++) await sleep(50);
    const policy = refusing(kind);
    await objects.remove(before, "");
    // While the webhooks change because that one is gone.
    await sleep(150 * round);
    await objects.write("create", policy, "");
    for (let tries = 0; tries < 400 && !(await objects.find(policy, "")).some(isReady); tries++) await sleep(10);
    const written = await objects.write("create", { apiVersion: "v1", kind, metadata: { name: `early-${round}` } }, "default");
    expect(written).toMatch(`no ${kind}`);
    await objects.remove(policy, "");
    expect(await objects.isGone(before, "", 5000)).toBe(true);
  }
}, 60_000);
