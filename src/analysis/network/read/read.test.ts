import { describe, expect, test } from "vitest";
import { protocolNumber } from "../connection-set.ts";
import type { Network } from "../model.ts";
import { networkOf, workload } from "../network.testing.ts";

const pod = (namespace: string, name: string, extra = "") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }
spec: { serviceAccountName: ${name}-sa, ${extra} containers: [{ name: c, ports: [{ name: web, containerPort: 8080 }] }] }
---
`;
const cluster = `${pod("a", "client")}${pod("a", "server")}${pod("b", "client")}${pod("b", "other")}
apiVersion: v1
kind: Namespace
metadata: { name: b, labels: { team: blue } }
---
`;

function allowed(network: Network, from: string, to: string, connection: string): boolean {
  const [protocol = "", port = ""] = connection.split(" ");
  const endpoint = (name: string) => (/^[\d:]/.test(name) ? network.at(name) : workload(network, name));
  const [a, b] = [endpoint(from), endpoint(to)];
  if (a === undefined || b === undefined) throw new Error(`${from} or ${to} is not there`);
  return network.permits(a, b, protocolNumber(protocol) ?? 0, Number(port));
}

const networkPolicy = (spec: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: p, namespace: a }
spec: ${spec}
`;

describe("what the API server would refuse is told at its place, and allows nothing", () => {
  test.each([
    [
      "{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]}",
      "spec.ingress[0].from[0].ipBlock.cidr",
    ],
    [
      "{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}]}",
      "spec.ingress[0].from[0].ipBlock.except[0]",
    ],
    [
      "{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
      "spec.ingress[0].from[0].ipBlock.except[0]",
    ],
    ["{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{}]}]}", "spec.ingress[0].from[0]"],
    [
      "{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}",
      "spec.ingress[0].from[0]",
    ],
    [
      "{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {matchLabels: {a: 'b c'}}}]}]}",
      "spec.ingress[0].from[0].podSelector.matchLabels.a",
    ],
    [
      "{podSelector: {matchLabels: {app: server}}, ingress: [{ports: [{port: 80, endPort: 70}]}]}",
      "spec.ingress[0].ports[0].endPort",
    ],
    [
      "{podSelector: {matchLabels: {app: server}}, ingress: [{ports: [{port: web, endPort: 70}]}]}",
      "spec.ingress[0].ports[0].endPort",
    ],
    ["{podSelector: {matchLabels: {app: server}}, ingress: [{ports: [{port: 70000}]}]}", "spec.ingress[0].ports[0].port"],
    [
      "{podSelector: {matchLabels: {app: server}}, ingress: [{ports: [{protocol: tcp, port: 80}]}]}",
      "spec.ingress[0].ports[0].protocol",
    ],
    ["{podSelector: {matchLabels: {app: server}}, ingress: [{form: [{podSelector: {}}]}]}", "spec.ingress[0].form"],
    ["{podSelector: {matchLabels: {app: server}}, ingress: [{from: {podSelector: {}}}]}", "spec.ingress[0].from"],
  ])("%s", (spec, path) => {
    const network = networkOf(cluster + networkPolicy(spec));
    expect(network.diagnostics.map((d) => d.message.split(": ")[1])).toContain(path);
    expect(network.diagnostics.every((d) => d.span?.file === "test.yaml")).toBe(true);
    expect(allowed(network, "a/client", "a/server", "TCP 8080")).toBe(false);
    expect(allowed(network, "a/server", "a/client", "TCP 8080")).toBe(true);
  });

  test("a policy that selects nobody knows whom is left out", () => {
    const network = networkOf(cluster + networkPolicy("{podSelector: {matchExpressions: [{key: a, operator: Near}]}}"));
    expect(network.policies).toEqual([]);
    expect(network.diagnostics).toHaveLength(1);
  });

  test.each([
    ["{tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Accept, from: [{fabrics: {}}]}]}", true],
    ["{tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{fabrics: {}}]}]}", false],
    ["{tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Pass, from: [{fabrics: {}}]}]}", false],
    ["{tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Refuse, from: [{namespaces: {}}]}]}", false],
  ])("ClusterNetworkPolicy %s", (spec, expected) => {
    const text = `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: ${spec}`;
    const network = networkOf(cluster + text);
    expect(network.diagnostics.length).toBeGreaterThan(0);
    expect(allowed(network, "a/client", "a/server", "TCP 8080")).toBe(expected);
  });
});

test("policies of equal priority that disagree: both readings are told, and none is taken for certain", () => {
  const policy = (name: string, action: string) => `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: ${name} }
spec: {tier: Admin, priority: 7, subject: {namespaces: {}}, ingress: [{action: ${action}, from: [{namespaces: {}}]}]}
---`;
  const network = networkOf(`${cluster}${policy("one", "Accept")}${policy("two", "Deny")}`);
  expect(network.diagnostics.map((d) => d.code)).toEqual(["NETWORK_POLICY_UNDETERMINED"]);
  const verdict = network.between(workload(network, "a/client"), workload(network, "a/server"));
  expect(verdict.connections.isEmpty).toBe(true);
  expect(verdict.possible.isAll).toBe(true);
  expect(verdict.depends.map((d) => d.on)).toEqual(["equal-priority"]);
});

describe("what depends on the network plugin", () => {
  const text =
    cluster + networkPolicy("{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}");
  test.each([
    ["unknown", true, ["cni"]],
    ["generic", true, []],
    ["calico", true, []],
    ["cilium", false, []],
  ] as const)("%s", (cni, expected, depends) => {
    const network = networkOf(text, { cni });
    const verdict = network.between(workload(network, "a/client"), workload(network, "a/server"));
    expect(verdict.connections.isAll).toBe(expected);
    expect(verdict.depends.map((d) => d.on)).toEqual(depends);
  });
  test("a block that may hold a pod whose address is not known", () => {
    const network = networkOf(text.replace("0.0.0.0/0", "10.1.0.0/16"), { cni: "generic" });
    const verdict = network.between(workload(network, "a/client"), workload(network, "a/server"));
    expect([verdict.connections.isEmpty, verdict.possible.isAll]).toEqual([true, true]);
    expect(verdict.depends.map((d) => d.on)).toEqual(["address"]);
  });
});

// Hand-made from Cilium's documentation: no recorded suite of it is at hand.
describe("CiliumNetworkPolicy", () => {
  const cilium = (spec: string, kind = "CiliumNetworkPolicy") => `
apiVersion: cilium.io/v2
kind: ${kind}
metadata: { name: p, namespace: a }
spec: ${spec}
---
`;
  const server = "endpointSelector: {matchLabels: {app: server}}";
  test.each([
    ["an empty rule denies by default", `{${server}, ingress: [{}]}`, "a/client", "a/server", "TCP 8080", false],
    ["endpoints of its own namespace", `{${server}, ingress: [{fromEndpoints: [{}]}]}`, "a/client", "a/server", "TCP 8080", true],
    ["not those of others", `{${server}, ingress: [{fromEndpoints: [{}]}]}`, "b/client", "a/server", "TCP 8080", false],
    [
      "a namespace that is named",
      `{${server}, ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": b, app: client}}]}]}`,
      "b/client",
      "a/server",
      "TCP 8080",
      true,
    ],
    [
      "labels of a namespace",
      `{${server}, ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.cilium.k8s.namespace.labels.team": blue}}]}]}`,
      "b/other",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "an account",
      `{${server}, ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.cilium.k8s.policy.serviceaccount": client-sa}}]}]}`,
      "a/client",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "ports of any protocol",
      `{${server}, ingress: [{toPorts: [{ports: [{port: "53"}]}]}]}`,
      "b/other",
      "a/server",
      "UDP 53",
      true,
    ],
    ["other ports", `{${server}, ingress: [{toPorts: [{ports: [{port: "53"}]}]}]}`, "b/other", "a/server", "UDP 54", false],
    [
      "a named port",
      `{${server}, ingress: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]}`,
      "b/other",
      "a/server",
      "TCP 8080",
      true,
    ],
    ["entity cluster", `{${server}, ingress: [{fromEntities: [cluster]}]}`, "b/other", "a/server", "TCP 1", true],
    [
      "entity cluster is not the world",
      `{${server}, ingress: [{fromEntities: [cluster]}]}`,
      "8.8.8.8",
      "a/server",
      "TCP 1",
      false,
    ],
    ["entity world", `{${server}, ingress: [{fromEntities: [world]}]}`, "8.8.8.8", "a/server", "TCP 1", true],
    ["entity world is no pod", `{${server}, ingress: [{fromEntities: [world]}]}`, "a/client", "a/server", "TCP 1", false],
    [
      "blocks",
      `{${server}, ingress: [{fromCIDRSet: [{cidr: 8.0.0.0/8, except: [8.8.0.0/16]}]}]}`,
      "8.9.0.1",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "exceptions",
      `{${server}, ingress: [{fromCIDRSet: [{cidr: 8.0.0.0/8, except: [8.8.0.0/16]}]}]}`,
      "8.8.8.8",
      "a/server",
      "TCP 1",
      false,
    ],
    ["blocks hold no pods", `{${server}, ingress: [{fromCIDR: [0.0.0.0/0]}]}`, "a/client", "a/server", "TCP 1", false],
    [
      "denied before allowed",
      `{${server}, ingress: [{fromEntities: [all]}], ingressDeny: [{fromEndpoints: [{matchLabels: {app: client}}]}]}`,
      "a/client",
      "a/server",
      "TCP 1",
      false,
    ],
    [
      "denied on a port only",
      `{${server}, ingress: [{fromEntities: [all]}], ingressDeny: [{fromEntities: [all], toPorts: [{ports: [{port: "22"}]}]}]}`,
      "a/client",
      "a/server",
      "TCP 23",
      true,
    ],
    [
      "without default deny",
      `{${server}, enableDefaultDeny: {ingress: false}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: client}}]}]}`,
      "b/client",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "egress by name is no egress to pods",
      `{endpointSelector: {}, egress: [{toFQDNs: [{matchName: example.org}]}]}`,
      "a/client",
      "a/server",
      "TCP 1",
      false,
    ],
  ])("%s", (_, spec, from, to, connection, expected) => {
    const network = networkOf(cluster + cilium(spec));
    expect(network.diagnostics).toEqual([]);
    expect(allowed(network, from, to, connection)).toBe(expected);
  });

  test("a clusterwide policy means pods of every namespace", () => {
    const network = networkOf(
      cluster +
        cilium(`{${server}, ingress: [{fromEndpoints: [{matchLabels: {app: client}}]}]}`, "CiliumClusterwideNetworkPolicy"),
    );
    expect(allowed(network, "b/client", "a/server", "TCP 1")).toBe(true);
    expect(allowed(network, "b/other", "a/server", "TCP 1")).toBe(false);
  });

  test("it stands beside NetworkPolicy: what one of them allows passes, what it denies does not", () => {
    const both = networkPolicy("{podSelector: {matchLabels: {app: server}}, ingress: [{}]}");
    const network = networkOf(
      `${cluster}${cilium(`{${server}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: client}}]}]}`)}${both}`,
    );
    expect(allowed(network, "a/client", "a/server", "TCP 1")).toBe(false);
    expect(allowed(network, "b/other", "a/server", "TCP 1")).toBe(true);
    const explanation = network.explain(workload(network, "a/client"), workload(network, "a/server"), 6, 1);
    expect(explanation.ingress.policies.map((p) => [p.policy.id, p.pivotal])).toEqual([["CiliumNetworkPolicy a/p", true]]);
  });

  test("names and conditions are on the edges", () => {
    const spec = `{endpointSelector: {matchLabels: {app: client}}, egress: [{toFQDNs: [{matchPattern: "*.example.org"}]}, {toEndpoints: [{matchLabels: {app: server}}], toPorts: [{ports: [{port: "80"}], rules: {http: [{method: GET, path: /v1}]}}]}]}`;
    const network = networkOf(cluster + cilium(spec));
    const client = workload(network, "a/client");
    const edges = [...network.edges({ from: (e) => e === client })];
    expect(edges.map((e) => (e.to.kind === "domain" ? e.to.names.join() : e.to.kind))).toEqual(["workload", "*.example.org"]);
    expect(edges[0]?.conditions).toEqual([{ kind: "http", text: "GET /v1", policy: "p" }]);
  });
});

describe("Calico", () => {
  const calico = (spec: string, kind = "NetworkPolicy") => `
apiVersion: projectcalico.org/v3
kind: ${kind}
metadata: { name: p${kind.length}${spec.length}, namespace: a }
spec: ${spec}
---
`;
  const sets = `
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: { name: bad, labels: { list: bad } }
spec: { nets: [8.8.0.0/16] }
---
apiVersion: projectcalico.org/v3
kind: Tier
metadata: { name: first }
spec: { order: 10 }
---
`;
  test.each<readonly [string, readonly (readonly [string, string?])[], string, string, string, boolean]>([
    [
      "a selector in its namespace",
      [["{selector: app == 'server', ingress: [{action: Allow, source: {selector: app == 'client'}}]}"]],
      "a/client",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "not beyond",
      [["{selector: app == 'server', ingress: [{action: Allow, source: {selector: app == 'client'}}]}"]],
      "b/client",
      "a/server",
      "TCP 1",
      false,
    ],
    [
      "a namespace selector",
      [["{selector: app == 'server', ingress: [{action: Allow, source: {namespaceSelector: team == 'blue'}}]}"]],
      "b/client",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "first match decides",
      [["{selector: app == 'server', ingress: [{action: Deny, source: {selector: app == 'client'}}, {action: Allow}]}"]],
      "a/client",
      "a/server",
      "TCP 1",
      false,
    ],
    [
      "order of policies",
      [
        ["{order: 2, selector: app == 'server', ingress: [{action: Deny}]}"],
        ["{order: 1, selector: 'app == \"server\"', ingress: [{action: Allow, protocol: TCP}]}"],
      ],
      "a/client",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "a tier before it",
      [
        [
          "{tier: first, order: 1, selector: app == 'server', ingress: [{action: Deny, protocol: UDP}, {action: Pass}]}",
          "GlobalNetworkPolicy",
        ],
        ["{selector: app == 'server', ingress: [{action: Allow}]}"],
      ],
      "a/client",
      "a/server",
      "UDP 1",
      false,
    ],
    [
      "pass goes to the next tier",
      [
        ["{tier: first, order: 1, selector: app == 'server', ingress: [{action: Pass}]}", "GlobalNetworkPolicy"],
        ["{selector: app == 'server', ingress: [{action: Allow}]}"],
      ],
      "a/client",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "the end of a tier denies",
      [["{tier: first, order: 1, selector: app == 'server', ingress: [{action: Allow, protocol: UDP}]}", "GlobalNetworkPolicy"]],
      "a/client",
      "a/server",
      "TCP 1",
      false,
    ],
    [
      "a staged policy decides nothing",
      [["{selector: app == 'server', ingress: [{action: Deny}]}", "StagedNetworkPolicy"]],
      "a/client",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "global sets",
      [
        [
          "{selector: app == 'server', ingress: [{action: Deny, source: {selector: list == 'bad'}}, {action: Allow}]}",
          "GlobalNetworkPolicy",
        ],
      ],
      "8.8.8.8",
      "a/server",
      "TCP 1",
      false,
    ],
    [
      "addresses beside them",
      [
        [
          "{selector: app == 'server', ingress: [{action: Deny, source: {selector: list == 'bad'}}, {action: Allow}]}",
          "GlobalNetworkPolicy",
        ],
      ],
      "8.9.8.8",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "notNets",
      [["{selector: app == 'server', ingress: [{action: Allow, source: {notNets: [8.0.0.0/8]}}]}"]],
      "8.8.8.8",
      "a/server",
      "TCP 1",
      false,
    ],
    [
      "notSelector",
      [["{selector: app == 'server', ingress: [{action: Allow, source: {notSelector: app == 'client'}}]}"]],
      "a/client",
      "a/server",
      "TCP 1",
      false,
    ],
    [
      "ports and ranges",
      [["{selector: app == 'server', ingress: [{action: Allow, protocol: TCP, destination: {ports: ['80:90', web]}}]}"]],
      "a/client",
      "a/server",
      "TCP 8080",
      true,
    ],
    [
      "notPorts",
      [["{selector: app == 'server', ingress: [{action: Allow, protocol: TCP, destination: {notPorts: [web]}}]}"]],
      "a/client",
      "a/server",
      "TCP 8080",
      false,
    ],
    [
      "accounts",
      [["{selector: app == 'server', ingress: [{action: Allow, source: {serviceAccounts: {names: [client-sa]}}}]}"]],
      "a/client",
      "a/server",
      "TCP 1",
      true,
    ],
    [
      "ICMP is a protocol of its own",
      [["{selector: app == 'server', ingress: [{action: Allow, protocol: ICMP, icmp: {type: 8}}]}"]],
      "a/client",
      "a/server",
      "ICMP 2048",
      true,
    ],
    [
      "egress rules alone",
      [["{selector: app == 'client', egress: [{action: Allow, destination: {selector: app == 'server'}}]}"]],
      "a/client",
      "b/other",
      "TCP 1",
      false,
    ],
    [
      "a destination narrows whom an ingress rule is about",
      [["{selector: all(), ingress: [{action: Allow, destination: {selector: app == 'server'}}]}"]],
      "b/other",
      "a/client",
      "TCP 1",
      false,
    ],
  ])("%s", (_, policies, from, to, connection, expected) => {
    const network = networkOf(cluster + sets + policies.map(([spec, kind]) => calico(spec, kind)).join(""));
    expect(network.diagnostics).toEqual([]);
    expect(allowed(network, from, to, connection)).toBe(expected);
  });

  test.each(["app == server", "app = 'a'", "has()", "app in {'a'", "(app == 'a'", "all() all()", "near(app)"])(
    "%s is no selector",
    (selector) => {
      const network = networkOf(cluster + calico(`{selector: "${selector}", ingress: [{action: Allow}]}`));
      expect(network.diagnostics).toHaveLength(1);
      expect(network.policies).toEqual([]);
    },
  );
});

test("a pod on its node's network is neither selected nor isolated", () => {
  const network = networkOf(
    `${cluster}${pod("a", "host", "hostNetwork: true,")}${networkPolicy("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}")}`,
  );
  expect(allowed(network, "a/client", "a/host", "TCP 1")).toBe(true);
  expect(allowed(network, "a/host", "a/client", "TCP 1")).toBe(false);
  const verdict = network.between(workload(network, "a/client"), workload(network, "a/host"));
  expect(verdict.depends.map((d) => d.on)).toEqual(["host-network"]);
});
