import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { memoryFiles } from "./test-files.testing.ts";
import { findTests, runTestFile } from "./test-run.ts";
import { allTests, parseSelection, type TestSelection } from "./test-selection.ts";

const policy = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: names}
spec:
  rules:
  - name: check-name
    match: {any: [{resources: {kinds: [Pod]}}]}
    exclude: {any: [{resources: {namespaces: [kube-system]}}]}
    preconditions: {all: [{key: "{{ request.object.metadata.labels.skip || 'no' }}", operator: NotEquals, value: "yes"}]}
    validate: {message: bad name, pattern: {metadata: {name: "good*"}}}
`;
const pods = `
{apiVersion: v1, kind: Pod, metadata: {name: good}}
---
{apiVersion: v1, kind: Pod, metadata: {name: bad}}
---
{apiVersion: v1, kind: Pod, metadata: {name: left-out, labels: {skip: "yes"}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: bad, namespace: kube-system}}
---
{apiVersion: v1, kind: Service, metadata: {name: good}}
`;

interface Setup {
  readonly files?: { readonly [path: string]: string };
  readonly selection?: TestSelection;
}

/** Runs a test file with these results and more fields, in YAML of one line each. */
function outcomes(results: string, more = "", { files = {}, selection = allTests }: Setup = {}) {
  const test_ = `
apiVersion: cli.kyverno.io/v1alpha1
kind: Test
metadata: {name: t}
policies: [policy.yaml]
resources: [pods.yaml]
${more}
results: ${results}
`;
  const all = memoryFiles({ "t/kyverno-test.yaml": test_, "t/policy.yaml": policy, "t/pods.yaml": pods, ...files });
  const resources = loadKubernetesSchemas().resources();
  return runTestFile("t/kyverno-test.yaml", { files: all, resources, host: { now: () => 0, random: () => 0 }, selection });
}

const rows = (...parameters: Parameters<typeof outcomes>) =>
  outcomes(...parameters).flatMap((o) => o.rows.map((r) => `${r.outcome} ${r.resource}: ${r.reason}`));
const problems = (...parameters: Parameters<typeof outcomes>) =>
  outcomes(...parameters).flatMap((o) => o.diagnostics.map((d) => `${d.code} ${d.message}`));

const entry = (resources: string, result: string, more = "") =>
  `[{policy: names, rule: check-name, resources: [${resources}], kind: Pod, result: ${result}${more}}]`;

describe("strict scoring", () => {
  test.each<[string, string, readonly string[]]>([
    ["what is expected", entry("good", "pass"), ["pass v1/Pod default/good: ok"]],
    ["a failure that is expected", entry("default/bad", "fail"), ["pass v1/Pod default/bad: ok"]],
    ["another verdict", entry("default/bad", "pass"), ["fail v1/Pod default/bad: want pass, got fail"]],
    ["a skip", entry("left-out", "skip"), ["pass v1/Pod default/left-out: ok"]],
    ["silence where a skip is expected", entry("kube-system/bad", "skip"), ["pass v1/Pod kube-system/bad: excluded"]],
    [
      "silence where a pass is expected",
      entry("kube-system/bad", "pass"),
      ["fail v1/Pod kube-system/bad: want pass, but no rule said anything"],
    ],
    [
      "a name in several namespaces",
      entry("bad", "fail"),
      ["pass v1/Pod default/bad: ok", "fail v1/Pod kube-system/bad: want fail, but no rule said anything"],
    ],
    ["a resource that is not there", entry("nope", "pass"), ["fail nope: the test has no such resource"]],
    [
      "a policy that is not there",
      "[{policy: other, rule: r, resources: [good], kind: Pod, result: pass}]",
      ["fail good: there is no policy other in the test"],
    ],
    [
      "no names: all of the kind",
      "[{policy: names, rule: check-name, kind: Service, result: skip}]",
      ["pass v1/Service default/good: excluded"],
    ],
    [
      "no rule: every rule of the policy",
      "[{policy: names, kind: Pod, resources: [good], result: pass}]",
      ["pass v1/Pod default/good: ok"],
    ],
    [
      "the old form",
      "[{policy: names, rule: check-name, resource: bad, namespace: default, kind: Pod, status: fail}]",
      ["pass v1/Pod default/bad: ok"],
    ],
  ])("%s", (_, results, expected) => {
    expect(rows(results)).toEqual(expected);
  });

  test("generated rules speak for the one that they come from", () => {
    const deployment = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {metadata: {name: x}}}}";
    const files = { "t/pods.yaml": deployment };
    expect(rows("[{policy: names, rule: check-name, resources: [d], kind: Deployment, result: fail}]", "", { files })).toEqual([
      "pass apps/v1/Deployment default/d: ok",
    ]);
  });
});

describe("what a test gives", () => {
  const variable = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: names}
spec:
  rules:
  - name: check-name
    match: {any: [{resources: {kinds: [Pod]}, CLUSTERROLES}]}
    context: CONTEXT
    validate: {message: m, deny: {conditions: {all: [{key: "KEY", operator: Equals, value: "VALUE"}]}}}
`;
  const asking = (key: string, value: string, context = "[]", who = "") =>
    variable.replace("KEY", key).replace("VALUE", value).replace("CONTEXT", context).replace(", CLUSTERROLES", who);
  const denied = ["pass v1/Pod default/good: ok"];

  test.each<[string, string, string, { readonly [path: string]: string }]>([
    [
      "values of a rule",
      "values: {policies: [{name: names, rules: [{name: check-name, values: {map.data.k: v}}]}]}",
      asking("{{ map.data.k }}", "v", "[{name: map, configMap: {name: m}}]"),
      {},
    ],
    ["values of all", "values: {globalValues: {request.operation: UPDATE}}", asking("{{ request.operation }}", "UPDATE"), {}],
    [
      "values of a resource",
      "values: {policies: [{name: names, resources: [{name: good, values: {request.object.metadata.labels.a: b}}]}]}",
      asking("{{ request.object.metadata.labels.a }}", "b"),
      {},
    ],
    [
      "values of a file",
      "variables: values.yaml",
      asking("{{ x }}", "1"),
      { "t/values.yaml": "{apiVersion: cli.kyverno.io/v1alpha1, kind: Values, globalValues: {x: '1'}}" },
    ],
    [
      "labels of namespaces",
      "values: {namespaceSelector: [{name: default, labels: {env: prod}}]}",
      asking("a", "a").replace("kinds: [Pod]", "kinds: [Pod], namespaceSelector: {matchLabels: {env: prod}}"),
      {},
    ],
    [
      "who acts",
      "userinfo: user.yaml",
      asking("{{ request.userInfo.username }}", "alice", "[]", ", clusterRoles: [view]"),
      { "t/user.yaml": "{clusterRoles: [view], userInfo: {username: alice}}" },
    ],
    [
      "a cluster",
      "clusterResources: [cluster.yaml]",
      asking("{{ map.data.k }}", "v", "[{name: map, configMap: {name: m, namespace: ns}}]"),
      {
        "t/cluster.yaml":
          "{kind: ClusterResource, spec: {resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: m, namespace: ns}, data: {k: v}}]}}",
      },
    ],
    [
      "answers of the API server",
      "apiCallResponses: [{urlPath: /version, response: {body: {minor: '36'}}}]",
      asking("{{ v }}", "36", "[{name: v, apiCall: {urlPath: /version, jmesPath: minor}}]"),
      {},
    ],
    [
      "the global context",
      "globalContextEntries: [{name: g, data: {a: [b]}, projections: [{name: first, path: 'a[0]'}]}]",
      asking("{{ g }}", "b", "[{name: g, globalReference: {name: g.first}}]"),
      {},
    ],
  ])("%s", (_, more, policyText, files) => {
    expect(rows(entry("good", "fail"), more, { files: { "t/policy.yaml": policyText, ...files } })).toEqual(denied);
  });

  test("exceptions", () => {
    const exception =
      "{apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: e, namespace: x}, spec: {match: {any: [{resources: {kinds: [Pod]}}]}, exceptions: [{policyName: names, ruleNames: [check-name]}]}}";
    expect(rows(entry("default/bad", "skip"), "exceptions: [e.yaml]", { files: { "t/e.yaml": exception } })).toEqual([
      "pass v1/Pod default/bad: ok",
    ]);
  });

  test("an operation of its own for an expectation", () => {
    const files = { "t/policy.yaml": asking("{{ request.operation }}", "DELETE") };
    const results = `[{policy: names, rule: check-name, resources: [good], kind: Pod, operation: DELETE, result: fail}, {policy: names, rule: check-name, resources: [good], kind: Pod, result: pass}]`;
    expect(rows(results, "", { files })).toEqual(["pass v1/Pod default/good: ok", "pass v1/Pod default/good: ok"]);
  });

  test("nothing: then the rule cannot be checked", () => {
    const files = { "t/policy.yaml": asking("{{ map.data.k }}", "v", "[{name: map, configMap: {name: m}}]") };
    expect(outcomes(entry("good", "error"), "", { files })[0]?.rows[0]?.message).toContain(
      "the test gives no clusterResources and no values",
    );
  });
});

describe("changed and generated objects", () => {
  const mutate = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: names}
spec:
  rules:
  - name: check-name
    match: {any: [{resources: {kinds: [Pod]}}]}
    mutate: {patchStrategicMerge: {metadata: {labels: {a: b}}}}
`;
  const files = (patched: string) => ({ "t/policy.yaml": mutate, "t/patched.yaml": patched });
  const compare = entry("good", "pass", ", patchedResources: patched.yaml");

  test.each<[string, string, readonly string[]]>([
    [
      "as expected",
      "{apiVersion: v1, kind: Pod, metadata: {name: good, labels: {a: b}, annotations: {}}}",
      ["pass v1/Pod default/good: ok"],
    ],
    [
      "another",
      "{apiVersion: v1, kind: Pod, metadata: {name: good, labels: {a: c}}}",
      ['fail v1/Pod default/good: the patched resource is another: metadata.labels.a is "b", expected "c"'],
    ],
    [
      "not there to compare with",
      "{apiVersion: v1, kind: Pod, metadata: {name: x}}",
      ["skip v1/Pod default/good: nothing to compare with: patched.yaml has no such resource"],
    ],
  ])("%s", (_, patched, expected) => {
    expect(rows(compare, "", { files: files(patched) })).toEqual(expected);
  });

  test.each<[string, string]>([
    ["generated as expected", "pass v1/Namespace team: ok"],
    ["generated otherwise", 'fail v1/Namespace team: the generated resource is another: data.k is "v", expected "w"'],
  ])("%s", (_, expected) => {
    const generate = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: names}
spec:
  rules:
  - name: check-name
    match: {any: [{resources: {kinds: [Namespace]}}]}
    generate: {apiVersion: v1, kind: ConfigMap, name: c, namespace: "{{ request.object.metadata.name }}", data: {data: {k: v}}}
`;
    const wanted = expected.startsWith("pass") ? "v" : "w";
    const files_ = {
      "t/policy.yaml": generate,
      "t/pods.yaml": "{apiVersion: v1, kind: Namespace, metadata: {name: team}}",
      "t/generated.yaml": `{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: team}, data: {k: ${wanted}}}`,
    };
    expect(
      rows(
        "[{policy: names, rule: check-name, resources: [team], kind: Namespace, result: pass, generatedResource: generated.yaml}]",
        "",
        { files: files_ },
      ),
    ).toEqual([expected]);
  });
});

describe("problems", () => {
  test.each<[string, string, string, string]>([
    ["an unknown field of the test", "[]", "polices: [x]", 'KYV_UNKNOWN_FIELD polices: unknown field "polices"'],
    [
      "an expectation that is none",
      "[{policy: names, resources: [good], result: maybe}]",
      "",
      'TEST_INVALID results[0]: "maybe" is no result: one of pass, fail, warn, error, skip',
    ],
    [
      "an operation that is none",
      entry("good", "pass", ", operation: PATCH"),
      "",
      "TEST_INVALID results[0].operation: must be one of CREATE, UPDATE, DELETE",
    ],
    ["a file that is not there", "[]", "exceptions: [nope.yaml]", "FILE_UNREADABLE t/nope.yaml: no such file"],
    [
      "an address",
      "[]",
      "targetResources: ['https://example.com/a.yaml']",
      "FILE_UNREADABLE https://example.com/a.yaml: tests do not use the network",
    ],
  ])("%s", (_, results, more, expected) => {
    expect(problems(results, more)).toEqual([expected]);
  });
});

describe("selection", () => {
  const selected = (text: string) => {
    const parsed = parseSelection(text);
    if (!parsed.ok) throw new Error(parsed.diagnostics.map((d) => d.message).join());
    return rows(entry("good, left-out", "pass").replace("]}]", "]}]"), "", { selection: parsed.value });
  };

  test.each<[string, number]>([
    ["policy=names", 2],
    ["policy=other", 0],
    ["rule=check-*", 2],
    ["rule=other", 0],
    ["policy=n*,resource=good", 1],
    ["resource=nope", 0],
  ])("%s leaves %i rows", (text, count) => {
    expect(selected(text)).toHaveLength(count);
  });

  test.each(["policy", "color=red", "policy=a=b"])("%s is refused", (text) => {
    expect(parseSelection(text).ok).toBe(false);
  });
});

test("tests are found by their names, and taken as they are when named", () => {
  const files = memoryFiles({ "a/kyverno-test.yaml": "", "a/b/cases/x.yaml": "", "a/b/policy.yaml": "", "a/cases.md": "" });
  expect(findTests(files, ["a"])).toEqual(["a/kyverno-test.yaml", "a/b/cases/x.yaml"]);
  expect(findTests(files, ["a/b/policy.yaml", "a/b"])).toEqual(["a/b/policy.yaml", "a/b/cases/x.yaml"]);
});
