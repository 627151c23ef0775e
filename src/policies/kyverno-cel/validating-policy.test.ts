import { describe, expect, test } from "vitest";
import { apiResources } from "../../core/api-resources.ts";
import type { Facts } from "../../core/facts.ts";
import { runPolicy, someResources } from "./policy-run.testing.ts";

const pods = `{resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}]}`;
const policy = (spec: string, kind = "ValidatingPolicy", match = pods) => `
apiVersion: policies.kyverno.io/v1
kind: ${kind}
metadata: {name: p, namespace: shop}
spec:
  matchConstraints: ${match}
${spec.replace(/^\n/, "")}`;

const pod = (image = "nginx:1") =>
  `{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: shop}, spec: {containers: [{name: c, image: "${image}"}]}}`;
const tagged = `  validations: [{expression: "object.spec.containers.all(c, !c.image.endsWith(':latest'))", message: no latest}]`;

test.each<[string, string, string]>([
  ["are dropped from kinds of the API server, as it drops them", "", "validations pass: success"],
  ["stay in others", "example.com", "validations fail: CEL expression validation failed at index 0"],
])("nulls of files %s", (_, builtIn, expected) => {
  const resources = apiResources(someResources.all(), { builtInGroups: () => new Set([builtIn]) } as never);
  const held = "!has(object.spec.volumes) && object.spec.containers.all(c, !has(c.env)) && object.rules == null";
  const object = pod().replace("spec: {", "rules: null, spec: {volumes: null, ").replace("{name: c,", "{name: c, env: null,");
  const spec = `  validations: [{expression: "${held}"}]`;
  expect(runPolicy(policy(spec), object, { action: { channel: "scan" }, resources }).said).toEqual([expected]);
});

describe("a ValidatingPolicy", () => {
  test.each<[string, string, string, readonly string[]]>([
    ["passes", tagged, pod(), ["validations pass: success"]],
    ["fails with its message", tagged, pod("nginx:latest"), ["validations fail: no latest"]],
    [
      "says which validation failed where it has no message",
      "  validations: [{expression: 'true'}, {expression: 'false'}]",
      pod(),
      ["validations fail: CEL expression validation failed at index 1"],
    ],
    [
      "computes its message",
      `  validations: [{expression: 'false', messageExpression: "'name ' + object.metadata.name"}]`,
      pod(),
      ["validations fail: name x"],
    ],
    [
      "takes a null for a value",
      "  validations: [{expression: 'object.spec.?volumes.orValue([]) == null'}]",
      pod().replace("spec: {", "spec: {volumes: null, "),
      ["validations pass: success"],
    ],
    [
      "is an error where an expression cannot be evaluated",
      "  validations: [{expression: 'object.nothing == 1'}]",
      pod(),
      ["validations error: error: no such key: nothing"],
    ],
    [
      "is skipped where a condition does not hold",
      `  matchConditions: [{name: a, expression: 'false'}]\n${tagged}`,
      pod(),
      ["validations skip: a match condition does not hold"],
    ],
    [
      "reads variables only when they are needed",
      `  variables: [{name: a, expression: object.nothing}]\n${tagged}`,
      pod(),
      ["validations pass: success"],
    ],
    [
      "knows images",
      `  validations: [{expression: "object.spec.containers.all(c, image(c.image).repository() == 'library/nginx')"}]`,
      pod(),
      ["validations pass: success"],
    ],
    [
      "has nothing to say about other kinds",
      tagged,
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: shop}}",
      [],
    ],
  ])("%s", (_, spec, object, expected) => expect(runPolicy(policy(spec), object).said).toEqual(expected));

  test("audit annotations are evidence", () => {
    const annotated = `${tagged}\n  auditAnnotations: [{key: name, valueExpression: string(object.metadata.name)}]`;
    expect(runPolicy(policy(annotated), pod()).results[0]?.evidence).toEqual({ auditAnnotations: { name: "x" } });
  });

  test("a field that nobody knows is an error", () => {
    const { diagnostics, said } = runPolicy(policy(`${tagged}\n  validation: []`), pod());
    expect(diagnostics.map((d) => d.code)).toEqual(["KYV_UNKNOWN_FIELD"]);
    expect(said[0]).toContain('error: the policy was not evaluated: spec.validation: unknown field "validation"');
  });

  test.each<[string, number | undefined, readonly string[]]>([
    ["4", 4, []],
    ["0", undefined, ["KYV_WRONG_TYPE@7:26 spec.webhookConfiguration.timeoutSeconds: must be an integer from 1 to 30, but is 0"]],
    [
      "31",
      undefined,
      ["KYV_WRONG_TYPE@7:26 spec.webhookConfiguration.timeoutSeconds: must be an integer from 1 to 30, but is 31"],
    ],
    [
      "5s",
      undefined,
      ["KYV_WRONG_TYPE@7:26 spec.webhookConfiguration.timeoutSeconds: must be an integer from 1 to 30, but is a string"],
    ],
  ])("its webhook may take %s seconds", (timeout, expected, problems) => {
    const spec = `  webhookConfiguration: {timeoutSeconds: ${timeout}}\n${tagged}`;
    const { diagnostics, policy: compiled } = runPolicy(policy(spec), pod());
    expect(diagnostics.map((d) => `${d.code}@${d.span?.start.line}:${d.span?.start.column} ${d.message}`)).toEqual(problems);
    expect(compiled.webhookTimeoutSeconds).toBe(expected);
  });

  test.each([
    ["", "enforce"],
    ["  validationActions: [Audit]", "audit"],
    ["  validationActions: [Warn, Audit]", "warn"],
    ["  validationActions: [Deny, Warn]", "enforce"],
  ])("enforces as its actions say: %s", (actions, expected) => {
    const { policy: compiled } = runPolicy(policy(`${tagged}\n${actions}`), pod());
    expect(compiled.rules[0]?.enforcement("", {})).toBe(expected);
  });

  test("of one namespace leaves the others alone", () => {
    const elsewhere = pod().replace("namespace: shop", "namespace: other");
    expect(runPolicy(policy(tagged, "NamespacedValidatingPolicy"), pod()).said).toEqual(["validations pass: success"]);
    expect(runPolicy(policy(tagged, "NamespacedValidatingPolicy"), elsewhere).said).toEqual([]);
  });
});

describe("rules for the kinds that make pods", () => {
  const deployment = (image: string) =>
    `{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: shop}, spec: {template: {spec: {containers: [{name: c, image: "${image}"}]}}}}`;

  test.each([
    ["a Deployment", deployment("nginx:latest"), ["autogen-defaults fail: no latest"]],
    [
      "a CronJob",
      `{apiVersion: batch/v1, kind: CronJob, metadata: {name: d, namespace: shop}, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: "nginx:1"}]}}}}}}`,
      ["autogen-cronjobs pass: success"],
    ],
  ])("judge the pods of %s", (_, object, expected) => expect(runPolicy(policy(tagged), object).said).toEqual(expected));

  test("are only for the controllers that the policy names", () => {
    const only = `${tagged}\n  autogen: {podControllers: {controllers: [cronjobs]}}`;
    expect(runPolicy(policy(only), deployment("nginx:latest")).said).toEqual([]);
  });

  test("the namespace stays the controller's own", () => {
    const own = `  validations: [{expression: "object.metadata.namespace == 'shop'"}]`;
    expect(runPolicy(policy(own), deployment("x")).said).toEqual(["autogen-defaults pass: success"]);
  });

  test("there are none where a selector speaks of pods", () => {
    const selecting = pods.replace("{resourceRules", "{objectSelector: {matchLabels: {a: b}}, resourceRules");
    expect(runPolicy(policy(tagged, "ValidatingPolicy", selecting), deployment("x")).said).toEqual([]);
  });
});

describe("exceptions", () => {
  const exception = (spec: string) =>
    `{apiVersion: policies.kyverno.io/v1, kind: PolicyException, metadata: {name: e, namespace: ops}, spec: {policyRefs: [{name: p, kind: ValidatingPolicy}], ${spec}}}`;
  const lift = (spec: string, image = "nginx:latest") =>
    runPolicy(policy(tagged), pod(image), { exceptions: exception(spec) }).said;

  test.each([
    [
      "lift the policy",
      `matchConditions: [{name: a, expression: "object.metadata.name == 'x'"}]`,
      ["validations skip: rule is skipped due to policy exception: ops/e"],
    ],
    ["can report a pass", `reportResult: pass`, ["validations pass: rule is passed due to policy exception: ops/e"]],
    [
      "lift nothing where they do not match",
      `matchConditions: [{name: a, expression: "false"}]`,
      ["validations fail: no latest"],
    ],
    ["lift nothing once they have expired", `expiresAt: "1969-12-31T00:00:00Z"`, ["validations fail: no latest"]],
    ["lift nothing with an error in them", `matchCondition: []`, ["validations fail: no latest"]],
  ])("%s", (_, spec, expected) => expect(lift(spec)).toEqual(expected));

  test("with an error in them are reported", () => {
    const { diagnostics } = runPolicy(policy(tagged), pod(), { exceptions: exception("matchCondition: []") });
    expect(diagnostics.map((d) => [d.code, d.severity])).toEqual([["KYV_UNKNOWN_FIELD", "warning"]]);
  });

  test("with images are for expressions to look at", () => {
    const asking = `  validations: [{expression: "object.spec.containers.all(c, c.image in exceptions.allowedImages)"}]`;
    expect(runPolicy(policy(asking), pod(), { exceptions: exception('images: ["nginx:1"]') }).said).toEqual([
      "validations pass: success",
    ]);
    expect(runPolicy(policy(asking), pod()).said[0]).toContain("fail");
  });
});

describe("outside data", () => {
  const asking = `  validations: [{expression: "resource.get('v1', 'configmaps', 'shop', 'c').data.a == '1'"}]`;

  test("is asked for by the path that an API server knows", () => {
    const asked: unknown[] = [];
    const facts: Facts = {
      get: (need) => {
        asked.push(need);
        return { ok: true, value: { data: { a: "1" } } };
      },
    };
    expect(runPolicy(policy(asking), pod(), { facts }).said).toEqual(["validations pass: success"]);
    expect(asked).toEqual([{ kind: "api-call", method: "GET", path: "/api/v1/namespaces/shop/configmaps/c" }]);
  });

  test("that cannot be had is an error, not a verdict", () => {
    expect(runPolicy(policy(asking), pod()).said).toEqual([
      "validations error: error: failed to get resource: no facts in this test",
    ]);
  });

  test("that certainly is not there is null", () => {
    const facts: Facts = { get: () => ({ ok: false, message: "", notFound: true }) };
    const missing = `  validations: [{expression: "dyn(resource.get('v1', 'configmaps', 'shop', 'c')) == null"}]`;
    expect(runPolicy(policy(missing), pod(), { facts }).said).toEqual(["validations pass: success"]);
  });
});

test("policies of JSON mode judge any document", () => {
  const json = policy(`  evaluation: {mode: JSON}\n  validations: [{expression: object.n > 1, message: too small}]`);
  const judge = (n: number) => runPolicy(json, pod(), { action: { object: undefined, payload: { n } } }).said;
  expect(judge(2)).toEqual(["validations pass: success"]);
  expect(judge(1)).toEqual(["validations fail: too small"]);
});

describe("policies of one namespace", () => {
  const namespaced = (expression: string) => `
apiVersion: policies.kyverno.io/v1
kind: NamespacedValidatingPolicy
metadata: {name: p, namespace: shop}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}
  validations: [{expression: ${JSON.stringify(expression)}}]`;

  test.each([
    ["http.get('https://example.com/').ok == true", "http calls are not allowed in namespaced policies"],
    ["http.Client('').Post('https://example.com/', {}).ok == true", "http calls are not allowed in namespaced policies"],
    ["globalContext.get('entry') != null", "globalContext.* is not allowed in namespaced policies"],
  ])("may not ask %s", (expression, message) => {
    const facts = { get: () => ({ ok: true, value: { ok: true } }) as const };
    const { said } = runPolicy(
      namespaced(expression),
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}}",
      { facts },
    );
    expect(said).toEqual([`validations error: error: ${message}`]);
  });
});
