import { expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { readGlobalContextEntry } from "./global-context-entry.ts";

const read = (spec: JsonObject) =>
  readGlobalContextEntry({
    file: "e.yaml",
    index: 0,
    value: { apiVersion: "kyverno.io/v2beta1", kind: "GlobalContextEntry", metadata: { name: "e" }, spec },
    locate: () => undefined,
    locateKey: () => undefined,
  });

const pods = { version: "v1", resource: "pods" };
const call = { urlPath: "/version" };

test.each<[string, JsonObject, JsonObject]>([
  ["objects of all namespaces", { kubernetesResource: pods }, { kind: "objects", group: "", namespace: "", ...pods }],
  ["a call", { apiCall: call }, { kind: "answer", refreshMilliseconds: 600_000, retries: 0 }],
  ["its interval", { apiCall: { ...call, refreshInterval: "1h30m" } }, { refreshMilliseconds: 5_400_000 }],
  [
    "no interval that a timer cannot reach",
    { apiCall: { ...call, refreshInterval: "720h" } },
    { refreshMilliseconds: 2_147_483_647 },
  ],
  ["no more attempts than the schema has", { apiCall: { ...call, retryLimit: 1e9 } }, { retries: 10 }],
  [
    "a POST with its data",
    { apiCall: { service: { url: "https://a/b" }, method: "POST", data: [{ key: "k", value: 1 }] } },
    { need: { kind: "http-call", method: "POST", url: "https://a/b", headers: {}, body: { k: 1 } } },
  ],
])("%s", (_, spec, source) => {
  const entry = read(spec);
  expect(entry.ok && entry.value.source).toMatchObject(source);
});

test.each<[string, JsonObject, string]>([
  ["neither", {}, "needs one of kubernetesResource and apiCall"],
  ["both", { kubernetesResource: pods, apiCall: call }, "needs one of kubernetesResource and apiCall"],
  ["no version", { kubernetesResource: { group: "apps", resource: "deployments" } }, "version: must be given"],
  ["no group where one is needed", { kubernetesResource: { version: "v1beta1", resource: "pods" } }, "group: must be given"],
  ["no resource", { kubernetesResource: { version: "v1" } }, "resource: must be given"],
  ["a path and a service", { apiCall: { ...call, service: { url: "https://a" } } }, "needs one of urlPath and service"],
  ["another method", { apiCall: { ...call, method: "PUT" } }, "method: must be GET or POST"],
  ["a POST of nothing", { apiCall: { ...call, method: "POST" } }, "data: must be given with POST"],
  ["an interval of no time", { apiCall: { ...call, refreshInterval: "10ms" } }, "refreshInterval: must be a duration"],
  [
    "a projection with its own name",
    { apiCall: call, projections: [{ name: "e", jmesPath: "a" }] },
    "differ from the entry's name",
  ],
  ["a projection that is none", { apiCall: call, projections: [{ name: "p", jmesPath: "a[" }] }, "a["],
])("%s is refused", (_, spec, message) => {
  const entry = read(spec);
  expect(entry.ok).toBe(false);
  expect(entry.diagnostics.map((d) => d.message).join("\n")).toContain(message);
});

test("projections are worked out of the data", () => {
  const entry = read({ apiCall: call, projections: [{ name: "minor", jmesPath: "minor" }] });
  const minor = entry.ok ? entry.value.projections.get("minor") : undefined;
  expect(minor?.({ minor: "36" }, { now: () => 0, random: () => 0 })).toBe("36");
});
