import { expect, test } from "vitest";
import { apiResources } from "../core/api-resources.ts";
import { noFacts } from "../core/facts.ts";
import { clusterPolicyFormat } from "../policies/kyverno/cluster-policy.ts";
import { objectOf, objectsOf } from "../policies/kyverno/policy-run.testing.ts";
import { evaluate } from "./evaluate.ts";
import { PolicySet } from "./policy-set.ts";

const scale = { name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs: ["update"] };
const served = { version: "v1", namespaced: true, verbs: [] };
const resources = apiResources([
  { ...served, group: "apps", kind: "Deployment", resource: "deployments", subresources: [scale] },
  { ...served, group: "apps", kind: "StatefulSet", resource: "statefulsets", subresources: [scale] },
]);
const scaled = (replicas: number) =>
  objectOf(
    `{apiVersion: autoscaling/v1, kind: Scale, metadata: {name: d, namespace: shop}, spec: {replicas: ${replicas}}, status: {replicas: 1}}`,
  );

function effect(kind: string, before: number, after: number): string {
  const [document] = objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  background: false
  rules:
    - name: few
      match: {any: [{resources: {kinds: ["${kind}"]}}]}
      validate: {failureAction: Enforce, message: too many, pattern: {spec: {replicas: "<9"}}}
`);
  const compiled = document === undefined ? undefined : clusterPolicyFormat.compile(document, { resources });
  if (compiled?.ok !== true) throw new Error("the policy does not compile");
  const object = scaled(after);
  const oldObject = scaled(before);
  const host = { now: () => 0, random: () => 0 };
  const evaluation = evaluate(
    new PolicySet([compiled.value]),
    {
      channel: "admission",
      actor: undefined,
      operation: "UPDATE",
      dryRun: false,
      target: {
        type: "kubernetes",
        group: "autoscaling",
        resourceGroup: "apps",
        version: "v1",
        kind: "Scale",
        resource: "deployments",
        subresource: "scale",
        namespace: "shop",
        name: "d",
      },
      object,
      oldObject,
      namespaceLabels: {},
      at: 0,
    },
    noFacts("no facts in this test"),
    host,
    { resources },
  );
  return evaluation.kind === "decision" ? evaluation.decision.effect : evaluation.kind;
}

test.each([
  ["Deployment/scale", 2, 10, "deny"],
  ["Deployment/scale", 2, 8, "allow"],
  ["Deployment/scale", 10, 12, "deny"],
  ["apps/v1/Deployment/scale", 2, 10, "deny"],
  ["*/scale", 2, 10, "deny"],
  ["StatefulSet/scale", 2, 10, "allow"],
  ["Deployment", 2, 10, "allow"],
])("a rule about %s, scaled from %i to %i: %s", (kind, before, after, expected) => {
  expect(effect(kind, before, after)).toBe(expected);
});
