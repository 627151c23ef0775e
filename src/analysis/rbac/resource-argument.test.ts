import { describe, expect, test } from "vitest";
import { apiResources } from "../../core/api-resources.ts";
import { parseResourceArgument } from "./resource-argument.ts";

const served = { verbs: ["get"], subresources: [] };
const resources = apiResources([
  { ...served, group: "", version: "v1", kind: "Pod", resource: "pods", singular: "pod", shortNames: ["po"], namespaced: true },
  { ...served, group: "", version: "v1", kind: "Node", resource: "nodes", singular: "node", namespaced: false },
  {
    ...served,
    group: "apps",
    version: "v1",
    kind: "Deployment",
    resource: "deployments",
    shortNames: ["deploy"],
    namespaced: true,
  },
  { ...served, group: "events.k8s.io", version: "v1", kind: "Event", resource: "events", namespaced: true },
]);

describe("parseResourceArgument", () => {
  test.each<[string, string, string, string, boolean | undefined]>([
    ["pods", "", "pods", "", true],
    ["po", "", "pods", "", true],
    ["Pod", "", "pods", "", true],
    ["pods/log", "", "pods", "log", true],
    ["nodes", "", "nodes", "", false],
    ["deploy", "apps", "deployments", "", true],
    ["deployments.apps/web", "apps", "deployments", "web", true],
    ["deployments.v1.apps", "apps", "deployments", "", true],
    ["events", "events.k8s.io", "events", "", true],
    ["notebooks.kubeflow.org", "kubeflow.org", "notebooks", "", undefined],
    ["unheard", "", "unheard", "", undefined],
    ["users", "", "users", "", false],
    ["signers/kubernetes.io/kubelet-serving", "certificates.k8s.io", "signers", "kubernetes.io/kubelet-serving", false],
    ["userextras", "authentication.k8s.io", "userextras", "", false],
    ["*", "*", "*", "", undefined],
  ])("%s", (text, apiGroup, resource, name, namespaced) => {
    expect(parseResourceArgument(text, resources)).toEqual({
      isResourceRequest: true,
      path: "",
      apiGroup,
      resource,
      name,
      namespaced,
    });
  });

  test("a leading slash is a path", () => {
    expect(parseResourceArgument("/healthz/etcd", resources)).toMatchObject({ isResourceRequest: false, path: "/healthz/etcd" });
  });
});
