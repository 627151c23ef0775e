import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { isArray, type JsonValue, member } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { PolicySet } from "../../engine/index.ts";
import { objectsOf } from "../../policies/kyverno/policy-run.testing.ts";
import { compilePolicies } from "../policies.ts";
import { type ConversionOutcome, type ConversionRequest, convertAndProve } from "./convert-and-prove.ts";
import { prove } from "./prove.ts";

const schemas = loadKubernetesSchemas();
const env = { schemas, resources: schemas.resources(), host: { now: () => 0, random: () => 0 } };

const onlyPods = "metadata: {name: p, annotations: {pod-policies.kyverno.io/autogen-controllers: none}}";

function policy(rule: string, more = "", metadata = onlyPods, kind = "ClusterPolicy"): string {
  return `apiVersion: kyverno.io/v1\nkind: ${kind}\n${metadata}\nspec:\n  ${more}\n  rules:\n  - name: r\n    ${rule}\n`;
}

const matching = (resources: string, validate: string, more = "") =>
  `match: {any: [{resources: ${resources}}]}\n    ${more}\n    validate: ${validate}`;
const pods = (validate: string, more = "") => matching("{kinds: [Pod]}", validate, more);

function convert(text: string, options: Partial<ConversionRequest> = {}): ConversionOutcome {
  const [document] = objectsOf(text);
  if (document === undefined) throw new Error("no policy");
  return convertAndProve(document, { target: "kyverno", env, objects: [], ...options });
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

/** The expressions of the first object, or why there is none. */
function expressions(outcome: ConversionOutcome, field: "validations" | "matchConditions" = "validations"): readonly JsonValue[] {
  if (outcome.kind === "refused") return outcome.reasons;
  const [first] = outcome.objects;
  return listOf(member(first?.["spec"], field)).map((one) => member(one, "expression") ?? null);
}

describe("patterns", () => {
  test.each<[string, string, string]>([
    [
      "a wildcard",
      '{spec: {serviceAccountName: "team-*"}}',
      "has(object.spec) && has(object.spec.serviceAccountName) && object.spec.serviceAccountName.startsWith('team-')",
    ],
    [
      "none of a text",
      '{spec: {=(serviceAccountName): "!default"}}',
      "has(object.spec) && (!has(object.spec.serviceAccountName) || object.spec.serviceAccountName != 'default')",
    ],
    [
      "a boolean written as text",
      '{spec: {=(hostNetwork): "false"}}',
      "has(object.spec) && (!has(object.spec.hostNetwork) || object.spec.hostNetwork == false)",
    ],
    [
      "a number",
      "{spec: {containers: [{=(ports): [{=(hostPort): 0}]}]}}",
      "has(object.spec) && has(object.spec.containers) && object.spec.containers.all(c, !has(c.ports) || c.ports.all(e, !has(e.hostPort) || e.hostPort == 0))",
    ],
    [
      "what must not be there",
      "{spec: {=(volumes): [{X(hostPath): null}]}}",
      "has(object.spec) && (!has(object.spec.volumes) || object.spec.volumes.all(c, !has(c.hostPath)))",
    ],
    [
      "a condition",
      '{spec: {containers: [{(image): "*:latest", imagePullPolicy: Always}]}}',
      "has(object.spec) && has(object.spec.containers) && object.spec.containers.all(c, !(has(c.image) && c.image.endsWith(':latest')) || has(c.imagePullPolicy) && c.imagePullPolicy == 'Always')",
    ],
    [
      "alternatives",
      '{metadata: {labels: {tier: "gold | silver"}}}',
      "has(object.metadata) && has(object.metadata.labels) && has(object.metadata.labels.tier) && object.metadata.labels.tier in ['gold', 'silver']",
    ],
    [
      "a label that is no identifier",
      '{metadata: {labels: {app.kubernetes.io/name: "?*"}}}',
      "has(object.metadata) && has(object.metadata.labels) && 'app.kubernetes.io/name' in object.metadata.labels && object.metadata.labels['app.kubernetes.io/name'] != ''",
    ],
    [
      "a range of numbers",
      '{spec: {priority: "1-5"}}',
      "has(object.spec) && has(object.spec.priority) && object.spec.priority >= 1 && object.spec.priority <= 5",
    ],
  ])("%s", (_, pattern, expected) => {
    expect(expressions(convert(policy(pods(`{message: m, pattern: ${pattern}}`))))).toEqual([expected]);
  });

  test("quantities are compared as quantities", () => {
    const [text] = expressions(
      convert(policy(pods('{message: m, pattern: {spec: {containers: [{resources: {limits: {memory: "<=1Gi"}}}]}}}'))),
    );
    expect(text).toContain(
      "isQuantity(string(c.resources.limits.memory)) && quantity(string(c.resources.limits.memory)).compareTo(quantity('1Gi')) <= 0",
    );
  });

  test("of several, one has to fit", () => {
    const text = policy(pods('{message: m, anyPattern: [{spec: {hostNetwork: "false"}}, {metadata: {labels: {net: host}}}]}'));
    expect(String(expressions(convert(text))[0])).toContain(" || ");
  });
});

describe("what a rule is about", () => {
  const validate = '{message: m, pattern: {metadata: {labels: {team: "?*"}}}}';

  test.each<[string, string, string, readonly string[]]>([
    ["namespaces", "{kinds: [Pod], namespaces: [prod-*]}", "", ["object.metadata.?namespace.orValue('').startsWith('prod-')"]],
    [
      "names",
      "{kinds: [ConfigMap], names: [a, b]}",
      "",
      ["object.metadata.?name.orValue(object.metadata.?generateName.orValue('')) in ['a', 'b']"],
    ],
    [
      "labels",
      "{kinds: [ConfigMap], selector: {matchLabels: {a: b}}}",
      "",
      ["'a' in object.metadata.?labels.orValue({}) && object.metadata.?labels.orValue({})['a'] == 'b'"],
    ],
    [
      "what is left out",
      "{kinds: [ConfigMap]}",
      "exclude: {any: [{resources: {namespaces: [kube-system]}}]}",
      [
        "!(request.kind.kind == 'Namespace' ? object.metadata.name == 'kube-system' : object.metadata.?namespace.orValue('') == 'kube-system')",
      ],
    ],
    [
      "preconditions",
      "{kinds: [ConfigMap]}",
      "preconditions: {all: [{key: \"{{ request.operation || 'BACKGROUND' }}\", operator: Equals, value: CREATE}]}",
      ["request.operation == 'CREATE'"],
    ],
  ])("%s", (_, resources, more, expected) => {
    expect(expressions(convert(policy(matching(resources, validate, more))), "matchConditions")).toEqual(expected);
  });

  test("controllers are policies of their own, replication controllers among them", () => {
    const outcome = convert(policy(pods(validate), "", "metadata: {name: p}"));
    const objects = outcome.kind === "proven" ? outcome.objects : [];
    expect(objects.map((o) => o.metadata?.name)).toEqual(["p", "p-controllers", "p-cronjobs"]);
    expect(JSON.stringify(objects[1])).toContain("replicationcontrollers");
    expect(JSON.stringify(objects[0])).toContain("pods/ephemeralcontainers");
  });

  test("a kind that nobody described is assumed to have the usual plural", () => {
    const outcome = convert(policy(matching("{kinds: [Gadget]}", validate)));
    expect(outcome.kind === "proven" && outcome.assumptions).toEqual([
      "the resource of Gadget is called gadgets, in whatever group",
    ]);
  });

  test("rules about the same requests share an object", () => {
    const second =
      '\n  - name: s\n    match: {any: [{resources: {kinds: [Pod]}}]}\n    validate: {message: other, pattern: {spec: {hostNetwork: "false"}}}';
    const outcome = convert(policy(pods(validate)) + second.slice(1));
    expect(outcome.kind === "proven" && outcome.objects.length).toBe(1);
    expect(expressions(outcome)).toHaveLength(2);
  });
});

describe("actions", () => {
  const validate = "{message: m, pattern: {spec: {hostNetwork: false}}}";

  test("enforced rules let objects that violate them already be updated", () => {
    const text = policy(pods(validate), "validationFailureAction: Enforce");
    expect(expressions(convert(text), "matchConditions")).toEqual([
      "request.operation != 'UPDATE' || (has(oldObject.spec) && has(oldObject.spec.hostNetwork) && oldObject.spec.hostNetwork == false)",
    ]);
    expect(expressions(convert(text, { stopExistingViolations: true }), "matchConditions")).toEqual([]);
  });

  test("for the API server, with a binding", () => {
    const outcome = convert(policy(pods(validate), "validationFailureAction: Enforce"), { target: "kubernetes" });
    const objects: readonly KubernetesObject[] = outcome.kind === "proven" ? outcome.objects : [];
    expect(objects.map((o) => o.kind)).toEqual(["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]);
    expect(member(objects[1]?.["spec"], "validationActions")).toEqual(["Deny"]);
  });

  test("validate.cel stays as it is", () => {
    const cel = '{cel: {expressions: [{expression: "!object.spec.?hostNetwork.orValue(false)", message: refused}]}}';
    expect(expressions(convert(policy(pods(cel))))).toEqual(["!object.spec.?hostNetwork.orValue(false)"]);
  });
});

describe("conditions of a deny", () => {
  const denying = (kind: string, condition: string) =>
    policy(
      matching(`{kinds: [${kind}], operations: [CREATE, UPDATE]}`, `{message: m, deny: {conditions: {any: [${condition}]}}}`),
    );

  test.each<[string, string, string, string]>([
    [
      "a text",
      "Pod",
      "{key: \"{{ request.object.spec.hostname || '' }}\", operator: Equals, value: db-*}",
      "!object.?spec.?hostname.orValue('').startsWith('db-')",
    ],
    [
      "how many",
      "Pod",
      '{key: "{{ request.object.spec.containers[] | length(@) }}", operator: GreaterThan, value: "1"}',
      "!(size(object.spec.containers) > 1)",
    ],
    [
      "how many, or none",
      "Pod",
      '{key: "{{ request.object.spec.tolerations || `[]` | length(@) }}", operator: GreaterThan, value: 0}',
      "!(size(object.?spec.?tolerations.orValue([])) > 0)",
    ],
    [
      "a member",
      "Deployment",
      "{key: \"{{ keys(request.object.spec) | contains(@, 'paused') }}\", operator: Equals, value: true}",
      "(has(object.spec.paused)) != true",
    ],
    [
      "a key among those of a part",
      "Pod",
      '{key: ownerReferences, operator: AnyNotIn, value: "{{ request.object.metadata.keys(@) }}"}',
      "has(object.metadata.ownerReferences)",
    ],
    [
      "an item",
      "Job",
      "{key: \"{{ request.object.metadata.ownerReferences[0].kind || '' }}\", operator: NotEquals, value: CronJob}",
      "object.?metadata.?ownerReferences[?0].?kind.orValue('') == 'CronJob'",
    ],
    [
      "the operation",
      "ConfigMap",
      '{key: "{{ request.operation }}", operator: AnyIn, value: [UPDATE]}',
      "request.operation != 'UPDATE'",
    ],
  ])("%s", (_, kind, condition, expected) => {
    const spec = { containers: [], tolerations: [{ key: "a" }] };
    const tolerant: KubernetesObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace: "n" }, spec };
    const objects = [{ object: tolerant, source: "manifests" }] as const;
    expect(expressions(convert(denying(kind, condition), { objects }))).toEqual([expected]);
  });

  test.each([
    [
      "a list looked for in a list",
      '{key: "{{ request.object.spec.containers[].image }}", operator: AnyIn, value: [a]}',
      "has no like that is known",
    ],
    [
      "texts that may hold wildcards",
      '{key: "{{ request.object.spec.hostname }}", operator: AnyIn, value: [a, b]}',
      "may hold wildcards",
    ],
    ["an order of texts", '{key: "{{ request.object.spec.hostname }}", operator: GreaterThan, value: 1}', "by order"],
  ])("%s is refused", (_, condition, reason) => {
    expect(String(expressions(convert(denying("Pod", condition))))).toContain(reason);
  });
});

describe("mutations", () => {
  const changing = (patch: string) =>
    policy(`match: {any: [{resources: {kinds: [Pod]}}]}\n    mutate: {patchStrategicMerge: ${patch}}`);

  function configuration(outcome: ConversionOutcome): JsonValue | undefined {
    if (outcome.kind === "refused") return outcome.reasons[0];
    const [first] = listOf(member(outcome.objects[0]?.["spec"], "mutations"));
    return member(member(first, "applyConfiguration"), "expression");
  }

  test.each<[string, string, string]>([
    ["a field", "{spec: {hostNetwork: false}}", "Object{spec: Object.spec{hostNetwork: false}}"],
    ["labels", "{metadata: {labels: {a.b/c: d}}}", "Object{metadata: Object.metadata{labels: {'a.b/c': 'd'}}}"],
    [
      "what is missing",
      "{spec: {+(priorityClassName): low}}",
      "Object{spec: Object.spec{?priorityClassName: object.?spec.?priorityClassName.hasValue() ? optional.none() : optional.of('low')}}",
    ],
    ["a list", "{spec: {tolerations: [{key: a}]}}", "rule r: the list at spec.tolerations of a patch has no like"],
    [
      "a map that is replaced as a whole",
      "{spec: {nodeSelector: {a: b}}}",
      "rule r: spec.nodeSelector can only be replaced as a whole, which apply configurations may not do",
    ],
    [
      "a condition",
      "{spec: {(hostNetwork): true, hostPID: false}}",
      "rule r: the anchor of (hostNetwork) in a patch has no like",
    ],
  ])("%s", (_, patch, expected) => {
    expect(configuration(convert(changing(patch)))).toBe(expected);
  });

  test("become MutatingPolicies and MutatingAdmissionPolicies", () => {
    const kinds = (target: "kyverno" | "kubernetes") => {
      const outcome = convert(changing("{spec: {hostNetwork: false}}"), { target });
      return outcome.kind === "proven" ? outcome.objects.map((o) => o.kind) : outcome.reasons;
    };
    expect(kinds("kyverno")).toEqual(["MutatingPolicy"]);
    expect(kinds("kubernetes")).toEqual(["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"]);
  });
});

describe("is refused, with what stands in the way", () => {
  const anything = "{message: m, deny: {}}";
  test.each<[string, string, string]>([
    ["look-ups", policy(pods(anything, "context: [{name: c, configMap: {name: c}}]")), "the rule looks up a context"],
    [
      "roles",
      policy(pods(anything, "exclude: {any: [{clusterRoles: [cluster-admin]}]}")),
      "exclude asks for the user's clusterRoles",
    ],
    [
      "variables in patterns",
      policy(pods('{message: m, pattern: {metadata: {name: "{{ request.namespace }}"}}}')),
      "holds a variable",
    ],
    ["Pod Security", policy(pods("{podSecurity: {level: baseline}}")), "validate.podSecurity has no like"],
    [
      "actions by namespace",
      policy(pods(anything), "validationFailureActionOverrides: [{action: Audit, namespaces: [a]}]"),
      "validationFailureActionOverrides",
    ],
    [
      "mutations",
      policy('match: {any: [{resources: {kinds: [Pod]}}]}\n    mutate: {patchesJson6902: "[]"}'),
      "mutate.patchesJson6902 has no like",
    ],
    ["a policy that stops everything", policy(pods(anything)), "no object was found that it leaves alone"],
    [
      "parameters, for Kyverno",
      policy(
        pods(
          "{cel: {paramKind: {apiVersion: v1, kind: ConfigMap}, paramRef: {name: a, parameterNotFoundAction: Deny}, expressions: [{expression: params == null}]}}",
        ),
      ),
      "validate.cel has parameters",
    ],
    [
      "a condition's error that a failure policy forgives",
      policy(
        matching(
          "{kinds: [Deployment], operations: [CREATE, UPDATE]}",
          '{cel: {expressions: [{expression: "has(object.metadata.labels)"}]}}',
          "celPreconditions: [{name: c, expression: object.spec.replicas > 2}]",
        ),
        "failurePolicy: Ignore",
      ),
      "the conversion is not the same: CREATE of Deployment example was stopped and would be admitted",
    ],
  ])("%s", (_, text, reason) => {
    expect(expressions(convert(text)).join("; ")).toContain(reason);
  });

  test("a namespaced policy, for the API server", () => {
    const text = policy(
      pods("{message: m, pattern: {spec: {hostNetwork: false}}}"),
      "",
      "metadata: {name: p, namespace: n}",
      "Policy",
    );
    expect(expressions(convert(text, { target: "kubernetes" })).join()).toContain("has no like in the API server");
  });
});

test("a proof finds what is not the same", () => {
  const side = (pattern: string) =>
    new PolicySet(compilePolicies(objectsOf(policy(pods(`{message: m, pattern: ${pattern}}`))), env.resources).set.policies);
  const object: KubernetesObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", labels: { a: "one" } }, spec: {} };
  const proof = prove(
    side("{metadata: {labels: {a: one}}}"),
    side("{metadata: {labels: {a: two}}}"),
    [{ object, source: "manifests" }],
    env,
  );
  expect(proof.differences.map(({ operation, before, after }) => [operation, before, after])).toEqual([
    ["CREATE", "admitted", "stopped"],
    ["UPDATE", "admitted", "stopped"],
  ]);
  expect(proof.sources).toEqual({ tests: 0, boundary: 0, manifests: 1 });
});
