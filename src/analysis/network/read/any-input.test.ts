import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonValue } from "../../../core/json.ts";
import { exposureOf } from "../exposure.ts";
import { networkOfObjects } from "../network.testing.ts";

/** Fields of all kinds of policies, so that random objects get past the first check. */
const fields = [
  ...[
    "podSelector",
    "namespaceSelector",
    "matchLabels",
    "matchExpressions",
    "key",
    "operator",
    "values",
    "ipBlock",
    "cidr",
    "except",
  ],
  ...["policyTypes", "ingress", "egress", "from", "to", "ports", "port", "endPort", "protocol", "tier", "priority", "subject"],
  ...[
    "namespaces",
    "pods",
    "networks",
    "nodes",
    "domainNames",
    "action",
    "protocols",
    "tcp",
    "destinationPort",
    "number",
    "range",
  ],
  ...["endpointSelector", "ingressDeny", "fromEndpoints", "fromEntities", "fromCIDRSet", "toPorts", "toFQDNs", "rules", "http"],
  ...[
    "selector",
    "types",
    "order",
    "source",
    "destination",
    "nets",
    "notNets",
    "notSelector",
    "serviceAccounts",
    "names",
    "icmp",
  ],
];
const words = [
  "Ingress",
  "Egress",
  "Allow",
  "Deny",
  "Pass",
  "Accept",
  "In",
  "Exists",
  "TCP",
  "10.0.0.0/8",
  "all()",
  "app == 'a'",
  "world",
  "web",
  "*.x.y",
  "__proto__",
];

const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, 0, 80, -1, 70_000, 1.5, 2n ** 70n, "", ...words),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...fields), tie("value"), { maxKeys: 5 }),
  ),
}));

const kinds = [
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
  ["policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"],
  ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"],
  ["projectcalico.org/v3", "NetworkPolicy"],
  ["projectcalico.org/v3", "GlobalNetworkPolicy"],
  ["projectcalico.org/v3", "GlobalNetworkSet"],
  ["projectcalico.org/v3", "Tier"],
  ["cilium.io/v2", "CiliumNetworkPolicy"],
  ["cilium.io/v2", "CiliumClusterwideNetworkPolicy"],
  ["cilium.io/v2", "CiliumCIDRGroup"],
  ["k8s.ovn.org/v1", "ClusterUserDefinedNetwork"],
  ["v1", "Service"],
  ["v1", "Node"],
] as const;

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "a", labels: { app: "a" } },
  spec: { containers: [] },
};

test("whatever policies hold, they are read, and what is wrong with them has a message", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 6 }),
      ([apiVersion, kind], spec) => {
        const network = networkOfObjects([pod, { apiVersion, kind, metadata: { name: "x", namespace: "a" }, spec }]);
        for (const { message } of network.diagnostics) expect(message).not.toBe("");
        expect([...network.edges()].length).toBeGreaterThanOrEqual(0);
        exposureOf(network);
      },
    ),
    { numRuns: 3000 },
  );
});

test("a policy whose spec is no object", () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), value, ([apiVersion, kind], spec) => {
      expect(networkOfObjects([pod, { apiVersion, kind, metadata: { name: "x" }, spec }]).workloads).toHaveLength(1);
    }),
    { numRuns: 500 },
  );
});

test("a whole number that no double holds, in places where texts are asked for", () => {
  const huge = 2n ** 70n;
  const spec = {
    podSelector: {},
    ingress: [
      {
        from: [
          {
            podSelector: {
              matchExpressions: [
                { key: huge, operator: "In" },
                { key: "a", operator: huge },
              ],
            },
          },
        ],
        ports: [{ port: huge }],
      },
    ],
  };
  const network = networkOfObjects([
    pod,
    { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "x", namespace: "a" }, spec },
  ]);
  expect(network.diagnostics.map((d) => d.severity)).toEqual(["error", "error", "error"]);
});
