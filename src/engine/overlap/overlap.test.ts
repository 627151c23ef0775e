import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { compilePolicies } from "../../services/policies.ts";
import { findOverlaps, type Overlap } from "./overlap.ts";

const schemas = loadKubernetesSchemas();
const resources = schemas.resources();
const env = { resources, schemas, host: { now: () => 0, random: () => 0 } };

function policy(name: string, rule: string, kinds = "[Pod]"): string {
  return `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: ${name}}
spec:
  rules:
  - name: ${name}
    match: {any: [{resources: {kinds: ${kinds}}}]}
    ${rule}
`;
}

const pattern = (name: string, text: string, kinds?: string) => policy(name, `validate: {message: m, pattern: ${text}}`, kinds);
const deny = (name: string, text: string, kinds?: string) =>
  policy(name, `validate: {message: m, deny: {conditions: {any: [${text}]}}}`, kinds);
const mutate = (name: string, text: string, kinds?: string) => policy(name, `mutate: {patchStrategicMerge: ${text}}`, kinds);

function overlaps(...texts: readonly string[]): readonly Overlap[] {
  const { documents, diagnostics } = parseDocuments(texts.join("---\n"), "p.yaml");
  const compiled = compilePolicies(documents, resources);
  expect([...diagnostics, ...compiled.diagnostics]).toEqual([]);
  return findOverlaps(compiled.set.policies, env).overlaps;
}

const told = (found: readonly Overlap[]) => found.map((o) => `${o.first.rule} ${o.type} ${o.second.rule}`);

const notLatest = '{spec: {containers: [{image: "!*:latest"}]}}';
const fromUs = '{spec: {containers: [{image: "registry.us/*"}]}}';

describe("duplicates", () => {
  test.each([
    ["the same pattern", pattern("a", notLatest), pattern("b", notLatest)],
    [
      "a pattern and a condition",
      pattern("a", "{spec: {hostNetwork: false}}"),
      deny("b", '{key: "{{ to_string(request.object.spec.hostNetwork) }}", operator: NotEquals, value: "false"}'),
    ],
    [
      "anchors that come to the same",
      pattern("a", '{spec: {"=(hostPID)": false}}'),
      pattern("b", '{spec: {"=(hostPID)": "!true"}}'),
    ],
  ])("%s", (_, a, b) => {
    const [found, ...more] = overlaps(a, b);
    expect(more).toEqual([]);
    expect([found?.type, found?.first.rule, found?.second.rule]).toEqual(["duplicate", "a", "b"]);
    expect(found?.witnesses.map((w) => [w.first, w.second])).toEqual([["fail", "fail"]]);
  });
});

describe("shadowed rules", () => {
  test.each([
    [
      "one label of two",
      pattern("a", '{metadata: {labels: {team: "?*"}}}'),
      pattern("b", '{metadata: {labels: {team: "?*", app: "?*"}}}'),
      "a shadowed b",
    ],
    [
      "a wider registry",
      pattern("b", '{spec: {containers: [{image: "registry.us/team/*"}]}}'),
      pattern("a", fromUs),
      "a shadowed b",
    ],
    [
      "a lower limit",
      pattern("a", '{spec: {replicas: "<=10"}}', "[Deployment]"),
      pattern("b", '{spec: {replicas: "<=5"}}', "[Deployment]"),
      "a shadowed b",
    ],
  ])("%s", (_, first, second, expected) => {
    const [found, ...more] = overlaps(first, second);
    expect([told(found === undefined ? [] : [found]), more]).toEqual([[expected], []]);
    expect(found?.witnesses.map((w) => [w.first, w.second])).toEqual([
      ["fail", "fail"],
      ["pass", "fail"],
    ]);
  });
});

describe("contradictions", () => {
  test.each([
    [
      "two values of one field",
      pattern("a", "{spec: {hostNetwork: true}}"),
      pattern("b", "{spec: {hostNetwork: false}}"),
      "spec.hostNetwork",
    ],
    [
      "two registries",
      pattern("a", fromUs),
      pattern("b", '{spec: {containers: [{image: "registry.eu/*"}]}}'),
      "spec.containers[0].image",
    ],
    [
      "bounds that leave nothing",
      pattern("a", '{spec: {replicas: ">5"}}', "[Deployment]"),
      pattern("b", '{spec: {replicas: "<3"}}', "[Deployment]"),
      "spec.replicas",
    ],
    [
      "a field that must and must not be",
      pattern("a", '{spec: {nodeName: "?*"}}'),
      pattern("b", '{spec: {"X(nodeName)": "null"}}'),
      "spec.nodeName",
    ],
  ])("%s", (_, a, b, field) => {
    const [found, ...more] = overlaps(a, b);
    expect([found?.type, found?.field, more]).toEqual(["contradictory", field, []]);
    expect(found?.witnesses.map((w) => [w.first, w.second])).toEqual([
      ["fail", "pass"],
      ["pass", "fail"],
    ]);
  });

  test("a change that a check refuses", () => {
    const found = overlaps(mutate("a", "{spec: {hostNetwork: true}}"), pattern("b", '{spec: {"=(hostNetwork)": false}}'));
    expect(told(found)).toEqual(["a contradictory b"]);
  });

  test("changes that undo each other", () => {
    const found = overlaps(mutate("a", "{metadata: {labels: {team: a}}}"), mutate("b", "{metadata: {labels: {team: b}}}"));
    expect(told(found)).toEqual(["a order-dependent b"]);
  });
});

describe("rules that get along", () => {
  test.each([
    ["different fields", pattern("a", notLatest), pattern("b", '{metadata: {labels: {team: "?*"}}}')],
    [
      "different kinds",
      pattern("a", '{metadata: {labels: {team: "?*"}}}', "[Service]"),
      pattern("b", '{metadata: {labels: {team: "?*"}}}', "[ConfigMap]"),
    ],
    ["a registry and a tag", pattern("a", fromUs), pattern("b", notLatest)],
    ["a registry and a digest", pattern("a", fromUs), pattern("b", '{spec: {containers: [{image: "*@sha256:*"}]}}')],
    [
      "value lists that meet",
      pattern("a", "{spec: {restartPolicy: Always | Never}}"),
      pattern("b", "{spec: {restartPolicy: Never | OnFailure}}"),
    ],
    [
      "bounds that meet",
      pattern("a", '{spec: {replicas: ">=3"}}', "[Deployment]"),
      pattern("b", '{spec: {replicas: "<=5"}}', "[Deployment]"),
    ],
    ["changes of different fields", mutate("a", "{metadata: {labels: {a: b}}}"), mutate("b", "{metadata: {labels: {c: d}}}")],
  ])("%s", (_, a, b) => expect(told(overlaps(a, b))).toEqual([]));
});

test("a pod rule meets a deployment rule through autogen", () => {
  const found = overlaps(
    pattern("a", "{spec: {hostNetwork: false}}"),
    pattern("b", "{spec: {template: {spec: {hostNetwork: true}}}}", "[Deployment]"),
  );
  expect(told(found)).toEqual(["a contradictory b"]);
});

test("a rule that accepts nothing that was tried is said to be unknown, not to shadow", () => {
  const impossible = deny("b", '{key: "{{ to_string(request.object.spec.hostNetwork) }}", operator: NotEquals, value: neither}');
  const { documents } = parseDocuments(`${pattern("a", "{spec: {hostNetwork: false}}")}---\n${impossible}`, "p.yaml");
  const found = findOverlaps(compilePolicies(documents, resources).set.policies, env);
  expect([found.overlaps, found.unknown.map((r) => r.rule), found.compared]).toEqual([[], ["b"], 1]);
});
