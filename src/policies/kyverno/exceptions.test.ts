import { describe, expect, test } from "vitest";
import { apiResources } from "../../core/api-resources.ts";
import { noFacts } from "../../core/facts.ts";
import { gvkOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { Budget } from "../budget.ts";
import { clusterPolicyFormat } from "./cluster-policy.ts";
import { compileException } from "./exceptions.ts";
import { objectOf, objectsOf } from "./policy-run.testing.ts";

const policyText = (validate: string) => `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  rules:
  - name: no-host-network
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate: ${validate}
`;
const pattern = policyText('{message: m, pattern: {spec: {"=(hostNetwork)": false}}}');

const exception = (spec: string) => `
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: e, namespace: team}
spec: ${spec}
`;

const pod = objectOf(
  "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {hostNetwork: true, containers: []}}",
);

/** What the policy says about the pod with these exceptions. */
function outcome(exceptions: readonly string[], policy = pattern) {
  const [document] = objectsOf(policy);
  if (document === undefined) throw new Error("no policy");
  const env = { resources: apiResources([]), exceptions: exceptions.flatMap((text) => objectsOf(exception(text))) };
  const compiled = clusterPolicyFormat.compile(document, env);
  if (!compiled.ok) throw new Error("the policy does not compile");
  const context = {
    action: {
      channel: "scan" as const,
      actor: undefined,
      operation: "CREATE" as const,
      dryRun: false,
      target: {
        type: "kubernetes" as const,
        ...gvkOf(pod),
        resource: "pods",
        subresource: "",
        namespace: namespaceOf(pod),
        name: nameOf(pod),
      },
      object: pod,
      at: 0,
    },
    object: pod,
    oldObject: undefined,
    facts: noFacts("none"),
    host: { now: () => 0, random: () => 0 },
    budget: new Budget(1000),
    resources: apiResources([]),
  };
  const [result] = compiled.value.rules[0]?.evaluate(context) ?? [];
  return [result?.status, result?.exceptions];
}

const match = "match: {any: [{resources: {kinds: [Pod], names: [web]}}]}";
const lifted = ["skip", ["team/e"]];
const stands = ["fail", undefined];

describe("an exception", () => {
  test.each<[string, string, unknown]>([
    ["for the rule", `{${match}, exceptions: [{policyName: p, ruleNames: [no-host-network]}]}`, lifted],
    [
      "whose conditions ask for none of nothing",
      `{${match}, conditions: {any: []}, exceptions: [{policyName: p, ruleNames: [no-host-network]}]}`,
      lifted,
    ],
    [
      "whose conditions ask for none of nothing, and something that does not hold",
      `{${match}, conditions: {any: [], all: [{key: a, operator: Equals, value: b}]}, exceptions: [{policyName: p, ruleNames: [no-host-network]}]}`,
      stands,
    ],
    ["for rules by wildcard", `{${match}, exceptions: [{policyName: p, ruleNames: [no-*]}]}`, lifted],
    ["for another rule", `{${match}, exceptions: [{policyName: p, ruleNames: [other]}]}`, stands],
    ["for another policy", `{${match}, exceptions: [{policyName: q, ruleNames: [no-host-network]}]}`, stands],
    [
      "for other objects",
      `{match: {any: [{resources: {names: [db]}}]}, exceptions: [{policyName: p, ruleNames: ["*"]}]}`,
      stands,
    ],
    ["without a match", `{match: {}, exceptions: [{policyName: p, ruleNames: ["*"]}]}`, stands],
    [
      "whose conditions hold",
      `{${match}, conditions: {all: [{key: "{{ request.object.metadata.name }}", operator: Equals, value: web}]}, exceptions: [{policyName: p, ruleNames: ["*"]}]}`,
      lifted,
    ],
    [
      "whose conditions do not hold",
      `{${match}, conditions: {all: [{key: a, operator: Equals, value: b}]}, exceptions: [{policyName: p, ruleNames: ["*"]}]}`,
      stands,
    ],
    [
      "whose conditions cannot be evaluated lifts nothing",
      `{${match}, conditions: {all: [{key: "{{ nope }}", operator: Equals, value: b}]}, exceptions: [{policyName: p, ruleNames: ["*"]}]}`,
      stands,
    ],
    [
      "with an unknown field lifts nothing",
      `{${match}, until: tomorrow, exceptions: [{policyName: p, ruleNames: ["*"]}]}`,
      stands,
    ],
  ])("%s", (_, spec, expected) => {
    expect(outcome([spec])).toEqual(expected);
  });

  test("of controls does not lift a rule that has none, unless it matches all the same", () => {
    const controls = `{${match}, podSecurity: [{controlName: Host Namespaces}], exceptions: [{policyName: p, ruleNames: ["*"]}]}`;
    expect(outcome([controls])).toEqual(lifted);
  });

  test("of controls lifts those of a Pod Security rule", () => {
    const podSecurity = policyText("{message: m, podSecurity: {level: baseline, version: latest}}");
    const controls = (name: string) =>
      `{${match}, podSecurity: [{controlName: ${name}}], exceptions: [{policyName: p, ruleNames: ["*"]}]}`;
    expect(outcome([controls("Host Namespaces")], podSecurity)[0]).toBe("skip");
    expect(outcome([controls("Host Ports")], podSecurity)[0]).toBe("fail");
    expect(outcome([`{${match}, exceptions: [{policyName: p, ruleNames: ["*"]}]}`], podSecurity)).toEqual(lifted);
  });
});

test("what is wrong with an exception is named", () => {
  const [document] = objectsOf(exception("{match: {}, until: tomorrow, exceptions: []}"));
  if (document === undefined) throw new Error("no document");
  const { exception: compiled, diagnostics } = compileException(document);
  expect(compiled).toBeUndefined();
  expect(diagnostics.map((d) => [d.code, d.message])).toEqual([["KYV_UNKNOWN_FIELD", 'spec.until: unknown field "until"']]);
});
