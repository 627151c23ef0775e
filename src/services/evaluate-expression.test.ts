import { describe, expect, test } from "vitest";
import { apiResources } from "../core/api-resources.ts";
import { noFacts } from "../core/facts.ts";
import type { JsonValue } from "../core/json.ts";
import { evaluateExpression } from "./evaluate-expression.ts";

interface Given {
  readonly object?: JsonValue;
  readonly oldObject?: JsonValue;
  readonly params?: JsonValue;
}

const answer = (source: string, { object, oldObject, params }: Given = {}) =>
  evaluateExpression({
    source,
    object,
    oldObject,
    params,
    resources: apiResources([]),
    facts: noFacts("offline"),
    host: { now: () => 0, random: () => 0 },
  });

const pod = (name: string) => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop" } });

describe("an expression", () => {
  test.each<[string, string, Given, JsonValue]>([
    ["by itself", "1 + 1", {}, 2],
    ["on an object", "object.metadata.name", { object: pod("a") }, "a"],
    ["on what is no Kubernetes object", "object.n > 1", { object: { n: 2 } }, true],
    ["on a change", "request.operation + ' ' + oldObject.metadata.name", { object: pod("a"), oldObject: pod("b") }, "UPDATE b"],
    ["on a deletion", "request.operation", { oldObject: pod("b") }, "DELETE"],
    ["with parameters", "params.max", { params: { max: 3 } }, 3],
    ["with Kyverno's functions", "image('nginx').registry()", {}, "index.docker.io"],
    ["that makes an object", "Object{metadata: Object.metadata{name: 'x'}}", {}, { metadata: { name: "x" } }],
  ])("%s has a value", (_, source, given, value) => expect(answer(source, given)).toMatchObject({ kind: "value", value }));

  test("has a type, a cost and an estimate", () => {
    expect(answer("'a' + 'b'")).toMatchObject({ type: "string", cost: 1, estimate: [1n, 1n] });
  });

  test.each([
    ["that does not parse", "1 +", "compile-error", "Syntax error"],
    ["that does not fit its types", "1 + 'a'", "compile-error", "found no matching overload"],
    ["that fails", "{}.a", "evaluation-error", "no such key: a"],
    ["that needs a cluster", "resource.get('v1', 'pods', 'a', 'b')", "evaluation-error", "offline"],
  ])("%s says where", (_, source, kind, message) => {
    expect(answer(source)).toMatchObject({ kind, message: expect.stringMatching(new RegExp(`<input>:1:\\d+: .*${message}`)) });
  });
});
