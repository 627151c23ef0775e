import { describe, expect, test } from "vitest";
import type { Fact, Facts, Need } from "../../core/facts.ts";
import { NeedsFacts } from "../../core/facts.ts";
import { runRules } from "./policy-run.testing.ts";

const pod = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns, labels: {app: web}}}";

/** What `{{ x }}` is with these context entries, in YAML: a deny rule whose message shows it. */
function shownBy(entries: string, facts?: Facts): string {
  const rules = `
- name: show
  match: {any: [{resources: {kinds: [Pod]}}]}
  context:
${entries.replace(/^\n+/, "").replace(/^/gm, "  ")}
  validate:
    message: "{{ to_string(x) }}"
    deny: {conditions: {all: [{key: "{{ to_string(x) }}", operator: NotEquals, value: never}]}}
`;
  const { results } = runRules(rules, pod, facts === undefined ? {} : { facts });
  const [result] = results;
  return result === undefined ? "no result" : result.status === "fail" ? result.message : `${result.status}: ${result.message}`;
}

describe("variables", () => {
  test.each([
    ["a value", "- {name: x, variable: {value: {a: [1]}}}", '{"a":[1]}'],
    ["a value with variables", `- {name: x, variable: {value: "{{ request.object.metadata.name }}-1"}}`, "p-1"],
    ["an expression", "- {name: x, variable: {jmesPath: request.object.metadata.labels.app}}", "web"],
    ["an expression on a value", "- {name: x, variable: {value: {a: {b: c}}, jmesPath: a.b}}", "c"],
    ["an expression with variables", `- {name: x, variable: {jmesPath: "request.object.metadata.labels.{{ 'app' }}"}}`, "web"],
    ["a default, where the expression leads nowhere", "- {name: x, variable: {jmesPath: request.object.nope, default: d}}", "d"],
    [
      "a default, where there is nothing in the value",
      "- {name: x, variable: {value: {a: b}, jmesPath: nope, default: [1]}}",
      "[1]",
    ],
    [
      "a default with variables",
      `- {name: x, variable: {jmesPath: request.object.nope, default: "{{ request.operation }}"}}`,
      "CREATE",
    ],
    ["an entry before it", "- {name: a, variable: {value: 1}}\n- {name: x, variable: {jmesPath: to_string(a)}}", "1"],
    ["an entry of the same name", '- {name: x, variable: {value: 1}}\n- {name: x, variable: {jmesPath: "add(x, `1`)"}}', "2"],
  ])("%s", (_, entries, expected) => {
    expect(shownBy(entries)).toBe(expected);
  });

  test.each([
    ["nothing", "- {name: x, variable: {jmesPath: request.object.metadata.annotations, default: null}}", "Unknown key"],
    ["null", "- {name: x, variable: {value: {a: null}, jmesPath: a}}", "evaluated to nil"],
    [
      "an entry after it",
      "- {name: x, variable: {jmesPath: later}}\n- {name: later, variable: {value: 1}}",
      'Unknown key "later"',
    ],
    ["an expression that is no text", `- {name: x, variable: {jmesPath: "{{ request.object }}"}}`, "must be a string"],
  ])("that come to %s are errors", (_, entries, message) => {
    expect(shownBy(entries)).toContain(message);
    expect(shownBy(entries)).toMatch(/^error: failed to check deny conditions: /);
  });

  test("are computed only when they are read", () => {
    expect(shownBy("- {name: broken, variable: {jmesPath: nope}}\n- {name: x, variable: {value: ok}}")).toBe("ok");
  });
});

/** Facts that answer these needs, and remember what they were asked. */
function answering(answers: (need: Need) => Fact | undefined) {
  const asked: Need[] = [];
  const facts: Facts = {
    get(need) {
      asked.push(need);
      return answers(need);
    },
  };
  return { facts, asked };
}

const known = (value: Extract<Fact, { ok: true }>["value"]) => answering(() => ({ ok: true, value }));
const refused = answering(() => ({ ok: false, message: "no network" })).facts;

describe("data from outside", () => {
  test.each<[string, string, Parameters<typeof known>[0], Need, string]>([
    [
      "a config map",
      `- {name: x, configMap: {name: "{{ request.object.metadata.labels.app }}-map", namespace: ns}}`,
      { data: { k: "v" }, metadata: { name: "web-map" }, kind: "ConfigMap" },
      { kind: "config-map", namespace: "ns", name: "web-map" },
      '{"data":{"k":"v"},"metadata":{"name":"web-map"}}',
    ],
    [
      "a config map of the default namespace",
      "- {name: x, configMap: {name: m}}",
      { data: {} },
      { kind: "config-map", namespace: "default", name: "m" },
      '{"data":{},"metadata":null}',
    ],
    [
      "the API server",
      `- {name: x, apiCall: {urlPath: "/api/v1/namespaces/{{ request.namespace }}/pods", jmesPath: "length(items)"}}`,
      { items: [1, 2] },
      { kind: "api-call", method: "GET", path: "/api/v1/namespaces/ns/pods" },
      "2",
    ],
    [
      "the API server, with a body",
      `- {name: x, apiCall: {urlPath: /apis/a/v1/checks, method: POST, data: [{key: user, value: "{{ request.operation }}"}]}}`,
      { allowed: true },
      { kind: "api-call", method: "POST", path: "/apis/a/v1/checks", body: { user: "CREATE" } },
      '{"allowed":true}',
    ],
    [
      "a service",
      "- {name: x, apiCall: {service: {url: https://s.ns/x, headers: [{key: A, value: b}], caBundle: PEM}}}",
      "yes",
      { kind: "http-call", method: "GET", url: "https://s.ns/x", headers: { A: "b" }, caBundle: "PEM" },
      "yes",
    ],
    [
      "a registry",
      "- {name: x, imageRegistry: {reference: acme/app, jmesPath: registry}}",
      { registry: "docker.io" },
      { kind: "image", reference: "acme/app" },
      "docker.io",
    ],
    [
      "the global context",
      "- {name: x, globalReference: {name: deployments.names, jmesPath: '[0]'}}",
      ["a"],
      { kind: "global-context", name: "deployments", projection: "names" },
      "a",
    ],
  ])("%s", (_, entries, answer, need, expected) => {
    const { facts, asked } = known(answer);
    expect(shownBy(entries, facts)).toBe(expected);
    expect(asked).toContainEqual(need);
  });

  test.each([
    ["a config map", "- {name: x, configMap: {name: m}}", "failed to get configmap default/m : no network"],
    ["the API server", "- {name: x, apiCall: {urlPath: /version}}", "failed to GET resource with raw url: /version: no network"],
    ["a registry", "- {name: x, imageRegistry: {reference: a}}", "failed to fetch image descriptor: a, error: no network"],
    ["the global context", "- {name: x, globalReference: {name: g}}", "failed to fetch entry key=g: no network"],
  ])("%s that cannot be had is an error", (_, entries, message) => {
    expect(shownBy(entries, refused)).toContain(message);
  });

  test("a default takes the place of a failed call, untransformed", () => {
    expect(shownBy("- {name: x, apiCall: {urlPath: /version, jmesPath: a.b, default: {c: 1}}}", refused)).toBe('{"c":1}');
  });

  test("what is not known yet makes the evaluation wait", () => {
    const waiting = answering(() => undefined).facts;
    expect(() => shownBy("- {name: x, configMap: {name: m}}", waiting)).toThrow(NeedsFacts);
  });

  test("what is not read is not asked for", () => {
    const { facts, asked } = answering(() => undefined);
    expect(shownBy("- {name: map, configMap: {name: m}}\n- {name: x, variable: {value: 1}}", facts)).toBe("1");
    expect(asked).toEqual([]);
  });
});
