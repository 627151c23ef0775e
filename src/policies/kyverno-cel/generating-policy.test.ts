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
});

describe("a DeletingPolicy", () => {
  const spec = `  schedule: "0 0 * * *"\n  conditions: [{name: old, expression: "object.metadata.name == 'c'"}]`;

  test.each([
    ["passes for what it would delete", trigger, ["delete pass: resource matched"]],
    ["fails for what it would leave", trigger.replace("name: c,", "name: d,"), ["delete fail: resource did not match"]],
    ["has nothing to say about other kinds", "{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: shop}}", []],
  ])("%s", (_, object, expected) => expect(runPolicy(policy("DeletingPolicy", spec), object).said).toEqual(expected));
});

describe("a template", () => {
  const templated = (value: string, interpolate = "cel") =>
    `  variables: [{name: copy, expression: object.metadata.name + '-copy'}]\n  generate: [{template: {interpolate: ${interpolate}, value: ${JSON.stringify(value)}}}]`;
  const configMap = (rest: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "(( variables.copy ))", namespace: other}\n${rest}`;
  const generated = (spec: string, kind = "GeneratingPolicy") => runPolicy(policy(kind, spec), trigger).results[0];

  test.each<[string, string, unknown]>([
    ["a whole value of any type", "data: \"(( {'a': dyn(1), 'b': dyn(true)} ))\"", { a: 1, b: true }],
    ["a part of a text", "data: {a: 'x-(( variables.copy ))-(( size(object.metadata.name) ))'}", { a: "x-c-copy-1" }],
    ["parentheses and quotes inside", `data: {a: '(( string(size("))") + (1 + 2)) ))'}`, { a: "5" }],
    ["an escape", "data: {a: '\\((no)) and (( 1 ))'}", { a: "((no)) and 1" }],
    ["nothing to replace", "data: {a: b, n: 1}", { a: "b", n: 1 }],
  ])("replaces %s", (_, rest, data) => {
    expect(generated(templated(configMap(rest)))?.generated).toEqual([
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c-copy", namespace: "other" }, data },
    ]);
  });

  test("replaces nothing unless it says so", () => {
    const [object] = generated(templated(configMap("data: {}"), "none"))?.generated ?? [];
    expect(object?.metadata?.name).toBe("(( variables.copy ))");
  });

  test("makes an object of each document", () => {
    expect(generated(templated(`${configMap("")}---\n${configMap("")}`))?.generated).toHaveLength(2);
  });

  test.each([
    ["another namespace than the policy's", "NamespacedGeneratingPolicy", "data: {}", "cross-namespace generation denied"],
    ["a part of a text that is no scalar", "GeneratingPolicy", "data: {a: 'x (( [1] ))'}", "must evaluate to a scalar"],
    [
      "a value that cannot be computed",
      "GeneratingPolicy",
      "data: {a: '(( object.none ))'}",
      'field "data": field "a": failed to evaluate',
    ],
  ])("is an error: %s", (_, kind, rest, message) => {
    expect(generated(templated(configMap(rest)), kind)?.message).toContain(message);
  });

  test.each([
    ["(( 1", "missing closing"],
    ["(( ))", "empty placeholder"],
    ["(( (1 ))", "unbalanced parenthesis"],
    ["(( (1) ) )", "unbalanced parenthesis"],
    ['(( "a ))', "unterminated string literal"],
    ["(( none ))", "undeclared reference"],
  ])("%s is found in the policy", (text, message) => {
    const { diagnostics } = runPolicy(policy("GeneratingPolicy", templated(configMap(`data: {a: '${text}'}`))), trigger);
    expect(diagnostics.map((d) => d.message).join()).toContain(message);
  });
});
