import { expect, test } from "vitest";
import { parseKindSelector } from "./kind-selector.ts";

test.each([
  ["Pod", "*", "*", "Pod", ""],
  ["*", "*", "*", "*", ""],
  ["v1/Pod", "*", "v1", "Pod", ""],
  ["*/Pod", "*", "*", "Pod", ""],
  ["apps/v1/Deployment", "apps", "v1", "Deployment", ""],
  ["apps/*/Deployment", "apps", "*", "Deployment", ""],
  ["networking.k8s.io/v1beta1/Ingress", "networking.k8s.io", "v1beta1", "Ingress", ""],
  ["Pod/status", "*", "*", "Pod", "status"],
  ["Pod.status", "*", "*", "Pod", "status"],
  ["v1/Pod/ephemeralcontainers", "*", "v1", "Pod", "ephemeralcontainers"],
  ["apps/v1/Deployment.scale", "apps", "v1", "Deployment", "scale"],
  ["apps/v1/Deployment/scale", "apps", "v1", "Deployment", "scale"],
  ["*/*", "*", "*", "*", "*"],
  ["*/scale", "*", "*", "*", "scale"],
  ["a/b/c/d/e", "", "", "", ""],
])("%s", (text, group, version, kind, subresource) => {
  expect(parseKindSelector(text)).toEqual({ group, version, kind, subresource });
});
