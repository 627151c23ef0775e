import { describe, expect, test } from "vitest";
import type { Facts, Need } from "../../../core/facts.ts";
import { valueAt } from "../../../core/json.ts";
import { objectOf, objectsOf, runRules } from "../policy-run.testing.ts";

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: nlp, labels: {app: web}}
spec:
  containers:
  - {name: a, image: "nginx:1"}
  - {name: b, image: "redis:latest"}
`;

/** Results of one mutate rule on the pod, and what it made of it. */
function mutate(body: string, rest = "", options: Parameters<typeof runRules>[2] = {}) {
  const rule = `- name: r\n  match: {any: [{resources: {kinds: [Pod]}}]}\n${rest}  mutate:\n${body.replace(/^\n/, "").replace(/^/gm, "    ")}`;
  return runRules(rule, pod, options);
}

const containersOf = (run: ReturnType<typeof runRules>) => valueAt(run.object, ["spec", "containers"]);

describe("patches", () => {
  test("a merge changes the object and says which", () => {
    const run = mutate(`patchStrategicMerge: {metadata: {labels: {team: "{{ request.object.metadata.namespace }}"}}}`);
    expect(run.results).toMatchObject([{ rule: "r", status: "pass", message: "mutated Pod/web in namespace nlp" }]);
    expect(run.object?.metadata?.labels).toEqual({ app: "web", team: "nlp" });
  });

  test.each([
    ["a block", "patchesJson6902: |-\n  - op: add\n    path: /spec/tolerations/-\n    value: {key: gpu}"],
    ["JSON", `patchesJson6902: '[{"op":"add","path":"/spec/tolerations/-","value":{"key":"gpu"}}]'`],
    ["variables", `patchesJson6902: '[{"op":"add","path":"/spec/tolerations/0","value":{"key":"{{ \`"gpu"\` }}"}}]'`],
  ])("JSON patches as %s", (_, body) => {
    expect(mutate(body).object?.["spec"]).toMatchObject({ tolerations: [{ key: "gpu" }] });
  });

  test.each([
    ["a merge", "patchStrategicMerge: {metadata: {labels: {app: web}}}"],
    ["a condition that fails", `patchStrategicMerge: {metadata: {labels: {(app): other, x: "y"}}}`],
    ["a JSON patch", "patchesJson6902: |-\n  - {op: replace, path: /metadata/labels/app, value: web}"],
  ])("%s that changes nothing is skipped", (_, body) => {
    const run = mutate(body);
    expect(run.results).toMatchObject([{ status: "skip", message: "no patches applied" }]);
    expect(run.results[0]?.object).toBeUndefined();
  });

  test.each([
    [
      "a variable in the patch",
      `patchStrategicMerge: {metadata: {labels: {x: "{{ request.object.metadata.none }}"}}}`,
      "",
      "variable substitution failed: failed to resolve request.object.metadata.none",
    ],
    [
      "a variable elsewhere in the rule",
      "patchStrategicMerge: {metadata: {labels: {x: y}}}",
      `  context: [{name: unused, variable: {value: "{{ request.object.metadata.none }}"}}]\n`,
      "variable substitution failed: failed to resolve request.object.metadata.none",
    ],
    [
      "a shape that does not fit",
      "patchStrategicMerge: {spec: {containers: {name: c}}}",
      "",
      "failed to patch resource: wrong node kind",
    ],
    [
      "a missing path",
      "patchesJson6902: |-\n  - {op: replace, path: /spec/none, value: 1}",
      "",
      "failed to patch resource: replace operation does not apply",
    ],
    [
      "a patch that is no list after substitution",
      `patchesJson6902: "op: {{ request.object.metadata.name }}"`,
      "",
      "failed to patch resource: failed to decode patches",
    ],
  ])("%s is an error", (_, body, rest, message) => {
    const run = mutate(body, rest);
    expect(run.results).toMatchObject([{ status: "error" }]);
    expect(run.results[0]?.message).toContain(message);
    expect(containersOf(run)).toHaveLength(2);
  });

  test.each([
    [
      "two kinds of patch",
      "patchStrategicMerge: {a: b}\nforeach: [{list: request.object.spec.containers, patchStrategicMerge: {a: b}}]",
      "only one of",
    ],
    ["nothing to do", "targets: [{apiVersion: v1, kind: Secret}]", "needs one of foreach"],
    ["a patch text that is no patch", "patchesJson6902: '{op: add}'", "must be a list of operations"],
    ["brackets that are no JSON", "patchesJson6902: '[{op: remove, path: /a}]'", "invalid state"],
    ["a loop without a patch", "foreach: [{list: request.object.spec.containers}]", "needs one of patchStrategicMerge"],
    [
      "an unknown order",
      "foreach: [{list: request.object.spec.containers, order: Random, patchStrategicMerge: {a: b}}]",
      "must be Ascending or Descending",
    ],
  ])("%s is reported, and every object gets an error", (_, body, message) => {
    const run = mutate(body);
    expect(run.diagnostics.map((d) => d.message).join()).toContain(message);
    expect(run.diagnostics[0]?.span?.start.line).toBeGreaterThan(5);
    expect(run.results).toMatchObject([{ status: "error" }]);
  });

  test("rules see what the ones before them made", () => {
    const rule = (name: string, from: string, to: string) =>
      `- name: ${name}\n  match: {any: [{resources: {kinds: [Pod]}}]}\n  mutate: {patchStrategicMerge: {metadata: {labels: {${to}: "{{ request.object.metadata.labels.${from} }}!"}}}}\n`;
    expect(runRules(rule("one", "app", "x") + rule("two", "x", "z"), pod).object?.metadata?.labels).toEqual({
      app: "web",
      x: "web!",
      z: "web!!",
    });
  });

  test("a deleted object is left alone", () => {
    expect(mutate("patchStrategicMerge: {metadata: {labels: {a: b}}}", "", { operation: "DELETE" }).results).toEqual([]);
  });
});

describe("foreach", () => {
  test("each element is patched by its variables, and the order of a merged list stays", () => {
    const run = mutate(
      `foreach: [{list: "request.object.spec.containers", patchStrategicMerge: {spec: {containers: [{(name): "{{ element.name }}", image: "reg/{{ element.image }}"}]}}}]`,
    );
    expect(run.results).toMatchObject([{ status: "pass", message: "mutated Pod/web in namespace nlp" }]);
    expect(containersOf(run)).toEqual([
      { name: "a", image: "reg/nginx:1" },
      { name: "b", image: "reg/redis:latest" },
    ]);
  });

  test.each([
    ["", "01"],
    [", order: Ascending", "01"],
    [", order: Descending", "10"],
  ])("JSON patches go through the list in order (%s)", (order, expected) => {
    const run = mutate(
      `foreach: [{list: "request.object.spec.containers"${order}, patchesJson6902: '[{"op":"add","path":"/metadata/finalizers/-","value":"{{ elementIndex }}"}]'}]`,
    );
    expect(run.object?.metadata?.["finalizers"]).toEqual([...expected]);
  });

  test("preconditions leave elements out", () => {
    const run = mutate(
      `foreach: [{list: "request.object.spec.containers", preconditions: {all: [{key: "{{ element.image }}", operator: Equals, value: "*:latest"}]}, patchesJson6902: '[{"op":"add","path":"/spec/containers/{{ elementIndex }}/tty","value":true}]'}]`,
    );
    expect(containersOf(run)).toEqual([
      { name: "a", image: "nginx:1" },
      { name: "b", image: "redis:latest", tty: true },
    ]);
  });

  test("a later loop sees what the earlier one made; a context belongs to its turn", () => {
    const run = mutate(
      `foreach:
- list: "request.object.spec.containers"
  patchesJson6902: '[{"op":"add","path":"/spec/containers/{{ elementIndex }}/env","value":[{"name":"N","value":"{{ element.name }}"}]}]'
- list: "request.object.spec.containers"
  context: [{name: first, variable: {jmesPath: "element.env[0].value"}}]
  foreach:
  - list: element.env
    patchesJson6902: '[{"op":"add","path":"/metadata/annotations/{{ first }}","value":"{{ element0.name }}{{ element1.name }}{{ elementIndex0 }}{{ elementIndex1 }}"}]'`,
    );
    expect(run.object?.metadata?.annotations).toEqual({ a: "aN00", b: "bN10" });
  });

  test("nothing to do is a skip", () => {
    const run = mutate(
      `foreach: [{list: "request.object.spec.containers", preconditions: {all: [{key: a, operator: Equals, value: b}]}, patchStrategicMerge: {a: b}}]`,
    );
    expect(run.results).toMatchObject([{ status: "skip", message: "0 elements processed" }]);
  });

  test.each([
    [
      "a list that does not exist",
      "request.object.spec.none",
      "patchStrategicMerge: {a: b}",
      "failed to evaluate list request.object.spec.none: JMESPath query failed",
    ],
    [
      "a turn that fails",
      "request.object.spec.containers",
      `patchStrategicMerge: {a: "{{ element.none }}"}`,
      "failed to mutate elements: variable substitution failed",
    ],
  ])("%s is an error", (_, list, patch, message) => {
    const run = mutate(`foreach: [{list: "${list}", ${patch}}]`);
    expect(run.results).toMatchObject([{ status: "error" }]);
    expect(run.results[0]?.message).toContain(message);
  });

  test("a value that is no list is gone through once", () => {
    const run = mutate(
      `foreach: [{list: "request.object.metadata.name", patchesJson6902: '[{"op":"add","path":"/metadata/labels/x","value":"{{ element }}"}]'}]`,
    );
    expect(run.object?.metadata?.labels).toEqual({ app: "web", x: "web" });
  });
});

describe("targets", () => {
  const secrets = objectsOf(`
apiVersion: v1
kind: Secret
metadata: {name: one, namespace: nlp, labels: {copy: "yes"}}
---
apiVersion: v1
kind: Secret
metadata: {name: two, namespace: nlp, labels: {copy: "no"}}
`).map((d) => d.value);
  const asked: Need[] = [];
  const facts: Facts = {
    get(need) {
      asked.push(need);
      const name = need.kind === "objects" ? need.name : "";
      return { ok: true, value: secrets.filter((s) => name === "" || s.metadata?.name === name) };
    },
  };
  const body = (
    target: string,
    patch = `patchStrategicMerge: {metadata: {annotations: {from: "{{ request.object.metadata.name }}", was: "{{ target.metadata.name }}"}}}`,
  ) => `targets: [{apiVersion: v1, kind: Secret, ${target}}]\n${patch}`;

  test("each live object that is found is changed, not the trigger", () => {
    const run = mutate(body(`namespace: "{{ request.object.metadata.namespace }}", selector: {matchLabels: {a: b}}`), "", {
      facts,
    });
    expect(asked.at(-1)).toEqual({
      kind: "objects",
      apiVersion: "*/v1",
      objectKind: "Secret",
      subresource: "",
      namespace: "nlp",
      name: "",
      selector: { matchLabels: { a: "b" } },
    });
    expect(run.results.map((r) => [r.status, r.message, r.target?.metadata?.annotations])).toEqual([
      ["pass", "mutated Secret/one in namespace nlp", { from: "web", was: "one" }],
      ["pass", "mutated Secret/two in namespace nlp", { from: "web", was: "two" }],
    ]);
    expect(run.object).toEqual(objectOf(pod));
  });

  test("preconditions look at the target", () => {
    const run = mutate(
      body(`namespace: nlp, preconditions: {all: [{key: "{{ target.metadata.labels.copy }}", operator: Equals, value: "yes"}]}`),
      "",
      { facts },
    );
    expect(run.results).toMatchObject([{ status: "pass" }, { status: "skip", message: "preconditions not met" }]);
  });

  test("foreach works on the target", () => {
    const patch = `foreach: [{list: "request.object.spec.containers", patchesJson6902: '[{"op":"add","path":"/data/{{ element.name }}","value":"{{ target.metadata.name }}"}]'}]`;
    const run = mutate(body("namespace: nlp, name: one", patch), "", { facts });
    expect(run.results.map((r) => r.target?.["data"])).toEqual([{ a: "one", b: "one" }]);
  });

  test.each([
    ["a named object that does not exist", "namespace: nlp, name: three", `Secret "three" not found`],
    ["a variable that cannot be resolved", `namespace: "{{ request.none }}"`, "failed to substitute variables in target[0]"],
  ])("%s is an error", (_, target, message) => {
    const run = mutate(body(target), "", { facts });
    expect(run.results).toMatchObject([{ status: "error" }]);
    expect(run.results[0]?.message).toContain(message);
  });

  test("a deleted trigger still changes its targets", () => {
    const patch = `patchStrategicMerge: {metadata: {annotations: {gone: "{{ request.object.metadata.name }}"}}}`;
    const run = mutate(body("namespace: nlp, name: one", patch), "", { facts, operation: "DELETE" });
    expect(run.results.map((r) => r.target?.metadata?.annotations)).toEqual([{ gone: "web" }]);
  });

  test("objects that cannot be had are an error", () => {
    expect(mutate(body("namespace: nlp")).results).toMatchObject([{ status: "error", message: "no facts in this test" }]);
  });
});
