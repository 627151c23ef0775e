import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import type { JsonObject } from "./json.ts";
import { applyServerMerge } from "./server-merge.ts";

const container = (name: string, more: JsonObject = {}): JsonObject => ({ name, image: `${name}:1`, ...more });
const deployment = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", ...metadata },
  spec,
});
const pods = (spec: JsonObject): JsonObject => deployment({ template: { spec } });

function merged(object: JsonObject, patch: JsonObject): unknown {
  const result = applyServerMerge({ apiVersion: "", kind: "", ...object }, patch, loadKubernetesSchemas());
  return result.ok ? result.value : result.message;
}
const podsAfter = (before: JsonObject, patch: JsonObject) => merged(pods(before), { spec: { template: { spec: patch } } });

// The order and the words are those of apimachinery's strategicpatch; test/e2e/strategic-merge.test.ts asks a real API server.
describe("a strategic merge patch, as the API server applies it", () => {
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      "containers merge by name, in the place they have",
      { containers: [container("a"), container("b")] },
      { containers: [{ name: "b", image: "b:2" }] },
      { containers: [container("a"), container("b", { image: "b:2" })] },
    ],
    [
      "a new one comes first",
      { containers: [container("a"), container("b")] },
      { containers: [container("c")] },
      { containers: [container("c"), container("a"), container("b")] },
    ],
    [
      "the order that the patch wants counts",
      { containers: [container("a"), container("b")] },
      { "$setElementOrder/containers": [{ name: "c" }, { name: "b" }, { name: "a" }], containers: [container("c")] },
      { containers: [container("c"), container("b"), container("a")] },
    ],
    [
      "what the server alone has keeps its place among the others",
      { containers: [container("a"), container("sidecar"), container("b")] },
      { "$setElementOrder/containers": [{ name: "a" }, { name: "b" }], containers: [{ name: "b", image: "b:2" }] },
      { containers: [container("a"), container("sidecar"), container("b", { image: "b:2" })] },
    ],
    [
      "one is removed",
      { containers: [container("a"), container("b")] },
      { containers: [{ name: "a", $patch: "delete" }] },
      { containers: [container("b")] },
    ],
    [
      "the whole list is replaced",
      { containers: [container("a"), container("b")] },
      { containers: [container("c"), { $patch: "replace" }] },
      { containers: [container("c")] },
    ],
    [
      "a list without a merge key is replaced",
      { containers: [container("a", { args: ["x", "y"] })] },
      { containers: [{ name: "a", args: ["z"] }] },
      { containers: [container("a", { args: ["z"] })] },
    ],
    [
      "keys that are not to be retained go",
      { volumes: [{ name: "v", emptyDir: {} }] },
      { volumes: [{ name: "v", $retainKeys: ["name", "configMap"], configMap: { name: "c" } }] },
      { volumes: [{ name: "v", configMap: { name: "c" } }] },
    ],
    ["null removes", { hostNetwork: true, nodeName: "n" }, { hostNetwork: null }, { nodeName: "n" }],
    [
      "null of what is new adds nothing",
      {},
      { securityContext: { runAsUser: null, runAsGroup: 1 } },
      { securityContext: { runAsGroup: 1 } },
    ],
    [
      "an object is replaced",
      { securityContext: { runAsUser: 1, fsGroup: 2 } },
      { securityContext: { $patch: "replace", runAsUser: 3 } },
      { securityContext: { runAsUser: 3 } },
    ],
    [
      "an object is emptied",
      { securityContext: { runAsUser: 1 } },
      { securityContext: { $patch: "delete" } },
      { securityContext: {} },
    ],
    [
      "ports merge by their number",
      { containers: [container("a", { ports: [{ containerPort: 80 }, { containerPort: 443 }] })] },
      { containers: [{ name: "a", ports: [{ containerPort: 443, name: "tls" }] }] },
      { containers: [container("a", { ports: [{ containerPort: 80 }, { containerPort: 443, name: "tls" }] })] },
    ],
  ])("%s", (_, before, patch, after) => {
    expect(podsAfter(before, patch)).toEqual(pods(after));
  });

  test("lists of scalars are united, and values are taken out of them", () => {
    const patch = {
      metadata: { "$deleteFromPrimitiveList/finalizers": ["a"], "$setElementOrder/finalizers": ["c", "b"], finalizers: ["c"] },
    };
    expect(merged(deployment({}, { finalizers: ["a", "b"] }), patch)).toEqual(deployment({}, { finalizers: ["c", "b"] }));
  });

  test.each<[string, JsonObject, string]>([
    ["an unknown word", { spec: { $patch: "merge" } }, 'unknown $patch: "merge"'],
    [
      "an item that nobody can tell",
      { spec: { template: { spec: { containers: [{ image: "x" }] } } } },
      "an item of a list has no name",
    ],
    ["an order that is none", { spec: { template: { spec: { "$setElementOrder/containers": "a" } } } }, "must be a list"],
  ])("%s is refused", (_, patch, message) => {
    expect(merged(pods({ containers: [container("a")] }), patch)).toContain(message);
  });

  test("a kind without a schema is not guessed at", () => {
    expect(merged({ apiVersion: "example.com/v1", kind: "Thing" }, {})).toBe("the schema of Thing is not known");
  });
});
