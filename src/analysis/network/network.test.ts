import { describe, expect, test } from "vitest";
import { protocols } from "./connection-set.ts";
import { describeEndpoint } from "./describe.ts";
import { diffNetworks } from "./diff.ts";
import { entryPoints } from "./entry.ts";
import { exposureOf } from "./exposure.ts";
import type { Network } from "./model.ts";
import { documentOf, networkOf, workload } from "./network.testing.ts";

const deployment = (namespace: string, name: string, port = 8080) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec: { selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: c, ports: [{ name: web, containerPort: ${port} }] }] } } }
---
`;
const policy = (namespace: string, name: string, spec: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${spec}
---
`;

const edgesOf = (network: Network) =>
  [...network.edges()]
    .map(({ from, to, connections }) => `${describeEndpoint(from)} -> ${describeEndpoint(to)}: ${connections}`)
    .sort();

describe("workloads", () => {
  const owned = (name: string, labels: string, status = "") => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: a
  labels: ${labels}
  ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: web-abc, controller: true }]
spec: { containers: [{ name: c }] }
${status}
---
`;
  const set = `
apiVersion: apps/v1
kind: ReplicaSet
metadata: { name: web-abc, namespace: a, ownerReferences: [{ apiVersion: apps/v1, kind: Deployment, name: web, controller: true }] }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: c }] } } }
---
`;
  const two =
    owned("web-abc-1", "{ app: web, pod-template-hash: abc }") + owned("web-abc-2", "{ app: web, pod-template-hash: abc }");
  test.each([
    ["what was written and its pods are one", deployment("a", "web") + set + two, ["a/web[Deployment]"]],
    ["pods alone tell their Deployment by its hash", two, ["a/web[Deployment]"]],
    [
      "pods that differ are apart",
      two + owned("web-abc-3", "{ app: web, debug: 'yes' }"),
      ["a/web[Deployment]", "a/web-abc[ReplicaSet]"],
    ],
    [
      "pods that have ended are none",
      set + two + owned("web-abc-3", "{ app: old }", "status: { phase: Succeeded }"),
      ["a/web[Deployment]"],
    ],
    ["a template that nobody runs", set, ["a/web[Deployment]"]],
  ])("%s", (_, text, expected) => {
    expect(networkOf(text).workloads.map((w) => w.id)).toEqual(expected);
  });

  test("labels of single pods count where a selector asks for them", () => {
    const pod = (n: number) => `
apiVersion: v1
kind: Pod
metadata: { name: db-${n}, namespace: a, labels: { app: db, statefulset.kubernetes.io/pod-name: db-${n} }, ownerReferences: [{ apiVersion: apps/v1, kind: StatefulSet, name: db, controller: true }] }
spec: { containers: [{ name: c }] }
---
`;
    const text = pod(0) + pod(1) + deployment("a", "web");
    expect(networkOf(text).workloads.map((w) => w.id)).toEqual(["a/db[StatefulSet]", "a/web[Deployment]"]);
    const first = "{podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: db-0}}, policyTypes: [Ingress]}";
    const network = networkOf(text);
    network.put(
      documentOf({
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "p", namespace: "a" },
        spec: { podSelector: { matchLabels: { "statefulset.kubernetes.io/pod-name": "db-0" } }, policyTypes: ["Ingress"] },
      }),
    );
    for (const each of [network, networkOf(text + policy("a", "p", first))]) {
      const web = workload(each, "a/web");
      const answers = each.workloads
        .filter((w) => w.owner.name === "db")
        .map((db) => [db.id, each.permits(web, db, protocols.TCP, 1)]);
      expect(answers).toEqual([
        ["a/db[StatefulSet]/db-0", false],
        ["a/db[StatefulSet]/db-1", true],
      ]);
    }
  });

  test("pods of one owner that a block of addresses tells apart", () => {
    const pod = (n: number, ip: string) => `
apiVersion: v1
kind: Pod
metadata: { name: w-${n}, namespace: a, labels: { app: w }, ownerReferences: [{ apiVersion: apps/v1, kind: DaemonSet, name: w, controller: true }] }
spec: { containers: [{ name: c }] }
status: { podIP: ${ip} }
---
`;
    const blocks = policy(
      "a",
      "p",
      "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.0.1.0/24}}]}]}",
    );
    const network = networkOf(pod(1, "10.0.1.1") + pod(2, "10.0.2.1") + pod(3, "10.0.1.2") + deployment("a", "web") + blocks, {
      cni: "generic",
    });
    const web = workload(network, "a/web");
    expect(
      network.workloads.filter((w) => w !== web).map((w) => [w.addresses.join(), network.permits(w, web, protocols.TCP, 1)]),
    ).toEqual([
      ["10.0.1.1,10.0.1.2", true],
      ["10.0.2.1", false],
    ]);
  });
});

test("a namespace's name is among its labels, whatever it is said to be", () => {
  const text = `${deployment("a", "web")}${deployment("b", "client")}
apiVersion: v1
kind: Namespace
metadata: { name: b, labels: { kubernetes.io/metadata.name: other } }
---
${policy("a", "p", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}]}]}")}`;
  const network = networkOf(text);
  expect(network.permits(workload(network, "b/client"), workload(network, "a/web"), protocols.TCP, 1)).toBe(true);
});

test("a named port means what each destination calls so, and nothing at an address", () => {
  const text = `${deployment("a", "one", 8001)}${deployment("a", "two", 8002)}${deployment("a", "client")}${policy("a", "p", "{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [{ports: [{port: web}]}]}")}`;
  const network = networkOf(text);
  const client = workload(network, "a/client");
  const to = (name: string) => network.between(client, workload(network, name)).egress.toString();
  expect([to("a/one"), to("a/two")]).toEqual(["TCP 8001", "TCP 8002"]);
  expect(network.externalOf(client, "egress")).toEqual([]);
});

describe("ways from outside", () => {
  const service = (type: string, extra = "") => `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: a }
spec: { type: ${type}, selector: { app: web }, ports: [{ name: http, port: 80, targetPort: web }] ${extra} }
---
`;
  const ingress = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: i, namespace: a }
spec: { rules: [{ host: example.org, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { name: http } } } }] } }] }
---
`;
  const route = (namespace: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r, namespace: ${namespace} }
spec: { hostnames: [example.org], rules: [{ backendRefs: [{ name: web, namespace: a, port: 80 }] }] }
---
`;
  const grant = `
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: g, namespace: a }
spec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge }], to: [{ group: "", kind: Service }] }
---
`;
  const closed = policy("a", "deny", "{podSelector: {}, policyTypes: [Ingress]}");
  test.each([
    ["a ClusterIP is none", service("ClusterIP"), []],
    ["a load balancer", service("LoadBalancer"), ["LoadBalancer a/web[Deployment] TCP 8080 lets in TCP 8080"]],
    [
      "a load balancer that policies close",
      service("LoadBalancer") + closed,
      ["LoadBalancer a/web[Deployment] TCP 8080 lets in no connections"],
    ],
    ["a node port", service("NodePort"), ["NodePort a/web[Deployment] TCP 8080 lets in TCP 8080"]],
    [
      "addresses of its own",
      service("ClusterIP", ", externalIPs: [1.2.3.4]"),
      ["ExternalIP a/web[Deployment] TCP 8080 lets in TCP 8080"],
    ],
    ["an Ingress", service("ClusterIP") + ingress, ["Ingress a/web[Deployment] TCP 8080 lets in TCP 8080"]],
    [
      "an Ingress whose controller is not let in",
      service("ClusterIP") + ingress + closed,
      ["Ingress a/web[Deployment] TCP 8080 lets in no connections"],
    ],
    ["a route of the same namespace", service("ClusterIP") + route("a"), ["Gateway a/web[Deployment] TCP 8080 lets in TCP 8080"]],
    ["a route of another one", service("ClusterIP") + route("edge"), []],
    [
      "a route that was granted",
      service("ClusterIP") + route("edge") + grant,
      ["Gateway a/web[Deployment] TCP 8080 lets in TCP 8080"],
    ],
  ])("%s", (_, text, expected) => {
    const found = entryPoints(networkOf(deployment("a", "web") + text));
    expect(found.map((e) => `${e.kind} ${e.workload.id} ${e.connections} lets in ${e.allowed}`)).toEqual(expected);
  });
});

describe("exposure", () => {
  test("towards pods that may come", () => {
    const text =
      deployment("a", "web") +
      policy(
        "a",
        "p",
        "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [], ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {role: r, app: q}}}], ports: [{port: 1}]}, {from: [{namespaceSelector: {}, podSelector: {matchLabels: {role: r}}}], ports: [{port: 2}]}]}",
      );
    const [ingress, egress] = exposureOf(networkOf(text));
    const described = ingress?.possible.map((p) => `${p.pod.pods.map((r) => `${r.label}=${r.values}`).join()}: ${p.connections}`);
    // What carries both labels surely carries the one.
    expect(described).toEqual(["app=q,role=r: TCP 1-2", "role=r: TCP 2"]);
    expect([ingress?.cluster.isEmpty, ingress?.external, egress?.cluster.isEmpty, egress?.possible]).toEqual([
      true,
      [],
      true,
      [],
    ]);
  });
  test("of what nobody protects", () => {
    const [ingress] = exposureOf(networkOf(deployment("a", "web")));
    expect([ingress?.isProtected, ingress?.cluster.isAll, ingress?.external.length]).toEqual([false, true, 1]);
  });
});

test("pods of different primary networks reach each other by no policy", () => {
  const namespace = (name: string) => `
apiVersion: v1
kind: Namespace
metadata: { name: ${name}, labels: { k8s.ovn.org/primary-user-defined-network: "" } }
---
apiVersion: k8s.ovn.org/v1
kind: UserDefinedNetwork
metadata: { name: net, namespace: ${name} }
spec: { topology: Layer2, layer2: { role: Primary } }
---
`;
  const text =
    namespace("a") +
    namespace("b") +
    deployment("a", "one") +
    deployment("a", "two") +
    deployment("b", "three") +
    deployment("c", "four");
  const network = networkOf(text);
  const pairs = edgesOf(network).filter((edge) => !edge.includes("any address"));
  expect(pairs).toEqual([
    "a/one[Deployment] -> a/two[Deployment]: all connections",
    "a/two[Deployment] -> a/one[Deployment]: all connections",
  ]);
  expect(network.groups().map((g) => g.from.length * g.to.length)).toEqual([4, 1, 1]);
  const explanation = network.explain(workload(network, "a/one"), workload(network, "b/three"), protocols.TCP, 1);
  expect([explanation.allowed, explanation.egress.because]).toEqual([false, "network"]);
  expect(edgesOf(networkOf(text, { podNetworkOnly: true })).filter((edge) => !edge.includes("any address"))).toHaveLength(12);
});

describe("three steps of an article, one after the other", () => {
  const before =
    deployment("serving", "model-serving") + deployment("serving", "data-ingestion") + deployment("monitoring", "prometheus");
  const deny = policy("serving", "default-deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}");
  const monitoring = policy(
    "serving",
    "allow-monitoring",
    "{podSelector: {matchLabels: {app: model-serving}}, ingress: [{from: [{podSelector: {matchLabels: {app: prometheus}}}], ports: [{port: 8080}]}]}",
  );
  const network = (text: string) => networkOf(text, { cni: "generic" });
  const reasons = (n: Network, from: string, to: string, port: number) =>
    n.explain(workload(n, from), workload(n, to), protocols.TCP, port);

  test("the default deny closes both directions", () => {
    const { changes } = diffNetworks(network(before), network(before + deny));
    expect(changes.every((c) => c.gained.isEmpty)).toBe(true);
    // Two workloads with each other, with the monitor, and with the world.
    expect(changes).toHaveLength(2 + 4 + 4);
  });
  test("monitoring in another namespace stays blocked, and the reason says what is missing", () => {
    const after = network(before + deny + monitoring);
    expect(diffNetworks(network(before + deny), after).changes).toEqual([]);
    const { allowed, ingress, egress } = reasons(after, "monitoring/prometheus", "serving/model-serving", 8080);
    expect([allowed, egress.because, ingress.because]).toEqual([false, "default", "isolated"]);
    expect(ingress.policies.map((p) => [p.policy.ref.name, p.pivotal])).toEqual([
      ["allow-monitoring", false],
      ["default-deny", false],
    ]);
    expect(ingress.text).toContain("no rule allows TCP 8080 from monitoring/prometheus[Deployment]");
  });
});

test("a network that changes for long is tidied up, and answers as before", () => {
  const network = networkOf(deployment("a", "web") + deployment("a", "client"));
  const change = (i: number) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "a" },
    spec: {
      podSelector: { matchLabels: { app: "web" } },
      ingress: [{ from: [{ podSelector: { matchLabels: { version: `v${i}` } } }] }],
    },
  });
  const pod = (i: number) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "c", namespace: "a", labels: { version: `v${i}` } },
    spec: {},
  });
  for (let i = 0; i < 1500; i++) {
    network.put(documentOf(change(i)));
    network.put(documentOf(pod(i)));
    expect(network.permits(workload(network, "a/c"), workload(network, "a/web"), protocols.TCP, 1)).toBe(true);
  }
  network.put(documentOf(pod(0)));
  expect(network.permits(workload(network, "a/c"), workload(network, "a/web"), protocols.TCP, 1)).toBe(false);
});
