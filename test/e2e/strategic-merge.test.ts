import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { isObject, type JsonObject } from "../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../src/core/kubernetes.ts";
import { applyServerMerge } from "../../src/core/server-merge.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { kubectl } from "./castellan-server.ts";

let cluster: Cluster | NotAvailable;

/** With all that the API server would add. */
const container = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  image: `registry.example.com/${name}:1`,
  resources: {},
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  imagePullPolicy: "IfNotPresent",
  ...more,
});
const volume = (name: string, more: JsonObject): JsonObject => ({ name, ...more });

const deployment: JsonObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: "web",
    namespace: "default",
    labels: { app: "web", old: "yes" },
    finalizers: ["example.com/a", "example.com/b"],
  },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [
          container("a", {
            args: ["x", "y"],
            env: [
              { name: "ONE", value: "1" },
              { name: "TWO", value: "2" },
            ],
          }),
          container("b", {
            ports: [
              { containerPort: 80, protocol: "TCP" },
              { containerPort: 443, protocol: "TCP" },
            ],
          }),
          container("c"),
        ],
        volumes: [volume("v", { emptyDir: {} }), volume("w", { emptyDir: {} })],
        tolerations: [{ key: "gpu", operator: "Exists" }],
        securityContext: { runAsUser: 1, fsGroup: 2 },
      },
    },
  },
};

async function ask(...argv: readonly string[]): Promise<KubernetesObject> {
  if (!cluster.available) throw new Error(cluster.reason);
  const { code, text } = await kubectl(cluster, argv, JSON.stringify(deployment));
  if (code !== 0) throw new Error(text);
  const value: unknown = JSON.parse(text);
  if (!isKubernetesObject(value as JsonObject)) throw new Error(text);
  return value as KubernetesObject;
}

/** What a patch decides: not what the server counts. */
function decided({ metadata, status: _, ...rest }: JsonObject): JsonObject {
  const { managedFields: _m, resourceVersion: _r, generation: _g, ...kept } = isObject(metadata) ? metadata : {};
  return { ...rest, metadata: kept };
}

beforeAll(async () => {
  cluster = await startCluster();
  if (cluster.available) await ask("create", "-f", "-", "-o", "json");
});
afterAll(async () => {
  if (cluster.available) await cluster.stop();
});

describe("a strategic merge patch is what the API server makes of it", () => {
  const spec = (of: JsonObject): JsonObject => ({ spec: { template: { spec: of } } });
  test.each<[string, JsonObject]>([
    ["a label is changed, one removed, one added", { metadata: { labels: { app: "web", old: null, new: "1" } } }],
    ["an image", spec({ containers: [{ name: "b", image: "other" }] })],
    ["a new container", spec({ containers: [container("d")] })],
    [
      "a new container, in an order",
      spec({ "$setElementOrder/containers": [{ name: "a" }, { name: "d" }, { name: "c" }], containers: [container("d")] }),
    ],
    ["another order alone", spec({ "$setElementOrder/containers": [{ name: "c" }, { name: "b" }, { name: "a" }] })],
    ["a container goes", spec({ containers: [{ name: "b", $patch: "delete" }] })],
    ["all others go", spec({ containers: [container("d"), { $patch: "replace" }] })],
    [
      "arguments and variables",
      spec({
        containers: [
          {
            name: "a",
            args: ["z"],
            env: [
              { name: "TWO", value: "3" },
              { name: "ZERO", value: "0" },
            ],
          },
        ],
      }),
    ],
    ["a variable goes", spec({ containers: [{ name: "a", env: [{ name: "ONE", $patch: "delete" }] }] })],
    ["ports", spec({ containers: [{ name: "b", ports: [{ containerPort: 443, name: "tls" }] }] })],
    [
      "a volume of another kind",
      spec({ volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x", type: "" } }] }),
    ],
    ["tolerations, which are replaced", spec({ tolerations: [{ key: "other", operator: "Exists" }] })],
    ["an object is replaced", spec({ securityContext: { $patch: "replace", runAsGroup: 4 } })],
    ["an object loses a part", spec({ securityContext: { runAsUser: null } })],
    ["finalizers", { metadata: { "$deleteFromPrimitiveList/finalizers": ["example.com/a"], finalizers: ["example.com/c"] } }],
    [
      "finalizers in an order",
      {
        metadata: {
          "$setElementOrder/finalizers": ["example.com/c", "example.com/b"],
          "$deleteFromPrimitiveList/finalizers": ["example.com/a"],
          finalizers: ["example.com/c"],
        },
      },
    ],
    ["the way of a rollout", { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }],
  ])("%s", async (_, patch) => {
    if (!cluster.available) return;
    const before = await ask("get", "deployment", "web", "-o", "json");
    const argv = [
      "patch",
      "deployment",
      "web",
      "--type=strategic",
      "--dry-run=server",
      "-o",
      "json",
      "-p",
      JSON.stringify(patch),
    ];
    const theirs = await ask(...argv);
    const ours = applyServerMerge(before, patch, loadKubernetesSchemas());
    if (!ours.ok) throw new Error(ours.message);
    expect(decided(ours.value)).toEqual(decided(theirs));
  });
});
