import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { type GovernedTestCluster, startGovernedCluster } from "../conformance/chainsaw/cluster.ts";
import { Stand, soon } from "./governed-stand.ts";

/** Policies that the API server enforces itself, looked for in what ran before them. */
let cluster: GovernedTestCluster | undefined;

beforeAll(async () => {
  cluster = await startGovernedCluster();
}, 300_000);

afterAll(() => cluster?.stop());

const name = "owned-by-somebody";
const policy: JsonObject = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicy",
  metadata: { name },
  spec: {
    matchConstraints: {
      resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "owned" } },
    },
    validations: [{ expression: "has(object.metadata.labels) && 'owner' in object.metadata.labels", message: "who owns it?" }],
  },
};
const binding: JsonObject = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicyBinding",
  metadata: { name },
  spec: { policyName: name, validationActions: ["Deny"] },
};
const configMap = (own: string): JsonObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: own } });

test("what they would refuse now is reported, follows them, and is refused by the API server alone", async (context) => {
  if (cluster === undefined) return context.skip("no control plane can be had");
  const { objects } = cluster;
  const stand = new Stand(cluster, "owned");
  await stand.start();
  await stand.write(configMap("before"));
  const reported = async () =>
    JSON.stringify(await objects.find({ apiVersion: "wgpolicyk8s.io/v1alpha2", kind: "PolicyReport", metadata: {} }, "owned"));
  await stand.write(policy);
  await stand.write(binding);
  await expect.poll(reported, soon).toContain("who owns it?");
  await expect.poll(() => stand.refusal(configMap("after")), soon).toContain("ValidatingAdmissionPolicy");
  expect(await stand.refusal(configMap("after"))).not.toContain("policies.castellan.dev");
  await stand.remove(binding);
  await expect.poll(reported, soon).not.toContain("who owns it?");
}, 90_000);
