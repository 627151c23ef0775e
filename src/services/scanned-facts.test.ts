import { describe, expect, test } from "vitest";
import { type ApiResource, apiResources } from "../core/api-resources.ts";
import type { Need } from "../core/facts.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import { scannedFacts } from "./scanned-facts.ts";

const resource = (group: string, kind: string, plural: string): ApiResource => ({
  group,
  version: "v1",
  kind,
  resource: plural,
  namespaced: true,
  verbs: [],
  subresources: [],
});
const resources = apiResources([
  resource("", "ConfigMap", "configmaps"),
  resource("", "Namespace", "namespaces"),
  resource("apps", "Deployment", "deployments"),
]);
const config: KubernetesObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", namespace: "a", labels: { x: "1" } },
};
const web: KubernetesObject = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "a" } };
const space: KubernetesObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } };
const objects = [config, web, space];
const files = scannedFacts({ objects, resources, complete: false });
const cluster = scannedFacts({ objects, resources, complete: true });

const get = (path: string): Need => ({ kind: "api-call", method: "GET", path });
const select = (over: object): Need => ({
  kind: "objects",
  apiVersion: "v1",
  objectKind: "ConfigMap",
  subresource: "",
  namespace: "",
  name: "",
  ...over,
});

describe("what was scanned is known", () => {
  test.each<[string, Need, KubernetesObject]>([
    ["a namespace", { kind: "namespace", name: "a" }, space],
    ["a config map", { kind: "config-map", namespace: "a", name: "c" }, config],
    ["a core object by path", get("/api/v1/namespaces/a/configmaps/c"), config],
    ["an object of a group by path", get("/apis/apps/v1/namespaces/a/deployments/web"), web],
    ["a cluster-scoped object by path", get("/api/v1/namespaces/a"), space],
  ])("%s", (_, need, value) => {
    expect(files.get(need)).toEqual({ ok: true, value });
    expect(cluster.get(need)).toEqual({ ok: true, value });
  });

  test.each<[string, Need, readonly KubernetesObject[]]>([
    ["of one kind", select({}), [config]],
    ["by name with wildcards", select({ name: "c*" }), [config]],
    ["of any group", select({ apiVersion: "*/v1", objectKind: "Deployment" }), [web]],
    ["of the core group alone", select({ objectKind: "Deployment" }), []],
    ["in another namespace", select({ namespace: "b" }), []],
    ["by label", select({ selector: { matchLabels: { x: "1" } } }), [config]],
    ["by another label", select({ selector: { matchLabels: { x: "2" } } }), []],
  ])("objects %s", (_, need, value) => expect(files.get(need)).toEqual({ ok: true, value }));
});

describe("what was not scanned is refused, not guessed", () => {
  test.each<[string, Need, RegExp]>([
    ["a namespace", { kind: "namespace", name: "b" }, /namespace b is not among the scanned objects/],
    ["a config map", { kind: "config-map", namespace: "a", name: "d" }, /config map a\/d is not among/],
    ["a list", get("/api/v1/namespaces/a/configmaps"), /only a whole cluster knows/],
    ["a query", get("/api/v1/configmaps?limit=1"), /needs a cluster/],
    ["a subresource", get("/api/v1/namespaces/a/pods/p/log"), /needs a cluster/],
    ["an unknown resource", get("/apis/x.io/v1/things"), /needs a cluster/],
    ["a post", { kind: "api-call", method: "POST", path: "/apis/x/v1/reviews" }, /POST .* needs a cluster/],
    [
      "none where that must be certain",
      select({ name: "none", namespace: "a", certain: true }),
      /no ConfigMap a\/none is among the scanned objects/,
    ],
    ["the network", { kind: "http-call", method: "GET", url: "https://x", headers: {} }, /does not use/],
    ["an image", { kind: "image", reference: "nginx" }, /registry/],
  ])("%s", (_, need, message) => {
    const fact = files.get(need);
    expect(fact?.ok).toBe(false);
    expect(fact !== undefined && !fact.ok ? fact.message : "").toMatch(message);
  });
});

describe("a whole cluster is certain of lists and absences", () => {
  test("a list", () => {
    const items = [config];
    expect(cluster.get(get("/api/v1/namespaces/a/configmaps"))).toEqual({
      ok: true,
      value: { apiVersion: "v1", kind: "ConfigMapList", metadata: {}, items },
    });
    expect(cluster.get(get("/api/v1/configmaps"))).toMatchObject({ ok: true, value: { items } });
    expect(cluster.get(get("/api/v1/namespaces/b/configmaps"))).toMatchObject({ ok: true, value: { items: [] } });
  });

  test("an absence", () => {
    const fact = cluster.get({ kind: "namespace", name: "b" });
    expect(fact).toEqual({ ok: false, message: "there is no namespace b", notFound: true });
  });
});
