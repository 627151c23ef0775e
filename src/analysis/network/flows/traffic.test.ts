import { describe, expect, test } from "vitest";
import { describeEndpoint } from "../describe.ts";
import { networkOf } from "../network.testing.ts";
import { type Flow, type FlowEnd, FlowEnds } from "./flow.ts";
import { replayTraffic } from "./replay.ts";
import { Traffic } from "./traffic.ts";

const objects = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {template: {metadata: {labels: {app: db, tier: data}}, spec: {containers: [{name: c, ports: [{containerPort: 5432}]}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: tool, namespace: shop, labels: {app: tool}}
spec: {containers: [{name: c}]}
status: {podIP: 10.1.0.9}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{port: 443, targetPort: 6443}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}
`;
const network = networkOf(objects);
const end = (parts: Partial<FlowEnd>) => new FlowEnds().of("", () => parts);
const flow = (from: FlowEnd, to: FlowEnd, rest: Partial<Flow> = {}): Flow => ({
  from,
  to,
  protocol: "TCP",
  port: 5432,
  verdict: "forwarded",
  at: undefined,
  count: 1,
  direction: "recorded",
  ...rest,
});
const tool = end({ ip: "10.1.0.9" });

describe("who the sides of a flow are", () => {
  test.each<[string, Partial<FlowEnd>, string]>([
    ["the address of a pod", { ip: "10.1.0.9" }, "shop/tool[Pod]"],
    ["a pod's name by its controller", { namespace: "shop", pod: "web-7c9d5fbb8-x2x4z" }, "shop/web[Deployment]"],
    ["a replica of a StatefulSet", { namespace: "shop", pod: "db-12" }, "shop/db[StatefulSet]"],
    ["the name of an owner", { namespace: "shop", pod: "whatever", workload: "web" }, "shop/web[Deployment]"],
    ["an aggregated name", { namespace: "shop", workload: "web-755cdc7957-*" }, "shop/web[Deployment]"],
    [
      "labels, with more than the template has",
      { namespace: "shop", pod: "x", labels: { app: "db", tier: "data", hash: "1" } },
      "shop/db[StatefulSet]",
    ],
    ["a Service, which several may answer", { service: { namespace: "shop", name: "web" } }, "shop/web[Deployment]"],
    ["the address of a Service", { ip: "10.96.0.7" }, "shop/web[Deployment]"],
    ["the API server by its Service", { ip: "10.96.0.1" }, "the API server"],
    ["the API server by its identity", { ip: "203.0.113.1", entity: "apiserver" }, "the API server"],
    ["an address outside", { ip: "203.0.113.1" }, "203.0.113.1/32"],
    ["the world without an address", { entity: "world" }, "any address"],
    ["a pod that is not there", { namespace: "shop", pod: "gone-7c9d5fbb8-x2x4z", ip: "10.1.0.77" }, "nobody"],
  ])("%s", (_, parts, expected) => {
    const found = new Traffic(network).resolver.resolve(end(parts)).endpoints;
    expect(found.map(describeEndpoint).join() || "nobody").toBe(expected);
  });
});

describe("traffic", () => {
  test("a Service's port becomes the port of the pod", () => {
    const traffic = new Traffic(network);
    traffic.add(flow(tool, end({ ip: "10.96.0.7" }), { port: 80 }));
    expect(traffic.observed.map((o) => [describeEndpoint(o.to), o.port])).toEqual([["shop/web[Deployment]", 8080]]);
  });

  test("flows fold to endpoints and port, with their days and what was dropped", () => {
    const traffic = new Traffic(network);
    const web = end({ namespace: "shop", pod: "web-7c9d5fbb8-x2x4z" });
    const db = end({ namespace: "shop", pod: "db-0" });
    const day = 86_400_000;
    for (const at of [0, day, day + 5]) traffic.add(flow(web, db, { at, count: 2 }));
    traffic.add(flow(web, db, { at: 3 * day, verdict: "dropped", direction: "assumed" }));
    traffic.add(flow(web, db, { at: 3 * day, port: 22 }));
    expect(
      traffic.observed.map(({ port, count, dropped, assumed, first, last, days }) => [
        port,
        count,
        dropped,
        assumed,
        first,
        last,
        days.size,
      ]),
    ).toEqual([
      [5432, 7, 1, 1, 0, 3 * day, 3],
      [22, 1, 0, 0, 3 * day, 3 * day, 1],
    ]);
  });

  test("sides that nobody stands for are counted, not guessed", () => {
    const traffic = new Traffic(network);
    traffic.add(flow(end({ namespace: "shop", pod: "gone-1" }), tool));
    expect(traffic.observed).toEqual([]);
    expect([...traffic.unresolved]).toEqual([["shop/gone-1", 1]]);
  });

  test("lookups are kept by client and name", () => {
    const traffic = new Traffic(network);
    for (const name of ["a.example", "a.example", "b.example"])
      traffic.addLookup({ client: tool, name, protocol: "UDP", at: undefined });
    expect(traffic.lookups.map(({ client, name, count }) => [client.id, name, count])).toEqual([
      ["shop/tool[Pod]", "a.example", 2],
      ["shop/tool[Pod]", "b.example", 1],
    ]);
  });
});

describe("replay", () => {
  const web = end({ namespace: "shop", pod: "web-7c9d5fbb8-x2x4z" });
  const db = end({ namespace: "shop", pod: "db-0" });

  test("says what would be denied and why; what has no port is undecided; what was dropped is not asked about", () => {
    const traffic = new Traffic(network);
    traffic.add(flow(web, db, { count: 5 }));
    traffic.add(flow(tool, db, { count: 3 }));
    traffic.add(flow(tool, web, { protocol: "ICMP", port: undefined }));
    traffic.add(flow(tool, db, { port: 22, verdict: "dropped" }));
    const result = replayTraffic(traffic, network);
    expect([result.flows, result.allowedFlows, result.deniedFlows, result.undecided.length]).toEqual([9, 5, 3, 1]);
    expect(result.denied.map((d) => d.explanation.ingress.text)).toEqual([
      expect.stringContaining("isolated for ingress by NetworkPolicy shop/db"),
    ]);
  });
});
