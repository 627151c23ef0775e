import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { converge } from "./converge.ts";

const quota = (spec: JsonObject, metadata: JsonObject = {}) => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "q", namespace: "n", ...metadata },
  spec,
});
const map = (data: JsonObject) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data });

describe("an object as it should be", () => {
  test.each([
    ["what is missing is added", quota({}), quota({ hard: { pods: "1" } }), quota({ hard: { pods: "1" } })],
    [
      "what was changed is put back",
      quota({ hard: { pods: "9" } }),
      quota({ hard: { pods: "1" } }),
      quota({ hard: { pods: "1" } }),
    ],
    [
      "what the API server or a controller adds stays",
      quota({ hard: { pods: "1" }, scopes: ["BestEffort"] }, { annotations: { by: "x" } }),
      quota({ hard: { pods: "1" } }, { labels: { a: "b" } }),
      quota({ hard: { pods: "1" }, scopes: ["BestEffort"] }, { annotations: { by: "x" }, labels: { a: "b" } }),
    ],
    ["entries of data that nobody wants go", map({ a: "1", b: "2" }), map({ a: "1" }), map({ a: "1" })],
    [
      "what was added to the items of a list stays",
      quota({ rules: [{ port: 1, protocol: "TCP" }] }),
      quota({ rules: [{ port: 1 }] }),
      quota({ rules: [{ port: 1, protocol: "TCP" }] }),
    ],
    [
      "a list of another length is the wanted one",
      quota({ rules: [{ port: 1, protocol: "TCP" }, { port: 2 }] }),
      quota({ rules: [{ port: 1 }] }),
      quota({ rules: [{ port: 1 }] }),
    ],
    [
      "another version of the kind stays the one that was read",
      { ...quota({ hard: {} }), apiVersion: "v1" },
      { ...quota({ hard: {} }), apiVersion: "v2" },
      quota({ hard: {} }),
    ],
  ])("%s", (_, live, wanted, expected) => {
    expect(converge(live, wanted)).toEqual(expected);
  });

  test("once it is so, it stays so", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const spec = fc.dictionary(fc.string(), value).map((object) => JSON.parse(JSON.stringify(object)));
    fc.assert(
      fc.property(spec, spec, (before, wanted) => {
        const once = converge(quota(before), quota(wanted));
        expect(converge(once, quota(wanted))).toEqual(once);
        expect(converge(quota(wanted), quota(wanted))).toEqual(quota(wanted));
      }),
    );
  });
});

test("of several triggers of a rule one is named, and stays so", () => {
  const labelled = (trigger: string, rule = "r") => ({
    ...map({ a: "1" }),
    metadata: {
      name: "m",
      labels: {
        "generate.kyverno.io/policy-name": "p",
        "generate.kyverno.io/rule-name": rule,
        "generate.kyverno.io/trigger-uid": trigger,
      },
    },
  });
  expect(converge(labelled("a"), labelled("b"))).toEqual(labelled("a"));
  expect(converge(labelled("a", "other"), labelled("b"))).toEqual(labelled("b"));
});
