import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { resourceRef } from "../../core/kubernetes.ts";
import { protocols } from "./connection-set.ts";
import { diffNetworks, equivalent } from "./diff.ts";
import type { Endpoint, Network } from "./model.ts";
import { documentOf, networkOfObjects } from "./network.testing.ts";

const namespaces = ["a", "b"];
const apps = ["x", "y", "z"];
const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);

const labels = fc.oneof(
  fc.constant({}),
  oneOf(...apps).map((app) => ({ app })),
  fc.constant({ tier: "t" }),
);
const selector = fc.oneof(
  labels.map((matchLabels) => ({ matchLabels })),
  fc.tuple(oneOf("In", "NotIn"), fc.subarray([...apps], { minLength: 1 })).map(([operator, values]) => ({
    matchExpressions: [{ key: "app", operator, values }],
  })),
  oneOf("Exists", "DoesNotExist").map((operator) => ({ matchExpressions: [{ key: "tier", operator }] })),
);
const namespaceSelector = fc.oneof(
  fc.constant({}),
  oneOf(...namespaces).map((name) => ({ matchLabels: { "kubernetes.io/metadata.name": name } })),
);
const peer: fc.Arbitrary<JsonObject> = fc.oneof(
  selector.map((podSelector) => ({ podSelector })),
  fc.tuple(namespaceSelector, selector).map(([n, podSelector]) => ({ namespaceSelector: n, podSelector })),
  oneOf("10.0.0.0/8", "0.0.0.0/0", "10.0.0.4/30").map((cidr) => ({ ipBlock: { cidr } })),
);
const port = fc.oneof(
  oneOf(80, 81).map((p) => ({ port: p })),
  fc.constant({ port: "web" }),
  fc.constant({ port: 80, endPort: 90 }),
);
const rule = (key: "from" | "to") =>
  fc.record({ [key]: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) });

const networkPolicy: fc.Arbitrary<JsonObject> = fc
  .record({
    namespace: oneOf(...namespaces),
    podSelector: selector,
    policyTypes: fc.subarray(["Ingress", "Egress"], { minLength: 1 }),
    ingress: fc.array(rule("from"), { maxLength: 2 }),
    egress: fc.array(rule("to"), { maxLength: 2 }),
  })
  .map(({ namespace, ...spec }) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace },
    spec,
  }));

const adminRule = (key: "from" | "to") =>
  fc
    .record({
      action: oneOf("Accept", "Deny", "Pass"),
      peer: fc.tuple(namespaceSelector, selector),
      ports: fc.option(oneOf(80, 81)),
    })
    .map(({ action, peer: [n, podSelector], ports }) => ({
      action,
      [key]: [{ pods: { namespaceSelector: n, podSelector } }],
      ...(ports === null ? {} : { protocols: [{ tcp: { destinationPort: { number: ports } } }] }),
    }));
const clusterPolicy: fc.Arbitrary<JsonObject> = fc
  .record({
    tier: oneOf("Admin", "Baseline"),
    priority: fc.integer({ min: 0, max: 1000 }),
    subject: fc.record({ namespaces: namespaceSelector }),
    ingress: fc.array(adminRule("from"), { maxLength: 2 }),
    egress: fc.array(adminRule("to"), { maxLength: 2 }),
  })
  .map((spec) => ({ apiVersion: "policy.networking.k8s.io/v1alpha2", kind: "ClusterNetworkPolicy", metadata: {}, spec }));

const policies = fc
  .array(fc.oneof({ arbitrary: networkPolicy, weight: 3 }, { arbitrary: clusterPolicy, weight: 1 }), { maxLength: 5 })
  // Of equal priority nobody says which comes first.
  .map((list) => list.map((policy, i) => named(policy, i)));

function named(policy: JsonObject, i: number): JsonObject {
  const { metadata, spec } = policy;
  const own = typeof spec === "object" && spec !== null && "priority" in spec ? { ...spec, priority: i } : spec;
  return { ...policy, metadata: { ...(metadata as JsonObject), name: `p${i}` }, ...(own === undefined ? {} : { spec: own }) };
}

const pods: readonly JsonValue[] = namespaces.flatMap((namespace, n) =>
  apps.map((app, i) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: app, namespace, labels: i === 1 ? { app, tier: "t" } : { app } },
    spec: { containers: [{ name: "c", ports: [{ name: "web", containerPort: 80 + (i % 2) }] }] },
    status: { podIP: `10.0.0.${n * 4 + i}` },
  })),
);

const asked = [79, 80, 81];

function answers(network: Network, from: Endpoint, to: Endpoint): readonly boolean[] {
  return asked.map((p) => network.permits(from, to, protocols.TCP, p));
}

function table(network: Network): readonly string[] {
  return network.workloads.flatMap((from) =>
    network.workloads.map((to) => `${from.id} ${to.id} ${answers(network, from, to).join()}`),
  );
}

test("the reasons name exactly the policies without which the answer would be another", () => {
  fc.assert(
    fc.property(policies, fc.nat(5), fc.nat(5), oneOf(...asked), (list, i, j, askedPort) => {
      const network = networkOfObjects([...pods, ...list], { cni: "generic" });
      const [from, to] = [network.workloads[i], network.workloads[j]];
      if (from === undefined || to === undefined || i === j) return;
      const explanation = network.explain(from, to, protocols.TCP, askedPort);
      expect(explanation.allowed).toBe(network.permits(from, to, protocols.TCP, askedPort));
      for (const side of ["egress", "ingress"] as const) {
        const has = (n: Network) => n.between(from, to)[side].has(protocols.TCP, askedPort);
        expect(explanation[side].allowed).toBe(has(network));
        const removed = list.filter((policy) => {
          const without = networkOfObjects([...pods, ...list.filter((p) => p !== policy)], { cni: "generic" });
          return has(without) !== has(network);
        });
        const pivotal = explanation[side].policies.filter((p) => p.pivotal).map((p) => p.policy.ref.name);
        expect(pivotal.sort()).toEqual(removed.map((p) => resourceRef(documentOf(p).value).name).sort());
      }
    }),
    { numRuns: 120 },
  );
});

test("changing objects one at a time ends where building from all of them does", () => {
  const change = fc.tuple(fc.nat(7), fc.oneof(networkPolicy, clusterPolicy), fc.boolean());
  const relabel = fc.tuple(fc.nat(5), oneOf(...apps), fc.boolean());
  const namespaceLabels = fc.tuple(oneOf(...namespaces), oneOf("1", "2"));
  fc.assert(
    fc.property(
      policies,
      fc.array(change, { maxLength: 5 }),
      fc.array(relabel, { maxLength: 3 }),
      namespaceLabels,
      (list, changes, relabels, [ns, env]) => {
        const objects = new Map([...pods, ...list].map((o) => [key(o), o]));
        const network = networkOfObjects([...objects.values()], { cni: "generic" });
        const put = (object: JsonValue) => {
          objects.set(key(object), object);
          network.put(documentOf(object));
        };
        const remove = (object: JsonValue) => {
          objects.delete(key(object));
          network.remove(resourceRef(documentOf(object).value));
        };
        table(network);
        for (const [i, policy, isRemoval] of changes) (isRemoval ? remove : put)(named(policy, i));
        for (const [i, app, isRemoval] of relabels) {
          const pod = pods[i] as JsonObject;
          (isRemoval ? remove : put)({ ...pod, metadata: { ...(pod["metadata"] as JsonObject), labels: { app } } });
        }
        put({ apiVersion: "v1", kind: "Namespace", metadata: { name: ns, labels: { env } } });
        const again = networkOfObjects([...objects.values()], { cni: "generic" });
        expect([...table(network)].sort()).toEqual([...table(again)].sort());
        expect(equivalent(network, again)).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});

function key(object: JsonValue): string {
  const { kind, namespace, name } = resourceRef(documentOf(object).value);
  return `${kind} ${namespace} ${name}`;
}

test("differences are what two tables of answers differ by, and none of a network with itself", () => {
  fc.assert(
    fc.property(policies, policies, (left, right) => {
      const [a, b] = [left, right].map((list) => networkOfObjects([...pods, ...list], { cni: "generic" }));
      if (a === undefined || b === undefined) return;
      expect(diffNetworks(a, a).changes).toEqual([]);
      const found = new Set(
        diffNetworks(a, b).changes.flatMap(({ from, to, before, after }) =>
          from.kind === "workload" && to.kind === "workload" && !before.equals(after) ? [`${from.id} ${to.id}`] : [],
        ),
      );
      for (const from of a.workloads) {
        for (const to of a.workloads) {
          const [now, then] = [b.find(from.id), b.find(to.id)];
          if (now === undefined || then === undefined || from === to) continue;
          expect(found.has(`${from.id} ${to.id}`)).toBe(!a.connections(from, to).equals(b.connections(now, then)));
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("blocks and single edges say what pairs say", () => {
  fc.assert(
    fc.property(policies, (list) => {
      const network = networkOfObjects([...pods, ...list], { cni: "generic" });
      const pairs = network.workloads.flatMap((from) =>
        network.workloads.flatMap((to) => {
          const connections = network.connections(from, to);
          return from === to || connections.isEmpty ? [] : [`${from.id} ${to.id} ${connections.key}`];
        }),
      );
      const edges = [...network.edges()].flatMap(({ from, to, connections }) =>
        from.kind === "workload" && to.kind === "workload" ? [`${from.id} ${to.id} ${connections.key}`] : [],
      );
      const blocks = network
        .groups()
        .flatMap(({ from, to, connections }) =>
          from.flatMap((a) =>
            to.flatMap((b) =>
              a !== b && a.kind === "workload" && b.kind === "workload" ? [`${a.id} ${b.id} ${connections.key}`] : [],
            ),
          ),
        );
      expect(edges.sort()).toEqual(pairs.sort());
      expect(blocks.sort()).toEqual(pairs.sort());
    }),
    { numRuns: 100 },
  );
});
