import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { lintKyvernoPolicy } from "./lint-policy.ts";

const schemas = loadKubernetesSchemas();

function policy(rule: string, spec = ""): SourceDocument<KubernetesObject> {
  const indent = (text: string, by: string) => text.trim().split("\n").join(`\n${by}`);
  const text = `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec:\n  ${spec.trim() === "" ? "background: true" : indent(spec, "  ")}\n  rules:\n  - name: r\n    ${indent(rule, "    ")}\n`;
  return documentOf(text);
}

function documentOf(text: string): SourceDocument<KubernetesObject> {
  const [document] = parseDocuments(text, "p.yaml").documents;
  if (document === undefined || !isKubernetesObject(document.value)) throw new Error(text);
  return { ...document, value: document.value, locate: (p) => document.locate(p), locateKey: (p) => document.locateKey(p) };
}

function issues(rule: string, spec?: string): readonly (readonly [string, string])[] {
  return issuesOf(policy(rule, spec));
}

function issuesOf(document: SourceDocument<KubernetesObject>): readonly (readonly [string, string])[] {
  return lintKyvernoPolicy(document, schemas, []).map((f) => [
    f.check.policy.replace("policy-lint/", ""),
    f.path?.join(".") ?? "",
  ]);
}

const pods = "match: {any: [{resources: {kinds: [Pod]}}]}";
const rule = "spec.rules.0";
/** The kind * and users cannot be matched in the background. */
const admissionOnly = "background: false";

test("a good policy has no issue", () => {
  expect(
    issues(
      `${pods}\nvalidate: {message: m, pattern: {spec: {"=(hostPID)": false, containers: [{"(name)": "*", image: "a/*"}]}}}`,
    ),
  ).toEqual([]);
});

describe("rules that never apply", () => {
  test.each([
    ["a plural", "match: {any: [{resources: {kinds: [Pods]}}]}", "match.any.0.resources.kinds.0"],
    ["a wrong case", "match: {all: [{resources: {kinds: [configmap]}}]}", "match.all.0.resources.kinds.0"],
    ["a short name", "match: {any: [{resources: {kinds: [Pod, deploy]}}]}", "match.any.0.resources.kinds.1"],
    ["a wrong group", "match: {any: [{resources: {kinds: [batch/v1/Deployment]}}]}", "match.any.0.resources.kinds.0"],
    [
      "a version that is gone",
      "match: {any: [{resources: {kinds: [networking.k8s.io/v1/Ingress, networking.k8s.io/v1beta1/Ingress]}}]}",
      "match.any.0.resources.kinds.1",
    ],
    ["a subresource that is not", "match: {any: [{resources: {kinds: [Pod/logs]}}]}", "match.any.0.resources.kinds.0"],
    ["an empty match", "match: {}", "match"],
    ["an empty entry", "match: {any: [{resources: {}}]}", "match"],
    ["exclude as wide as match", `${pods}\nexclude: {any: [{resources: {kinds: [Pod, Service]}}]}`, "exclude.any.0"],
    ["exclude of everything", `${pods}\nexclude: {any: [{resources: {kinds: ["*"]}}]}`, "exclude.any.0"],
    [
      "namespaces of a cluster kind",
      "match: {any: [{resources: {kinds: [ClusterRole], namespaces: [a]}}]}",
      "match.any.0.resources.namespaces",
    ],
  ])("%s", (_, text, path) => expect(issues(text, admissionOnly)).toEqual([["never-matches", `${rule}.${path}`]]));

  test.each([
    ["a custom kind", "match: {any: [{resources: {kinds: [RayCluster]}}]}"],
    ["a custom group", "match: {any: [{resources: {kinds: [serving.knative.dev/v1/Service]}}]}"],
    ["a wildcard", "match: {any: [{resources: {kinds: ['*']}}]}"],
    ["a subresource", "match: {any: [{resources: {kinds: [Pod/exec, Deployment/scale]}}]}"],
    ["a group and version", "match: {any: [{resources: {kinds: [apps/v1/Deployment, v1/Pod]}}]}"],
    ["a narrower exclude", `${pods}\nexclude: {any: [{resources: {kinds: [Pod], namespaces: [kube-system]}}]}`],
    ["an exclude by user", `${pods}\nexclude: {any: [{clusterRoles: [cluster-admin]}]}`],
    ["namespace names", "match: {any: [{resources: {kinds: [Namespace], namespaces: [a]}}]}"],
    ["a match by user", "match: {any: [{subjects: [{kind: User, name: a}]}]}"],
  ])("%s is fine", (_, text) => expect(issues(text, admissionOnly)).toEqual([]));
});

describe("fields in patterns that the kind does not have", () => {
  test.each([
    [
      "misspelt",
      "pattern: {spec: {containers: [{securityContex: {privileged: false}}]}}",
      "pattern.spec.containers.0.securityContex",
    ],
    ["behind an anchor", 'pattern: {spec: {"=(hostPid)": false}}', "pattern.spec.=(hostPid)"],
    ["misplaced", "anyPattern: [{spec: {image: a}}]", "anyPattern.0.spec.image"],
  ])("%s", (_, check, path) =>
    expect(issues(`${pods}\nvalidate: {${check}}`)).toEqual([["unknown-pattern-field", `${rule}.validate.${path}`]]),
  );

  test.each([
    ["labels", "pattern: {metadata: {labels: {any.key/x: '?*'}}}"],
    ["wildcards", "pattern: {metadata: {annotations: {'a*': b}}}"],
    ["quantities", "pattern: {spec: {containers: [{resources: {limits: {nvidia.com/gpu: '<=8'}}}]}}"],
  ])("%s are fine", (_, check) => expect(issues(`${pods}\nvalidate: {${check}}`)).toEqual([]));

  test("a field that one of the matched kinds has is fine", () => {
    const both = "match: {any: [{resources: {kinds: [Deployment, DaemonSet]}}]}";
    expect(issues(`${both}\nvalidate: {pattern: {spec: {replicas: 1}}}`)).toEqual([]);
    expect(issues(`${both}\nvalidate: {pattern: {spec: {replica: 1}}}`)).toHaveLength(1);
  });
});

describe("old forms", () => {
  test.each([
    ["bare resources", "match: {resources: {kinds: [Pod]}}", "legacy-form", "match.resources"],
    ["a list of preconditions", `${pods}\npreconditions: [{key: a, operator: Equals, value: b}]`, "legacy-form", "preconditions"],
    ["an old image field", `${pods}\nverifyImages: [{image: "*", attestors: []}]`, "legacy-form", "verifyImages.0.image"],
  ])("%s", (_, text, check, path) => expect(issues(text)).toEqual([[check, `${rule}.${path}`]]));

  test("fields of the policy", () => {
    expect(issues(pods, "validationFailureAction: enforce\nschemaValidation: false").map(([, path]) => path)).toEqual([
      "spec.validationFailureAction",
      "spec.validationFailureAction",
      "spec.schemaValidation",
    ]);
  });
});

describe("texts without effect", () => {
  test("a message behind messages of every expression", () => {
    const cel = "cel: {expressions: [{expression: 'true', message: m}]}";
    expect(issues(`${pods}\nvalidate: {message: x, ${cel}}`)).toEqual([["message-without-effect", `${rule}.validate.message`]]);
    expect(issues(`${pods}\nvalidate: {message: x, cel: {expressions: [{expression: 'true'}]}}`)).toEqual([]);
  });

  test("a failure action behind the rule's own", () => {
    const found = issues(`${pods}\nvalidate: {failureAction: Enforce}`, "validationFailureAction: Audit");
    expect(found).toContainEqual(["field-without-effect", `${rule}.validate.failureAction`]);
  });
});

describe("policies that Kyverno refuses", () => {
  const say = (text: string) => `${pods}\nvalidate: {message: "${text}", pattern: {spec: {hostPID: false}}}`;
  const about = (filter: string) => `match: {any: [${filter}]}\nvalidate: {message: m, pattern: {metadata: {name: "?*"}}}`;
  const cm = "context: [{name: settings, configMap: {name: a, namespace: b}}]";

  const generates = (apiVersion: string, kind: string, place: string) =>
    `${pods}\ngenerate: {apiVersion: ${apiVersion}, kind: ${kind}, ${place}, data: {}}`;
  const clones = (kinds: string, from: string) => `${pods}\ngenerate: {namespace: a, cloneList: {kinds: [${kinds}], ${from}}}`;

  // What the Kyverno CLI 1.19.1 refuses to apply; the last row of a pair it applies.
  test.each<[string, string, string, string?]>([
    ["user info in the background", say("{{ request.userInfo.username }}"), `${rule}.validate.message`],
    ["a service account in the background", say("{{serviceAccountName}}"), `${rule}.validate.message`],
    ["user info in admission alone", say("{{ request.userInfo.username }}"), "", "background: false"],
    ["the field of that name", say("{{ request.object.spec.serviceAccountName }}"), ""],
    ["an unknown variable", say("{{ settings.data.a }}"), `${rule}.validate.message`],
    ["a declared one", `${cm}\n${say("{{ settings.data.a }}")}`, ""],
    ["a config map's other field", `${cm}\n${say("{{ settings.a }}")}`, `${rule}.validate.message`],
    ["a variable inside a variable", say("{{ request.object.{{ nope }} }}"), `${rule}.validate.message`],
    ["an escaped one", say("\\\\{{ nope }}"), ""],
    ["an element outside of a loop", say("{{ element.name }}"), `${rule}.validate.message`],
    ["roles in the background", about("{resources: {kinds: [Pod]}, clusterRoles: [x]}"), `${rule}.match.any.0.clusterRoles`],
    ["roles in admission alone", about("{resources: {kinds: [Pod]}, clusterRoles: [x]}"), "", "background: false"],
    [
      "a role without a namespace",
      about("{resources: {kinds: [Pod]}, roles: [x]}"),
      `${rule}.match.any.0.roles.0`,
      "background: false",
    ],
    ["any kind in the background", about('{resources: {kinds: ["*"]}}'), `${rule}.match.any.0.resources.kinds.0`],
    ["any kind in admission alone", about('{resources: {kinds: ["*"]}}'), "", "background: false"],
    [
      "any kind and another",
      about('{resources: {kinds: ["*", Pod]}}'),
      `${rule}.match.any.0.resources.kinds.0`,
      "background: false",
    ],
    ["names of no kind", about("{resources: {names: [x]}}"), `${rule}.match.any.0`],
    [
      "a variable in match",
      about('{resources: {kinds: [Pod], names: ["{{request.name}}"]}}'),
      `${rule}.match.any.0.resources.names.0`,
    ],
    ["a subresource in the background", about("{resources: {kinds: [Pod/exec]}}"), `${rule}.match.any.0.resources.kinds.0`],
    ["nothing switched on", say("m"), "spec.admission", "background: false\nadmission: false"],
    [
      "a label that is no text",
      `${pods}\nvalidate: {message: m, pattern: {metadata: {labels: {a: 5}}}}`,
      `${rule}.validate.pattern.metadata.labels.a`,
    ],
    [
      "an existence anchor on no list",
      `${pods}\nvalidate: {message: m, pattern: {spec: {"^(containers)": 5}}}`,
      `${rule}.validate.pattern.spec.^(containers)`,
    ],
    [
      "an operation that is none",
      `${pods}\npreconditions: {all: [{key: "{{request.operation}}", operator: Equals, value: MAKE}]}\nvalidate: {message: m, deny: {}}`,
      `${rule}.preconditions.all.0.value`,
    ],
    ["a target in no namespace", generates("v1", "ConfigMap", "name: a"), `${rule}.generate`],
    ["a target in a namespace", generates("v1", "ConfigMap", "name: a, namespace: b"), ""],
    ["a target that is in none", generates("v1", "Namespace", "name: a, namespace: b"), `${rule}.generate.namespace`],
    ["a target of a kind that is not known", generates("example.org/v1", "Thing", "name: a"), ""],
    [
      "clones of two scopes",
      clones("v1/Secret, rbac.authorization.k8s.io/v1/ClusterRole", ""),
      `${rule}.generate.cloneList.kinds`,
    ],
    ["clones from nowhere", clones("v1/Secret", ""), `${rule}.generate.cloneList`],
    ["clones from a namespace", clones("v1/Secret", "namespace: b"), ""],
    [
      "clones of what is in no namespace",
      clones("rbac.authorization.k8s.io/v1/ClusterRole", "namespace: b"),
      `${rule}.generate.cloneList.namespace`,
    ],
    [
      "a loop that puts something nowhere",
      `${pods}\ngenerate: {foreach: [{list: a, apiVersion: v1, kind: Secret, name: a, data: {}}]}`,
      `${rule}.generate.foreach.0`,
    ],
    ["a name that is taken", `context: [{name: images, variable: {value: 1}}]\n${say("m")}`, `${rule}.context.0.name`],
  ])("%s", (_, text, path, spec) => {
    const refused = issues(text, spec).filter(([name]) => name === "refused");
    expect(refused).toEqual(path === "" ? [] : [["refused", path]]);
  });
});

test.each([
  ["of its own namespace", "namespace: own, clone: {name: b, namespace: own}", []],
  ["of another namespace", "namespace: own, clone: {name: b, namespace: foo}", ["spec.rules.0.generate.clone"]],
  ["into another namespace", "namespace: foo, clone: {name: b, namespace: own}", ["spec.rules.0.generate"]],
])("a Policy that clones, %s", (_, terms, paths) => {
  const source = `apiVersion: kyverno.io/v1
kind: Policy
metadata: {name: p, namespace: own}
spec: {rules: [{name: r, ${pods}, generate: {apiVersion: v1, kind: Secret, name: a, ${terms}}}]}`;
  const refused = issuesOf(documentOf(source)).filter(([name]) => name === "refused");
  expect(refused.map(([, path]) => path)).toEqual(paths);
});

test("a legacy form in many places is one finding", () => {
  const text = "match: {resources: {kinds: [Pod]}}\nexclude: {resources: {names: [x]}}\nvalidate: {message: m, deny: {}}";
  const rules = `background: true\n  rules:\n${[1, 2].map((i) => `  - name: r${i}\n    ${text.replaceAll("\n", "\n    ")}\n`).join("")}`;
  const source = `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec:\n  ${rules}`;
  const found = lintKyvernoPolicy(documentOf(source), schemas, []).filter((f) => f.check.policy === "policy-lint/legacy-form");
  expect(found.map((f) => f.message)).toEqual([
    "a bare match.resources is the old form, here and at spec.rules[1].match.resources",
    "a bare exclude.resources is the old form, here and at spec.rules[1].exclude.resources",
  ]);
});
