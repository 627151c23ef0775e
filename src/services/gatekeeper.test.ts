import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import type { Action } from "../core/action.ts";
import { gvkOf, nameOf, namespaceOf } from "../core/kubernetes.ts";
import { evaluate } from "../engine/index.ts";
import { objectOf, objectsOf } from "../policies/kyverno/policy-run.testing.ts";
import { compilePolicies } from "./policies.ts";
import { scannedFacts } from "./scanned-facts.ts";

const resources = loadKubernetesSchemas().resources();
const host = { now: () => 0, random: () => 0 };

const template = (rego: string, schema = "", more = "") => `
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: k8scheck}
spec:
  crd: {spec: {names: {kind: K8sCheck}${schema === "" ? "" : `, validation: {openAPIV3Schema: {type: object, properties: ${schema}}}`}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
${more}    rego: |
      package k8scheck
${rego.replace(/^/gm, "      ")}
---`;

const constraint = (spec = "", name = "c") => `
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sCheck
metadata: {name: ${name}}
spec: {${spec}}
---`;

const always = 'violation[{"msg": msg}] { msg := sprintf("%v", [input.review.object.metadata.name]) }';
const pod = "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {team: a}}, spec: {}}";

interface Options {
  readonly action?: Partial<Action>;
  readonly others?: string;
}

function judge(policies: string, object = pod, { action, others = "" }: Options = {}) {
  const compiled = compilePolicies(objectsOf(policies), resources);
  const judged = objectOf(object);
  const objects = [...(others === "" ? [] : objectsOf(others).map((d) => d.value)), judged];
  const { group, version, kind } = gvkOf(judged);
  const whole: Action = {
    channel: "scan",
    actor: undefined,
    operation: "CREATE",
    dryRun: false,
    target: {
      type: "kubernetes",
      group,
      version,
      kind,
      resource: "",
      subresource: "",
      namespace: namespaceOf(judged),
      name: nameOf(judged),
    },
    object: judged,
    at: 0,
    ...action,
  };
  const facts = scannedFacts({ objects, resources, complete: true });
  const evaluation = evaluate(compiled.set, whole, facts, host, { resources, passes: true });
  if (evaluation.kind === "pending") throw new Error("facts are missing");
  const { decision } = evaluation;
  return {
    said: decision.results.map(({ rule, result }) => `${rule.name} ${result.status}: ${result.message}`),
    effect: decision.effect,
    warnings: decision.warnings,
    object: decision.object,
    codes: compiled.diagnostics.map((d) => d.code),
    messages: compiled.diagnostics.map((d) => d.message),
    results: decision.results.map(({ result }) => result),
  };
}

describe("a constraint", () => {
  test.each<[string, string, string, readonly string[]]>([
    ["fails with the message of its template", always, "", ["violation fail: web"]],
    ["passes without violation", 'violation[{"msg": "m"}] { false }', "", ["violation pass: "]],
    ["says what says the same once", 'violation[{"msg": "m", "x": x}] { x := [1, 2][_] }', "", ["violation fail: m"]],
    [
      "tells violations of other details apart",
      'violation[{"msg": "m", "details": {"x": x}}] { x := [1, 2][_] }',
      "",
      ["violation fail: m", "violation fail: m"],
    ],
    ["overlooks what has no message", 'violation[{"x": 1}] { true }', "", ["violation pass: "]],
    [
      "gets its parameters",
      'violation[{"msg": msg}] { msg := input.parameters.who }',
      "parameters: {who: me}",
      ["violation fail: me"],
    ],
    [
      "has the kind of review that an audit shows",
      'violation[{"msg": msg}] { msg := sprintf("%v %v %v", [input.review.operation, input.review.userInfo, input.review.kind.kind]) }',
      "",
      ["violation fail:  {} Pod"],
    ],
    [
      "sees numbers as Go prints floats",
      'violation[{"msg": msg}] { msg := sprintf("%v %v", [input.review.object.spec.big, input.review.object.spec.m]) }',
      "",
      ["violation fail: 1e+06 5"],
    ],
  ])("%s", (_, rego, spec, expected) => {
    const object = "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {big: 1000000, m: 5}}";
    expect(judge(template(rego, "{who: {type: string}}") + constraint(spec), object).said).toEqual(expected);
  });

  test.each<[string, string, number]>([
    ["kinds", 'kinds: [{apiGroups: [""], kinds: [Pod]}]', 1],
    ["other kinds", 'kinds: [{apiGroups: ["apps"], kinds: [Pod]}, {kinds: [Service]}]', 0],
    ["namespaces by glob", 'namespaces: ["sh*"]', 1],
    ["not excluded ones", 'excludedNamespaces: ["*op"]', 0],
    ["names by glob", 'name: "*eb"', 1],
    ["labels", "labelSelector: {matchLabels: {team: b}}", 0],
    ["the labels of a namespace", "namespaceSelector: {matchExpressions: [{key: env, operator: In, values: [prod]}]}", 1],
    ["scope", "scope: Cluster", 0],
    ["what is generated only", "source: Generated", 0],
  ])("matches %s", (_, match, count) => {
    const action = { namespaceLabels: { env: "prod" } };
    expect(judge(template(always) + constraint(`match: {${match}}`), pod, { action }).said).toHaveLength(count);
  });

  test("is an error where its template is", () => {
    const rego = 'violation[{"msg": f(1)}] { true }\nf(x) = 1 { true }\nf(x) = 2 { true }';
    expect(judge(template(rego) + constraint()).said[0]).toMatch(/^violation error: template:4: eval_conflict_error: /);
  });

  test("says that it cannot tell where the labels of a namespace decide and are not known", () => {
    const { said } = judge(template(always) + constraint("match: {namespaceSelector: {matchLabels: {a: b}}}"));
    expect(said[0]).toContain("violation error: the labels of namespace shop decide whether it applies");
  });

  test.each<[string, string, Partial<Action>, string]>([
    ["deny", "enforcementAction: deny", {}, "deny"],
    ["by default", "", {}, "deny"],
    ["warn", "enforcementAction: warn", {}, "allow"],
    ["dryrun", "enforcementAction: dryrun", {}, "allow"],
    [
      "scoped, here",
      "enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: validation.gatekeeper.sh}]}]",
      { channel: "admission" },
      "deny",
    ],
    [
      "scoped, elsewhere",
      "enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}]",
      { channel: "admission" },
      "allow",
    ],
  ])("is enforced: %s", (_, spec, action, effect) => {
    expect(judge(template(always) + constraint(spec), pod, { action }).effect).toBe(effect);
  });

  test("looks at deletions only where its template asks for them", () => {
    const old = objectOf(pod);
    const action: Partial<Action> = { channel: "admission", operation: "DELETE", object: undefined, oldObject: old };
    expect(judge(template(always) + constraint(), pod, { action }).said).toEqual([]);
    const asking = template(always, "", "    operations: [DELETE]\n");
    expect(judge(asking + constraint(), pod, { action }).said).toEqual(["violation fail: web"]);
  });

  test("leaves namespaces alone that Config exempts", () => {
    const config =
      "\n{apiVersion: config.gatekeeper.sh/v1alpha1, kind: Config, metadata: {name: config}, spec: {match: [{processes: [webhook], excludedNamespaces: [shop]}]}}\n---";
    expect(judge(template(always) + constraint() + config, pod, { action: { channel: "admission" } }).said).toEqual([]);
  });
});

test("data.inventory holds what is scanned", () => {
  const rego = 'violation[{"msg": msg}] { msg := data.inventory.namespace[ns]["v1"].ConfigMap[name].data.a }';
  const others = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}, data: {a: there}}";
  expect(judge(template(rego) + constraint(), pod, { others }).said).toEqual(["violation fail: there"]);
});

describe("a template", () => {
  const schema = "{count: {type: integer, default: 3}, s: {type: string}}";
  const show = 'violation[{"msg": msg}] { msg := sprintf("%v", [input.parameters.count]) }';

  test("gives parameters their defaults", () => {
    expect(judge(template(show, schema) + constraint("parameters: {s: x}")).said).toEqual(["violation fail: 3"]);
  });

  test.each<[string, string, string]>([
    ["wrong types", "parameters: {count: x}", "GATEKEEPER_SCHEMA"],
    ["parameters that it does not have", "parameters: {m: 1}", "GATEKEEPER_CONSTRAINT"],
  ])("refuses %s", (_, spec, code) => {
    const { said, codes } = judge(template(show, schema) + constraint(spec));
    expect(codes).toEqual([code]);
    expect(said[0]).toMatch(/^violation error: the constraint was not evaluated: /);
  });

  test.each<[string, string, string]>([
    ["without the rule", "deny[m] { m := 1 }", "there is no rule violation"],
    [
      "that refers to other data",
      'violation[{"msg": m}] { m := data.other }',
      "a template may refer to data.lib and data.inventory only",
    ],
    ["with unsafe variables", 'violation[{"msg": m}] { true }', "var m is unsafe"],
    ["with a syntax error", "violation[", "rego"],
  ])("%s is refused with its place", (_, rego, message) => {
    const { messages } = judge(template(rego) + constraint());
    expect(messages[0]).toContain(message);
  });

  test("may have libraries", () => {
    const libs = '    libs: ["package lib.names\\nof(o) = o.metadata.name"]\n';
    const rego = 'import data.lib.names\nviolation[{"msg": m}] { m := names.of(input.review.object) }';
    expect(judge(template(rego, "", libs) + constraint()).said).toEqual(["violation fail: web"]);
  });

  test("may be CEL", () => {
    const cel = template(always).replace(
      / {4}rego: \|[\s\S]*?---/,
      `    code:
    - engine: K8sNativeValidation
      source:
        variables: [{name: label, expression: "variables.params.label"}]
        validations:
        - expression: "has(variables.anyObject.metadata.labels) && variables.label in variables.anyObject.metadata.labels"
          messageExpression: "'no label ' + variables.label"
---`,
    );
    const open = cel.replace(
      "names: {kind: K8sCheck}",
      "names: {kind: K8sCheck}, validation: {openAPIV3Schema: {type: object, properties: {label: {type: string}}}}",
    );
    expect(judge(open + constraint("parameters: {label: owner}")).said).toEqual(["violation fail: no label owner"]);
    expect(judge(open + constraint("parameters: {label: team}")).said).toEqual(["violation pass: "]);
  });

  test.each<[string, string]>([
    ["targets: [{target: other, rego: 'package a'}]", "the target must be admission.k8s.gatekeeper.sh"],
    ["targets: []", "there is no target"],
    ["targets: [{target: admission.k8s.gatekeeper.sh}]", "the target has no rego"],
  ])("that is not complete: %s", (part, message) => {
    const text = `{apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: k8scheck}, spec: {crd: {spec: {names: {kind: K8sCheck}}}, ${part}}}\n---`;
    const { messages, said } = judge(text + constraint());
    expect(messages.join()).toContain(message);
    expect(said[0]).toContain("violation error: ");
  });

  test("that is not there", () =>
    expect(judge(constraint()).messages[0]).toContain("no ConstraintTemplate for the kind K8sCheck"));
});

const assign = (name: string, location: string, value: string, kind = "Assign") => `
apiVersion: mutations.gatekeeper.sh/v1
kind: ${kind}
metadata: {name: ${name}}
spec:
  ${kind === "AssignMetadata" ? "" : 'applyTo: [{groups: [""], versions: [v1], kinds: [Pod]}]'}
  location: ${JSON.stringify(location)}
  parameters: {assign: {value: ${value}}}
---`;

describe("mutators", () => {
  test("work together until nothing changes", () => {
    const dependent = assign("a", "spec.second", "2").replace(
      "parameters: {",
      "parameters: {pathTests: [{subPath: spec.first, condition: MustExist}], ",
    );
    const { object, said } = judge(
      assign("b", "spec.first", "1") + dependent.replace("subPath: spec.first", "subPath: spec.second"),
    );
    expect(object?.["spec"]).toEqual({ first: 1 });
    expect(said).toEqual(["mutation pass: mutated"]);
  });

  test("each says what it did, and the object is what all made", () => {
    const { object, said } = judge(
      assign("b", "spec.first", "1") + assign("owner", "metadata.labels.owner", "me", "AssignMetadata"),
    );
    expect(object).toMatchObject({ metadata: { labels: { team: "a", owner: "me" } }, spec: { first: 1 } });
    expect(said).toEqual(["mutation pass: mutated", "mutation pass: mutated"]);
  });

  test("that contradict each other are not applied", () => {
    const { codes, object, said } = judge(assign("a", "spec.x.y", "1") + assign("b", "spec.x[name: n].y", "1"));
    expect(codes).toEqual(["GATEKEEPER_MUTATOR", "GATEKEEPER_MUTATOR"]);
    expect(object?.["spec"]).toEqual({});
    expect(said.every((one) => one.startsWith("mutation error: "))).toBe(true);
  });

  test.each<[string, string, string]>([
    ["AssignMetadata", "spec.a", "the location must be metadata.labels.NAME"],
    ["Assign", "metadata.labels.a", "metadata can be changed by AssignMetadata only"],
    ["Assign", "spec.containers[name: a].name", "must not be changed"],
    ["Assign", "spec..a", "expected the name of a field"],
  ])("%s of %s is refused", (kind, location, message) => {
    expect(judge(assign("a", location, "x", kind)).messages.join()).toContain(message);
  });
});

describe("an ExpansionTemplate", () => {
  const expansion = `
apiVersion: expansion.gatekeeper.sh/v1beta1
kind: ExpansionTemplate
metadata: {name: pods}
spec:
  applyTo: [{groups: [apps], versions: [v1], kinds: [Deployment]}]
  templateSource: spec.template
  generatedGVK: {group: "", version: v1, kind: Pod}
  enforcementAction: warn
---`;
  const deployment =
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {template: {metadata: {labels: {a: b}}, spec: {}}}}";
  const pods = 'match: {kinds: [{apiGroups: [""], kinds: [Pod]}]}';

  test("lets constraints for pods judge deployments", () => {
    const { said, effect, warnings } = judge(template(always) + expansion + constraint(pods), deployment);
    expect(said).toEqual(["violation fail: [Implied by pods] web-pod"]);
    expect(effect).toBe("allow");
    expect(warnings).toHaveLength(1);
  });

  test("that leads back to itself expands nothing", () => {
    const { codes, said } = judge(
      template(always) +
        expansion.replace("kind: Pod}", "kind: Deployment}").replace('group: "", version', "group: apps, version") +
        constraint(pods),
      deployment,
    );
    expect(codes).toEqual(["GATEKEEPER_EXPANSION"]);
    expect(said).toEqual([]);
  });
});
