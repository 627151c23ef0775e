import { describe, expect, test } from "vitest";
import type { Facts } from "../../core/facts.ts";
import { runPolicy } from "./policy-run.testing.ts";

const policy = (kind: string, spec: string) => `
apiVersion: policies.kyverno.io/v1
kind: ${kind}
metadata: {name: p, namespace: shop}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}
${spec}`;
const trigger = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}}";

describe("a GeneratingPolicy", () => {
  const made = '[{"apiVersion": dyn("v1"), "kind": dyn("ConfigMap"), "metadata": dyn({"name": object.metadata.name + "-copy"})}]';

  test("makes objects in the namespace that it names", () => {
    const spec = `  generate: [{expression: 'generator.apply("other", ${made})'}]`;
    const [result] = runPolicy(policy("GeneratingPolicy", spec), trigger).results;
    expect([result?.status, result?.generated]).toEqual([
      "pass",
      [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c-copy", namespace: "other" } }],
    ]);
  });

  test("of one namespace makes them there", () => {
    const spec = `  generate: [{expression: 'generator.apply(${made})'}]`;
    const [result] = runPolicy(policy("NamespacedGeneratingPolicy", spec), trigger).results;
    expect(result?.generated?.map((o) => o.metadata?.namespace)).toEqual(["shop"]);
  });

  test("clones without what a server wrote", () => {
    const spec = `  variables: [{name: source, expression: 'resource.get("v1", "configmaps", "shop", "s")'}]
  generate: [{expression: 'generator.apply("other", [variables.source])'}]`;
    const metadata = { name: "s", namespace: "shop", uid: "1", resourceVersion: "2", ownerReferences: [{}], labels: { a: "b" } };
    const facts: Facts = {
      get: () => ({ ok: true, value: { apiVersion: "v1", kind: "ConfigMap", metadata, data: { x: "y" } } }),
    };
    const [result] = runPolicy(policy("GeneratingPolicy", spec), trigger, { facts }).results;
    expect(result?.generated).toEqual([
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "s", labels: { a: "b" }, namespace: "other" }, data: { x: "y" } },
    ]);
  });

  test("is an error where there is nothing to clone", () => {
    const spec = `  generate: [{expression: 'generator.apply("other", [resource.get("v1", "configmaps", "shop", "s")])'}]`;
    const facts: Facts = { get: () => ({ ok: false, message: "", notFound: true }) };
    expect(runPolicy(policy("GeneratingPolicy", spec), trigger, { facts }).said[0]).toContain("generate error:");
  });

  test("names templates as what is not supported", () => {
    const { said } = runPolicy(policy("GeneratingPolicy", "  generate: [{template: {value: x}}]"), trigger);
    expect(said[0]).toContain(
      "generate error: the policy was not evaluated: spec.generate[0].template: templates are not supported",
    );
  });
});

describe("a DeletingPolicy", () => {
  const spec = `  schedule: "0 0 * * *"\n  conditions: [{name: old, expression: "object.metadata.name == 'c'"}]`;

  test.each([
    ["passes for what it would delete", trigger, ["delete pass: resource matched"]],
    ["fails for what it would leave", trigger.replace("name: c,", "name: d,"), ["delete fail: resource did not match"]],
    ["has nothing to say about other kinds", "{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: shop}}", []],
  ])("%s", (_, object, expected) => expect(runPolicy(policy("DeletingPolicy", spec), object).said).toEqual(expected));
});
