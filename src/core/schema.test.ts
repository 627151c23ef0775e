import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { KubernetesObject } from "./kubernetes.ts";
import { type KubernetesCatalog, kubernetesSchemas } from "./schema.ts";

const catalog: KubernetesCatalog = JSON.parse(
  readFileSync(new URL("../../catalog/kubernetes/v1.36.json", import.meta.url), "utf8"),
);
const schemas = kubernetesSchemas(catalog);
const pod = { group: "", version: "v1", kind: "Pod" };
const deployment = { group: "apps", version: "v1", kind: "Deployment" };

test.each([
  [pod, ["spec", "containers"], "name"],
  [pod, ["spec", "containers", 0, "ports"], "containerPort"],
  [pod, ["spec", "volumes"], "name"],
  [pod, ["spec", "tolerations"], undefined],
  [pod, ["spec", "containers", 0, "command"], undefined],
  [deployment, ["spec", "template", "spec", "initContainers", 2, "env"], "name"],
  [deployment, ["spec", "template", "metadata", "ownerReferences"], "uid"],
  [{ group: "", version: "v1", kind: "Service" }, ["spec", "ports"], "port"],
  [{ group: "example.com", version: "v1", kind: "Pod" }, ["spec", "containers"], undefined],
])("the merge key of %o at %j is %s", (gvk, path, key) => {
  expect(schemas.mergeKeyFor(gvk, path)).toBe(key);
});

test("every definition that is referred to exists, and every kind resolves", () => {
  for (const schema of Object.values(catalog.definitions)) {
    for (const property of Object.values(schema.properties ?? {})) expect(() => schemas.resolve(property)).not.toThrow();
  }
  for (const gvk of schemas.kindsWithSchema()) expect(schemas.schemaFor(gvk)?.type).toBe("object");
});

test("members of maps, enumerations and lists of scalars have schemas", () => {
  expect(schemas.schemaAt(pod, ["spec", "containers", 0, "resources", "limits", "nvidia.com/gpu"])?.oneOf).toBeDefined();
  expect(schemas.schemaAt(pod, ["spec", "containers", 0, "imagePullPolicy"])?.enum).toEqual(["Always", "IfNotPresent", "Never"]);
  expect(
    schemas.schemaAt({ group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy" }, ["spec", "policyTypes", 0])?.enum,
  ).toEqual(["Egress", "Ingress"]);
  expect(schemas.schemaAt(pod, ["spec", "constructor"])).toBeUndefined();
});

test("resources carry verbs and subresources", () => {
  const resources = schemas.resources();
  const pods = resources.byResource("", "pods");
  expect(pods?.subresources.map((s) => s.name)).toEqual(
    expect.arrayContaining(["log", "exec", "attach", "portforward", "eviction", "ephemeralcontainers"]),
  );
  expect(pods?.subresources.find((s) => s.name === "eviction")).toMatchObject({ group: "policy", kind: "Eviction" });
  expect(resources.byResource("", "serviceaccounts")?.subresources.map((s) => s.name)).toEqual(["token"]);
  expect(resources.byKind("autoscaling", "HorizontalPodAutoscaler")?.version).toBe("v2");
  expect(resources.groupsOf("events")).toEqual(["", "events.k8s.io"]);
});

const crd: KubernetesObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    names: { kind: "Widget", plural: "widgets", shortNames: ["wd"] },
    scope: "Namespaced",
    versions: [
      { name: "v1", served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: widget("integer") } },
      { name: "v1alpha1", served: false, storage: false, schema: { openAPIV3Schema: widget("string") } },
    ],
  },
};

function widget(type: string) {
  return {
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties: {
          size: { type },
          parts: {
            type: "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["id"],
            items: { type: "object" },
          },
        },
      },
    },
  };
}

test("CustomResourceDefinitions add schemas and resources of their served versions", () => {
  const custom = schemas.withCustomResources([crd]);
  const gvk = { group: "example.com", version: "v1", kind: "Widget" };
  expect(custom.schemaAt(gvk, ["spec", "size"])?.type).toBe("integer");
  expect(custom.schemaAt(gvk, ["metadata", "labels", "a"])?.type).toBe("string");
  expect(custom.schemaFor({ ...gvk, version: "v1alpha1" })).toBeUndefined();
  expect(custom.resources().byResource("example.com", "widgets")).toMatchObject({ kind: "Widget", namespaced: true });
  expect(schemas.schemaFor(gvk)).toBeUndefined();
});

test.each([
  { ...crd, apiVersion: "example.com/v1" },
  { ...crd, spec: "nonsense" },
  { ...crd, spec: { group: "example.com", names: { plural: "widgets" }, versions: [3, { name: "v1" }] } },
])("a document that is no CustomResourceDefinition, or a broken one, adds nothing", (object) => {
  expect(schemas.withCustomResources([object]).kindsWithSchema()).toHaveLength(schemas.kindsWithSchema().length);
});

test("versions that are gone or going say since when, and what replaces them", () => {
  const lifecycleOf = (group: string, version: string, kind: string) => schemas.lifecycleOf({ group, version, kind });
  expect(lifecycleOf("extensions", "v1beta1", "Deployment")).toEqual({
    deprecated: "1.8",
    removed: "1.16",
    replacement: "apps/v1/Deployment",
  });
  expect(lifecycleOf("policy", "v1beta1", "PodSecurityPolicy")).toEqual({ deprecated: "1.21", removed: "1.25" });
  expect(lifecycleOf("networking.k8s.io", "v1beta1", "IngressClass")?.replacement).toBe("networking.k8s.io/v1/IngressClass");
  expect(lifecycleOf("apps", "v1", "Deployment")).toBeUndefined();
});
