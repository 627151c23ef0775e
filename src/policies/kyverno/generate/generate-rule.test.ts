import { describe, expect, test } from "vitest";
import type { Facts, Need } from "../../../core/facts.ts";
import { objectsOf, runRules } from "../policy-run.testing.ts";

const namespace = `
apiVersion: v1
kind: Namespace
metadata: {name: nlp, uid: u1, labels: {team: a, zones: "x,y"}}
`;

function generate(body: string, options: Parameters<typeof runRules>[2] = {}) {
  const rule = `- name: r\n  match: {any: [{resources: {kinds: [Namespace]}}]}\n  generate:\n${body.replace(/^\n/, "").replace(/^/gm, "    ")}`;
  return runRules(rule, namespace, options);
}

const labels = {
  "app.kubernetes.io/managed-by": "kyverno",
  "generate.kyverno.io/policy-name": "p",
  "generate.kyverno.io/policy-namespace": "",
  "generate.kyverno.io/rule-name": "r",
  "generate.kyverno.io/trigger-group": "",
  "generate.kyverno.io/trigger-kind": "Namespace",
  "generate.kyverno.io/trigger-namespace": "",
  "generate.kyverno.io/trigger-uid": "u1",
  "generate.kyverno.io/trigger-version": "v1",
};

const live = objectsOf(`
apiVersion: v1
kind: Secret
metadata: {name: regcred, namespace: default, uid: s1, resourceVersion: "7", labels: {copy: "1"}, ownerReferences: [{uid: o}]}
data: {a: Yg==}
---
apiVersion: v1
kind: Secret
metadata: {name: own, namespace: nlp}
`).map((d) => d.value);
const asked: Need[] = [];
const facts: Facts = {
  get(need) {
    asked.push(need);
    const name = need.kind === "objects" ? need.name : "";
    return { ok: true, value: live.filter((o) => name === "" || o.metadata?.name === name) };
  },
};

describe("generate", () => {
  test("data becomes an object of the given kind, name and namespace", () => {
    const run = generate(
      `{apiVersion: v1, kind: ConfigMap, namespace: "{{ request.object.metadata.name }}", name: zk, synchronize: true, data: {kind: ConfigMap, metadata: {name: ignored, labels: {l: "1"}}, data: {ns: "{{ request.object.metadata.name }}"}}}`,
    );
    expect(run.results).toMatchObject([{ rule: "r", status: "pass", message: "generates v1/ConfigMap nlp/zk" }]);
    expect(run.results[0]?.generated).toEqual([
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "zk", namespace: "nlp", labels: { l: "1", ...labels } },
        data: { ns: "nlp" },
      },
    ]);
  });

  test("a cluster-scoped object has no namespace", () => {
    const run = generate(`{apiVersion: v1, kind: Namespace, name: more, data: {metadata: {namespace: x}}}`);
    expect(run.results[0]?.generated).toEqual([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "more", labels } }]);
  });

  test("labels that are not all texts are dropped", () => {
    const run = generate(
      `{apiVersion: v1, kind: ConfigMap, name: x, namespace: nlp, data: {metadata: {labels: {a: "1", b: 2}}}}`,
    );
    expect(run.results[0]?.generated?.[0]?.metadata?.labels).toEqual(labels);
  });

  test("without data the object is empty", () => {
    const run = generate(`{apiVersion: foo/v1, kind: Foo, name: f, namespace: nlp}`);
    expect(run.results[0]?.generated).toEqual([
      { apiVersion: "foo/v1", kind: "Foo", metadata: { name: "f", namespace: "nlp", labels } },
    ]);
  });

  test("a clone is a copy without what belongs to the original alone", () => {
    const run = generate(
      `{apiVersion: v1, kind: Secret, namespace: nlp, name: cred, clone: {namespace: default, name: regcred}}`,
      { facts },
    );
    expect(asked.at(-1)).toEqual({
      kind: "objects",
      apiVersion: "v1",
      objectKind: "Secret",
      subresource: "",
      namespace: "default",
      name: "regcred",
    });
    expect(run.results[0]?.generated).toMatchObject([
      {
        apiVersion: "v1",
        kind: "Secret",
        data: { a: "Yg==" },
        metadata: { name: "cred", namespace: "nlp", labels: { copy: "1", "generate.kyverno.io/source-uid": "s1" } },
      },
    ]);
    expect(Object.keys(run.results[0]?.generated?.[0]?.metadata ?? {}).sort()).toEqual(["labels", "name", "namespace"]);
  });

  test("an object is not cloned onto itself", () => {
    const run = generate(`{apiVersion: v1, kind: Secret, namespace: nlp, name: own, clone: {namespace: nlp, name: own}}`, {
      facts,
    });
    expect(run.results).toMatchObject([{ status: "pass", message: "nothing to generate", generated: [] }]);
  });

  test("a clone list takes the objects that its selector meets, under their names", () => {
    const run = generate(
      `{namespace: nlp, cloneList: {namespace: default, kinds: [v1/Secret], selector: {matchLabels: {copy: "1"}}}}`,
      { facts },
    );
    expect(asked.at(-1)).toEqual({
      kind: "objects",
      apiVersion: "v1",
      objectKind: "Secret",
      subresource: "",
      namespace: "default",
      name: "",
      selector: { matchLabels: { copy: "1" } },
    });
    expect(run.results[0]?.message).toBe("generates v1/Secret nlp/regcred");
  });

  test("loops generate once for each element that meets the preconditions", () => {
    const run = generate(`
foreach:
- list: "request.object.metadata.labels.zones | split(@, ',')"
  context: [{name: upper, variable: {jmesPath: "to_upper(element)"}}]
  preconditions: {all: [{key: "{{ element }}", operator: NotEquals, value: x}]}
  apiVersion: v1
  kind: ConfigMap
  namespace: nlp
  name: "{{ element }}-{{ elementIndex }}"
  data: {data: {zone: "{{ upper }}"}}`);
    expect(run.results[0]?.generated).toMatchObject([{ metadata: { name: "y-1" }, data: { zone: "Y" } }]);
  });

  test.each([
    [
      "a source that does not exist",
      `{apiVersion: v1, kind: Secret, namespace: nlp, name: x, clone: {namespace: default, name: none}}`,
      "source resource v1/Secret/default/none not found",
    ],
    [
      "a variable that cannot be resolved",
      `{apiVersion: v1, kind: ConfigMap, namespace: nlp, name: "{{ request.none }}", data: {a: b}}`,
      "failed to resolve request.none",
    ],
    [
      "a list that does not exist",
      `{foreach: [{list: request.none, apiVersion: v1, kind: ConfigMap, name: x, data: {a: b}}]}`,
      "failed to evaluate foreach list",
    ],
    [
      "data that is no object",
      `{apiVersion: v1, kind: ConfigMap, name: x, data: "{{ request.object.metadata.name }}"}`,
      "data must be an object",
    ],
  ])("%s is an error", (_, body, message) => {
    const run = generate(body, { facts });
    expect(run.results).toMatchObject([{ status: "error" }]);
    expect(run.results[0]?.message).toContain(message);
  });

  test("sources that cannot be looked up are an error, never a pass", () => {
    const run = generate(`{apiVersion: v1, kind: Secret, namespace: nlp, name: x, clone: {namespace: default, name: regcred}}`);
    expect(run.results).toMatchObject([{ status: "error", message: "failed to generate: no facts in this test" }]);
  });

  test.each([
    [
      "two sources",
      `{apiVersion: v1, kind: Secret, name: x, data: {a: b}, clone: {name: b}}`,
      "only one of data, clone, cloneList",
    ],
    ["no kind", `{apiVersion: v1, name: x, data: {a: b}}`, "needs kind"],
  ])("%s is reported", (_, body, message) => {
    const run = generate(body);
    expect(run.diagnostics.map((d) => d.message).join()).toContain(message);
    expect(run.results).toMatchObject([{ status: "error" }]);
  });

  test("nothing is generated for what is deleted", () => {
    const run = generate(`{apiVersion: v1, kind: ConfigMap, name: x, data: {a: b}}`, { operation: "DELETE" });
    expect(run.results).toEqual([]);
  });
});
