import { describe, expect, test } from "vitest";
import { apiResources } from "../../core/api-resources.ts";
import type { Facts } from "../../core/facts.ts";
import { objectOf } from "../kyverno/policy-run.testing.ts";
import { convertExpression } from "./mutating-autogen.ts";
import { runPolicy, someResources } from "./policy-run.testing.ts";

const policy = (spec: string, resource = "configmaps") => `
apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [${resource}]}]}
${spec.replace(/^\n/, "")}`;

const map = (data: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}, data: ${data}}`;
const patch = (expression: string) => `  mutations: [{patchType: JSONPatch, jsonPatch: {expression: '${expression}'}}]`;

const changed = (spec: string, object: string) => {
  const [result] = runPolicy(policy(spec), object).results;
  return result?.object?.["data"] ?? `${result?.status}: ${result?.message}`;
};

describe("a JSON patch", () => {
  test.each<[string, string, unknown]>([
    ["adds", '[JSONPatch{op: "add", path: "/data/b", value: object.data.a + "!"}]', { a: "1", b: "1!" }],
    [
      "is left out where its test fails",
      '[JSONPatch{op: "test", path: "/data/a", value: "2"}, JSONPatch{op: "remove", path: "/data/a"}]',
      { a: "1" },
    ],
    ["escapes keys", '[JSONPatch{op: "add", path: "/data/" + jsonpatch.escapeKey("x/y"), value: "1"}]', { a: "1", "x/y": "1" }],
    [
      "is an error where it does not fit",
      '[JSONPatch{op: "remove", path: "/data/x"}]',
      expect.stringContaining("error: failed to evaluate policy: JSON Patch:"),
    ],
    ["is a list of operations", '"text"', expect.stringContaining("must evaluate to list(JSONPatch) but got string")],
  ])("%s", (_, expression, expected) => expect(changed(patch(expression), map('{a: "1"}'))).toEqual(expected));

  test("may set a field that the kind does not have: nothing is decoded, and the API server drops it", () => {
    const schema = { properties: { apiVersion: {}, kind: {}, metadata: {}, data: {} } };
    const schemas = { builtInGroups: () => new Set([""]), schemaFor: () => schema, child: () => undefined };
    const added = patch('[JSONPatch{op: "add", path: "/spec", value: "x"}]');
    const resources = apiResources(someResources.all(), schemas as never);
    const [result] = runPolicy(policy(added), map("{}"), { resources }).results;
    expect(result).toMatchObject({ status: "pass", object: { spec: "x" } });
  });

  test("sees what the one before it made", () => {
    const two = `  mutations:
  - {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/data/b", value: "2"}]'}}
  - {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/data/c", value: object.data.b}]'}}`;
    expect(changed(two, map('{a: "1"}'))).toEqual({ a: "1", b: "2", c: "2" });
  });
});

describe("a configuration", () => {
  const apply = (expression: string) =>
    `  mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: '${expression}'}}]`;

  test("needs the shapes of kinds", () => {
    expect(changed(apply('Object{data: {"b": "2"}}'), map("{}"))).toBe(
      "error: failed to evaluate policy: the shapes of kinds are not known here, so no configuration can be applied",
    );
  });

  test("has initializers with the names of their fields", () => {
    expect(changed(apply("Object{spec: Object.other{}}"), map("{}"))).toContain(
      'type mismatch: unexpected type name "Object.other"',
    );
  });
});

test.each([
  ["object.spec.x", "object.spec.template.spec.x"],
  [
    "has(object.metadata.labels) && object.metadata.name == 'x'",
    "has(object.spec.template.metadata.labels) && object.metadata.name == 'x'",
  ],
  [
    "Object{spec: Object.spec{a: 1}}",
    "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{a: 1}}}}",
  ],
])("%s of a pod is rewritten for what makes pods", (expression, expected) => {
  expect(convertExpression(expression, "defaults")).toBe(expected);
});

test("other objects are changed, not the one that was asked about", () => {
  const spec = `${patch('[JSONPatch{op: "add", path: "/data/from", value: request.name}]')}
  evaluation: {mutateExisting: {enabled: true}}
  targetMatchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [configmaps]}]}
  targetMatchConditions: [{name: other, expression: 'object.metadata.name != request.name'}]`;
  const targets = ["{}", '{a: "1"}'].map((data, i) => objectOf(map(data).replace("name: c", `name: t${i}`)));
  const facts: Facts = { get: () => ({ ok: true, value: targets }) };
  const { results } = runPolicy(policy(spec), map("{}"), { facts });
  expect(results.map((r) => [r.status, r.object, r.target?.["data"]])).toEqual([
    ["pass", undefined, { from: "c" }],
    ["pass", undefined, { a: "1", from: "c" }],
  ]);
});

describe("targets that an expression names", () => {
  const changing = (expression: string) => `${patch('[JSONPatch{op: "add", path: "/data/from", value: request.name}]')}
  evaluation: {mutateExisting: {enabled: true}}
  targetMatchConstraints: {expression: '${expression}'}`;
  const target = (name: string) => objectOf(map("{}").replace("name: c", `name: ${name}`));

  test.each<[string, string, Facts, readonly (string | undefined)[]]>([
    ["one", 'resource.get("v1", "configmaps", "shop", "t")', { get: () => ({ ok: true, value: target("t") }) }, ["t"]],
    [
      "a list",
      'resource.list("v1", "configmaps", "shop")',
      { get: () => ({ ok: true, value: { items: [target("a"), target("b")] } }) },
      ["a", "b"],
    ],
    ["none", 'resource.get("v1", "configmaps", "shop", "t")', { get: () => ({ ok: false, message: "", notFound: true }) }, []],
  ])("%s", (_, expression, facts, names) => {
    const { results, diagnostics } = runPolicy(policy(changing(expression)), map("{}"), { facts });
    expect([diagnostics, results.map((r) => r.target?.metadata?.name)]).toEqual([[], names]);
  });

  test("that are no objects are an error", () => {
    const { said } = runPolicy(policy(changing('dyn({"a": 1})')), map("{}"));
    expect(said[0]).toContain("failed to find targets: the target expression gives what is no Kubernetes object");
  });
});
