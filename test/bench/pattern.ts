import type { Action } from "../../src/core/action.ts";
import { apiResources } from "../../src/core/api-resources.ts";
import { noFacts } from "../../src/core/facts.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { KubernetesObject } from "../../src/core/kubernetes.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { evaluate } from "../../src/engine/index.ts";
import { compileConditions } from "../../src/policies/kyverno/conditions.ts";
import { compilePattern } from "../../src/policies/kyverno/pattern.ts";
import { compilePolicies } from "../../src/services/policies.ts";
import type { Bench, BenchRow } from "./bench.ts";

const container = (index: number): JsonObject => ({
  name: `c${index}`,
  image: `registry.example.com/shop/web:1.2.${index}`,
  resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "512Mi" } },
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  ports: [{ containerPort: 8080 }],
});

const pod: KubernetesObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "shop", labels: { "app.kubernetes.io/name": "web", team: "a" } },
  spec: {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [1, 2, 3].map(container),
    volumes: [{ name: "tmp", emptyDir: {} }],
  },
};

const resourcesPattern: JsonValue = {
  spec: { containers: [{ resources: { requests: { memory: "?*", cpu: "?*" }, limits: { memory: "<=1Gi" } } }] },
};
const policy = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-requests-limits}
spec:
  rules:
    - name: validate-resources
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        failureAction: Enforce
        message: CPU and memory requests and memory limits are required.
        pattern: ${JSON.stringify(resourcesPattern)}
`;
const conditions: JsonValue = {
  all: [
    { key: "{{ request.object.metadata.labels.team }}", operator: "AnyIn", value: ["a", "b"] },
    { key: "{{ request.object.spec.containers[].image }}", operator: "AnyNotIn", value: ["*:latest"] },
  ],
};

const host = { now: () => 0, random: () => 0 };
const runs = 50_000;

/** CPU microseconds that one call takes once it runs at speed. */
function cost(run: () => unknown): number {
  for (let i = 0; i < runs / 5; i++) run();
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / runs;
}

/** What evaluation costs apart from everything around it: one pod with three containers. */
export const patternBench: Bench = {
  name: "pattern",
  async run() {
    const matches = compilePattern(resourcesPattern);
    const compiled = compileConditions(conditions);
    if (!compiled.ok || matches(pod).status !== "pass") throw new Error("the samples are wrong");
    const scope = { root: { request: { object: pod, operation: "CREATE" } }, deleting: false, host };
    const rows: readonly BenchRow[] = [
      { name: "pattern on a pod", unit: "us", ours: cost(() => matches(pod)), target: { atMost: 20 } },
      { name: "two conditions on a pod", unit: "us", ours: cost(() => compiled.value(scope)), target: { atMost: 20 } },
      { name: "whole policy on a pod", unit: "us", ours: cost(wholePolicy()), target: { atMost: 20 } },
    ];
    return { rows };
  },
};

function wholePolicy(): () => unknown {
  const resources = apiResources([
    { group: "", version: "v1", kind: "Pod", resource: "pods", namespaced: true, verbs: [], subresources: [] },
  ]);
  const { set } = compilePolicies(parseDocuments(policy, "policy.yaml").documents, resources);
  const action: Action = {
    channel: "scan",
    actor: undefined,
    operation: "CREATE",
    dryRun: false,
    target: {
      type: "kubernetes",
      ...{ group: "", version: "v1", kind: "Pod", resource: "pods", subresource: "", namespace: "shop", name: "web" },
    },
    object: pod,
    at: 0,
  };
  const facts = noFacts("a bench asks nobody");
  const run = () => evaluate(set, action, facts, host, { resources });
  const first = run();
  if (first.kind !== "decision" || first.decision.counts.pass !== 1) throw new Error("the sample policy does not pass");
  return run;
}
