import { describe, expect, test } from "vitest";
import { apiResources } from "../../core/api-resources.ts";
import type { CompiledPolicy } from "../policy.ts";
import { clusterPolicyFormat } from "./cluster-policy.ts";
import { contextOf, objectOf, objectsOf, runRules } from "./policy-run.testing.ts";

function compile(text: string): CompiledPolicy & { readonly codes: readonly string[]; readonly messages: readonly string[] } {
  const [document] = objectsOf(text);
  if (document === undefined) throw new Error("no policy");
  const compiled = clusterPolicyFormat.compile(document, { resources: apiResources([]) });
  if (!compiled.ok) throw new Error("the policy does not compile");
  const { diagnostics } = compiled;
  return {
    ...compiled.value,
    codes: diagnostics.map((d) => `${d.code}@${d.span?.start.line}:${d.span?.start.column}`),
    messages: diagnostics.map((d) => d.message),
  };
}

const policy = (spec: string, metadata = "name: p", kind = "ClusterPolicy") => `apiVersion: kyverno.io/v1
kind: ${kind}
metadata: {${metadata}}
spec:
${spec.replace(/^\n+/, "")}`;

const rule = "{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {message: m, pattern: {kind: Pod}}}";

describe("a policy", () => {
  test("has Kyverno's defaults", () => {
    const compiled = compile(policy(`  rules: [${rule}]`));
    expect(compiled).toMatchObject({
      id: { group: "kyverno.io", kind: "ClusterPolicy", namespace: "", name: "p" },
      severity: "medium",
      onError: "deny",
      emitWarning: false,
      background: true,
      admission: true,
      firstRuleOnly: false,
    });
    expect(compiled.rules.map((r) => r.name)).toEqual(["r", "autogen-r", "autogen-cronjob-r"]);
    expect(compiled.rules[0]?.enforcement("default", {})).toBe("audit");
  });

  test.each<[string, string, Partial<CompiledPolicy>]>([
    ["failurePolicy", "failurePolicy: Ignore", { onError: "allow" }],
    ["failurePolicy of its webhook", "webhookConfiguration: {failurePolicy: Ignore}", { onError: "allow" }],
    ["its webhook's timeout", "webhookConfiguration: {timeoutSeconds: 3}", { webhookTimeoutSeconds: 3 }],
    ["the timeout in its old form", "webhookTimeoutSeconds: 30", { webhookTimeoutSeconds: 30 }],
    [
      "the newer timeout of two",
      "webhookTimeoutSeconds: 30\n  webhookConfiguration: {timeoutSeconds: 3}",
      { webhookTimeoutSeconds: 3 },
    ],
    ["no timeout", "webhookConfiguration: {failurePolicy: Fail}", { webhookTimeoutSeconds: undefined }],
    ["background", "background: false", { background: false }],
    ["admission", "admission: false", { admission: false }],
    ["applyRules", "applyRules: One", { firstRuleOnly: true }],
    ["emitWarning", "emitWarning: true", { emitWarning: true }],
  ])("says %s", (_, field, expected) => {
    expect(compile(policy(`  ${field}\n  rules: [${rule}]`))).toMatchObject(expected);
  });

  test("takes title, category and severity from its annotations", () => {
    const annotations = "policies.kyverno.io/title: T, policies.kyverno.io/category: C, policies.kyverno.io/severity: HIGH";
    expect(compile(policy(`  rules: [${rule}]`, `name: p, annotations: {${annotations}}`))).toMatchObject({
      title: "T",
      category: "C",
      severity: "high",
    });
  });

  test("of a namespace is in the default one where it names none", () => {
    expect(compile(policy(`  rules: [${rule}]`, "name: p", "Policy")).id.namespace).toBe("default");
  });
});

describe("enforcement", () => {
  const enforcement = (spec: string, ruleText = rule, namespace = "shop", labels = {}) =>
    compile(policy(`  ${spec}\n  rules: [${ruleText}]`)).rules[0]?.enforcement(namespace, labels);
  const with_ = (fields: string) => rule.replace("message: m", `message: m, ${fields}`);
  const overrides = (action: string, where: string) => `OverridesX: [{action: ${action}, ${where}}]`;

  test.each<[string, string, string, object, string]>([
    ["of the policy", "validationFailureAction: Enforce", rule, {}, "enforce"],
    ["in its old form", "validationFailureAction: enforce", rule, {}, "enforce"],
    ["of the rule before the policy's", "validationFailureAction: Enforce", with_("failureAction: Audit"), {}, "audit"],
    [
      "of an override for the namespace",
      `validationFailureAction: Audit\n  validationFailureAction${overrides("Enforce", "namespaces: [sh*]").replace("X", "")}`,
      rule,
      {},
      "enforce",
    ],
    [
      "not of one for others",
      `validationFailureAction: Audit\n  validationFailureAction${overrides("Enforce", "namespaces: [other]").replace("X", "")}`,
      rule,
      {},
      "audit",
    ],
    [
      "of one for labels of the namespace",
      `validationFailureAction${overrides("Enforce", "namespaceSelector: {matchLabels: {env: prod}}").replace("X", "")}`,
      rule,
      { env: "prod" },
      "enforce",
    ],
    [
      "of the rule's overrides first",
      "validationFailureAction: Enforce",
      with_("failureActionOverrides: [{action: Audit, namespaces: [shop]}]"),
      {},
      "audit",
    ],
  ])("%s", (_, spec, ruleText, labels, expected) => {
    expect(enforcement(spec, ruleText, "shop", labels)).toBe(expected);
  });
});

describe("problems are named with their place", () => {
  test.each<[string, string, readonly string[], string]>([
    [
      "an unknown field of a rule",
      `  rules:\n  - name: r\n    mach: {}\n`,
      ["KYV_UNKNOWN_FIELD@7:5"],
      'spec.rules[0].mach: unknown field "mach"',
    ],
    [
      "an unknown field of the policy",
      `  validationFailureActoin: Enforce\n  rules: [${rule}]`,
      ["KYV_UNKNOWN_FIELD@5:3"],
      'spec.validationFailureActoin: unknown field "validationFailureActoin"',
    ],
    [
      "a wrong type",
      `  background: "no"\n  rules: [${rule}]`,
      ["KYV_WRONG_TYPE@5:3"],
      "spec.background: must be a boolean, but is a string",
    ],
    [
      "a timeout of nothing",
      `  webhookConfiguration: {timeoutSeconds: 0}\n  rules: [${rule}]`,
      ["KYV_WRONG_TYPE@5:26"],
      "spec.webhookConfiguration.timeoutSeconds: must be an integer from 1 to 30, but is 0",
    ],
    [
      "a timeout that Kubernetes does not allow",
      `  webhookTimeoutSeconds: 31\n  rules: [${rule}]`,
      ["KYV_WRONG_TYPE@5:3"],
      "spec.webhookTimeoutSeconds: must be an integer from 1 to 30, but is 31",
    ],
    [
      "a timeout that is a text",
      `  webhookTimeoutSeconds: 5s\n  rules: [${rule}]`,
      ["KYV_WRONG_TYPE@5:3"],
      "spec.webhookTimeoutSeconds: must be an integer from 1 to 30, but is a string",
    ],
    ["no rules", "  background: true", ["KYV_BAD_RULE@5:3"], "spec.rules: a policy needs a list of rules"],
    [
      "two rules of one name",
      `  rules: [${rule}, ${rule}]`,
      ["KYV_BAD_RULE@5:114"],
      'spec.rules[1].name: duplicate rule name: "r"',
    ],
    [
      "a rule that does nothing",
      "  rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}}]",
      ["KYV_BAD_RULE@5:11"],
      "the rule does nothing",
    ],
    [
      "a rule that does two things",
      `  rules: [${rule.replace("validate", "mutate: {patchStrategicMerge: {a: b}}, validate")}]`,
      ["KYV_BAD_RULE@5:11"],
      "validate and mutate",
    ],
    [
      "an action that is none",
      `  validationFailureAction: Maybe\n  rules: [${rule}]`,
      ["KYV_BAD_RULE@5:3"],
      '"Maybe" is not one of Audit, Enforce',
    ],
    [
      "a gate in CEL",
      `  webhookConfiguration: {matchConditions: [{name: a, expression: "nothing"}]}\n  rules: [${rule}]`,
      ["CEL_EXPRESSION@5:54"],
      "undeclared reference to 'nothing'",
    ],
  ])("%s", (_, spec, codes, message) => {
    const compiled = compile(policy(spec));
    expect(compiled.codes).toEqual(codes);
    expect(compiled.messages.join()).toContain(message);
  });

  test("once, though rules are generated from the one that has them", () => {
    const broken = rule.replace("pattern: {kind: Pod}", "deny: {conditions: {all: [{key: a, operator: Same, value: b}]}}");
    expect(compile(policy(`  rules: [${broken}]`)).codes).toHaveLength(1);
  });
});

describe("a gate in CEL", () => {
  const pod = "{apiVersion: v1, kind: Pod, metadata: {name: x}}";
  const gate = (expression: string) =>
    compile(policy(`  webhookConfiguration: {matchConditions: [{name: a, expression: "${expression}"}]}\n  rules: [${rule}]`));

  test.each([
    ["lets pass what it is about", "object.kind == 'Pod'", ["pass"]],
    ["keeps the policy from all else", "object.kind == 'Service'", []],
    ["leaves in doubt what it cannot tell", "object.nothing == 1", ["error"]],
  ])("%s", (_, expression, statuses) => {
    const [first] = gate(expression).rules;
    expect(first?.evaluate(contextOf(objectOf(pod), undefined, {})).map((r) => r.status)).toEqual(statuses);
  });
});

describe("results", () => {
  const failing = (more: string) => `
- name: r
  match: {any: [{resources: {kinds: [Pod]}}]}
  ${more}
  validate: {message: m, deny: {conditions: {all: [{key: a, operator: Equals, value: a}]}}}
`;
  const pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}}";

  test("carry the properties that a rule reports, and their messages", () => {
    const { results } = runRules(
      failing(`reportProperties: {owner: "{{ request.object.metadata.name }}", failMessage: own words}`),
      pod,
    );
    expect(results[0]).toMatchObject({
      status: "fail",
      message: "own words",
      evidence: { properties: { owner: "p", failMessage: "own words" } },
    });
  });

  test("keep properties as they are written where a variable leads nowhere", () => {
    const { results } = runRules(failing(`reportProperties: {owner: "{{ nope }}"}`), pod);
    expect(results[0]).toMatchObject({ message: "m", evidence: { properties: { owner: "{{ nope }}" } } });
  });

  test("of preconditions in CEL without validations in CEL are errors that say so", () => {
    const { results } = runRules(failing("celPreconditions: [{name: a, expression: 'true'}]"), pod);
    expect(results.map((r) => [r.status, r.message])).toEqual([
      ["error", "celPreconditions: apply only to rules with validate.cel"],
    ]);
  });
});
