import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { memoryFiles } from "./test-files.testing.ts";
import { runTestFile } from "./test-run.ts";
import { allTests, parseSelection } from "./test-selection.ts";

const policies = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: pods}
spec:
  rules:
  - name: label
    match: {any: [{resources: {kinds: [Pod]}}]}
    mutate: {patchStrategicMerge: {metadata: {labels: {+(team): none}}}}
  - name: privileged
    match: {any: [{resources: {kinds: [Pod]}}]}
    exclude: {any: [{clusterRoles: [cluster-admin]}, {resources: {namespaceSelector: {matchLabels: {trusted: "yes"}}}}]}
    validate:
      message: no privileged containers
      pattern: {spec: {containers: [{"=(securityContext)": {"=(privileged)": false}}]}}
  - name: frozen
    match: {any: [{resources: {kinds: [Pod], operations: [UPDATE]}}]}
    context: [{name: map, configMap: {name: freeze, namespace: ops}}]
    validate:
      message: the team cannot change
      deny:
        conditions:
          all:
          - {key: "{{ map.data.on }}", operator: Equals, value: "true"}
          - {key: "{{ request.object.metadata.labels.team }}", operator: NotEquals, value: "{{ request.oldObject.metadata.labels.team }}"}
  - name: quota
    match: {any: [{resources: {kinds: [Namespace]}}]}
    generate: {apiVersion: v1, kind: ResourceQuota, name: q, namespace: "{{ request.object.metadata.name }}", data: {spec: {hard: {pods: "5"}}}}
`;

const pod =
  "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, securityContext: {privileged: true}}]}}";
const good = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a}]}}";
const freeze = "{apiVersion: v1, kind: ConfigMap, metadata: {name: freeze, namespace: ops}, data: {on: 'true'}}";

function run(body: string, selection = allTests) {
  const files = memoryFiles({
    "t/cases/a.yaml": `- name: one\n  policy: ../policy.yaml\n  ${body}`,
    "t/policy.yaml": policies,
    "t/pod.yaml": pod,
  });
  const request = {
    files,
    resources: loadKubernetesSchemas().resources(),
    host: { now: () => 0, random: () => 0 },
    selection,
  };
  const [outcome] = runTestFile("t/cases/a.yaml", request);
  return outcome ?? { rows: [], diagnostics: [] };
}

const reasons = (body: string, selection = allTests) => run(body, selection).rows.map((r) => `${r.outcome}: ${r.reason}`);

describe("a case", () => {
  test.each<[string, string, string]>([
    ["that is denied", `{resource: ${pod}, expect: {allowed: false, rule: privileged}}`, "pass: ok"],
    ["with its object in a file", "{resource: ../pod.yaml, expect: {allowed: false, rule: privileged}}", "pass: ok"],
    ["with a message", `{resource: ${pod}, expect: {allowed: false, message: no privileged}}`, "pass: ok"],
    ["that is allowed", `{resource: ${good}, expect: {allowed: true}}`, "pass: ok"],
    [
      "of someone who may",
      `{resource: ${pod}, user: {name: a, clusterRoles: [cluster-admin]}, expect: {allowed: true}}`,
      "pass: ok",
    ],
    ["in a namespace that may", `{resource: ${pod}, namespaceLabels: {trusted: "yes"}, expect: {allowed: true}}`, "pass: ok"],
    ["with a status", `{resource: ${pod}, expect: {rule: privileged, status: fail}}`, "pass: ok"],
    [
      "with the object afterwards",
      `{resource: ${good}, expect: {object: {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: default, labels: {team: none}}, spec: {containers: [{name: a}]}}}}`,
      "pass: ok",
    ],
    [
      "with what is generated",
      "{resource: {apiVersion: v1, kind: Namespace, metadata: {name: team}}, expect: {generated: [{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: team}, spec: {hard: {pods: '5'}}}]}}",
      "pass: ok",
    ],
    [
      "of an update, with what the cluster holds",
      `{resource: ${good.replace("name: p", "name: p, labels: {team: b}")}, oldResource: ${good.replace("name: p", "name: p, labels: {team: a}")}, objects: ${freeze}, expect: {allowed: false, rule: frozen}}`,
      "pass: ok",
    ],
    [
      "with values for variables",
      `{resource: ${good.replace("name: p", "name: p, labels: {team: b}")}, oldResource: ${good.replace("name: p", "name: p, labels: {team: a}")}, variables: {map.data.on: "false"}, expect: {allowed: true}}`,
      "pass: ok",
    ],
  ])("%s", (_, body, expected) => {
    expect(
      reasons(
        body
          .replace(/^\{(.*)\}$/s, "$1")
          .replaceAll(/, (?=(?:expect|user|namespaceLabels|oldResource|objects|variables):)/g, "\n  "),
      ),
    ).toEqual([expected]);
  });

  test.each<[string, string, string]>([
    [
      "that is denied, though it should not be",
      `resource: ${pod}\n  expect: {allowed: true}`,
      "fail: want allowed, but privileged objected",
    ],
    [
      "that is allowed, though it should not be",
      `resource: ${good}\n  expect: {allowed: false}`,
      "fail: want denied, but no rule objected",
    ],
    [
      "denied by another rule",
      `resource: ${pod}\n  expect: {allowed: false, rule: label}`,
      "fail: rule label says pass, not fail",
    ],
    [
      "about which the rule is silent",
      `resource: ${pod}\n  expect: {rule: quota, status: pass}`,
      "fail: rule quota said nothing",
    ],
    [
      "with another message",
      `resource: ${pod}\n  expect: {rule: privileged, message: hello}`,
      'fail: no message holds "hello", but there is "validation error: no privileged containers. rule privileged failed at path /spec/containers/0/securityContext/privileged/"',
    ],
    [
      "with another object",
      `resource: ${good}\n  expect: {object: {apiVersion: v1, kind: Pod, metadata: {name: q}}}`,
      "fail: the object is another: ",
    ],
    [
      "that should generate something else",
      "resource: {apiVersion: v1, kind: Namespace, metadata: {name: n}}\n  expect: {generated: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}]}",
      "fail: ConfigMap c was not generated",
    ],
    ["without a resource", "expect: {allowed: true}", "fail: the case has no resource"],
  ])("fails %s", (_, body, expected) => {
    expect(reasons(body)).toEqual([expect.stringContaining(expected)]);
  });

  test("that has an unknown field says so", () => {
    const { diagnostics } = run(`resource: ${good}\n  expects: {}\n  expect: {allowed: true}`);
    expect(diagnostics.map((d) => [d.code, d.message])).toEqual([["KYV_UNKNOWN_FIELD", '[0].expects: unknown field "expects"']]);
  });

  test.each([
    ["policy=pods,rule=privileged,resource=p", 1],
    ["policy=p*", 1],
    ["policy=other", 0],
    ["rule=quota", 0],
    ["resource=q", 0],
  ])("that -t %s selects runs", (text, count) => {
    const selection = parseSelection(text);
    if (!selection.ok) throw new Error("no selection");
    expect(reasons(`resource: ${pod}\n  expect: {allowed: false, rule: privileged}`, selection.value)).toHaveLength(count);
  });
});

test("a file without a test says so", () => {
  const request = {
    files: memoryFiles({ "t/kyverno-test.yaml": "{kind: Pod}" }),
    resources: loadKubernetesSchemas().resources(),
    host: { now: () => 0, random: () => 0 },
    selection: allTests,
  };
  const [outcome] = runTestFile("t/kyverno-test.yaml", request);
  expect(outcome?.diagnostics.map((d) => d.severity)).toEqual(["warning"]);
});
