import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { autogenStatus } from "./autogen-status.ts";

const pods = "match: {any: [{resources: {kinds: [Pod]}}]}";
const policy = (rules: string, controllers?: string) => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: {
    name: "p",
    ...(controllers === undefined ? {} : { annotations: { "pod-policies.kyverno.io/autogen-controllers": controllers } }),
  },
  spec: { rules: parse(rules) },
});

describe("status.autogen", () => {
  test("holds the rules for what makes pods", () => {
    const status = autogenStatus(policy(`[{name: r, ${pods}, validate: {pattern: {spec: {hostPID: false}}}}]`, "Deployment"));
    expect(status).toMatchObject({
      rules: [
        {
          name: "autogen-r",
          skipBackgroundRequests: true,
          match: { any: [{ resources: { kinds: ["apps/v1/Deployment"] } }] },
          validate: { pattern: { spec: { template: { spec: { hostPID: false } } } } },
        },
      ],
    });
  });

  test.each([
    ["where nobody wants any", policy(`[{name: r, ${pods}, validate: {pattern: {}}}]`, "none")],
    [
      "of a policy about something else",
      policy("[{name: r, match: {any: [{resources: {kinds: [Secret]}}]}, validate: {pattern: {}}}]"),
    ],
    ["of a policy without rules", { ...policy("[]"), spec: {} }],
  ])("holds none %s", (_, given) => {
    expect(autogenStatus(given)).toEqual({ rules: null });
  });

  const cel = (kind: string, more: object = {}) => ({
    apiVersion: "policies.kyverno.io/v1",
    kind,
    metadata: { name: "p" },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
      },
      validations: [{ expression: "object.spec.hostPID == false" }],
      autogen: { podControllers: { controllers: ["deployments"] } },
      ...more,
    },
  });

  test("holds the specs of CEL policies", () => {
    expect(autogenStatus(cel("ValidatingPolicy"))).toMatchObject({
      configs: {
        defaults: { spec: { validations: [{ expression: "object.spec.template.spec.hostPID == false" }] } },
        cronjobs: null,
      },
    });
  });

  test("is for kinds that have it, about objects", () => {
    expect(autogenStatus(cel("ValidatingPolicy", { evaluation: { mode: "JSON" } }))).toEqual({ configs: null });
    expect(autogenStatus(cel("GeneratingPolicy"))).toBeUndefined();
  });
});
