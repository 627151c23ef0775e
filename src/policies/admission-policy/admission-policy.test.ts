import { describe, expect, test } from "vitest";
import { apiResources } from "../../core/api-resources.ts";
import type { Facts } from "../../core/facts.ts";
import { objectOf } from "../kyverno/policy-run.testing.ts";
import { runPolicy } from "../kyverno-cel/policy-run.testing.ts";

const policy = (spec: string, kind = "ValidatingAdmissionPolicy", match = "") => `
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]${match}}
${spec}`;

const binding = (spec = "validationActions: [Deny]", kind = "ValidatingAdmissionPolicy") =>
  `{apiVersion: admissionregistration.k8s.io/v1, kind: ${kind}Binding, metadata: {name: b}, spec: {policyName: p, ${spec}}}`;

const map = (data = "{}") =>
  `{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop, labels: {team: a}}, data: ${data}}`;
const one = `  validations: [{expression: "object.data.a == '1'"}]`;
const run = (spec: string, object: string, bindings = binding(), more: Parameters<typeof runPolicy>[2] = {}) =>
  runPolicy(policy(spec), object, { bindings, ...more });

describe("a ValidatingAdmissionPolicy", () => {
  test.each<[string, string, string, readonly string[]]>([
    ["passes", one, '{a: "1"}', ["b pass: all validations hold"]],
    ["shows the expression that failed", one, "{a: x}", ["b fail: failed expression: object.data.a == '1'"]],
    [
      "prefers the computed message",
      `  validations: [{expression: "false", message: plain, messageExpression: "'is ' + object.data.a"}]`,
      "{a: x}",
      ["b fail: is x"],
    ],
    [
      "falls back where the computed one fails",
      `  validations: [{expression: "false", message: plain, messageExpression: "object.data.nothing + ''"}]`,
      "{a: x}",
      ["b fail: plain"],
    ],
    [
      "is an error where an expression cannot be evaluated",
      `  validations: [{expression: "object.data.nothing == ''"}]`,
      "{a: x}",
      ["b error: expression 'object.data.nothing == ''' resulted in error: no such key: nothing"],
    ],
    [
      "denies for sure what another validation denies",
      `  failurePolicy: Ignore\n  validations: [{expression: "object.data.nothing == ''"}, {expression: "false", message: refused}]`,
      "{a: x}",
      ["b fail: refused"],
    ],
    [
      "says of a denial what stopped the request first",
      `  validations: [{expression: "object.data.nothing == ''"}, {expression: "false", message: refused}]`,
      "{a: x}",
      ["b fail: expression 'object.data.nothing == ''' resulted in error: no such key: nothing"],
    ],
    [
      "is skipped where a match condition does not hold",
      `  matchConditions: [{name: m, expression: "false"}]\n${one}`,
      "{}",
      ["b skip: match conditions aren't met"],
    ],
  ])("%s", (_, spec, data, expected) => expect(run(spec, map(data)).said).toEqual(expected));

  test("audit annotations are evidence, empty ones left out", () => {
    const annotated = `${one}\n  auditAnnotations: [{key: who, valueExpression: "' ' + string(object.data.a) + ' '"}, {key: empty, valueExpression: "null"}]`;
    expect(run(annotated, map("{a: x}")).results[0]?.evidence).toEqual({ auditAnnotations: { who: "x" } });
  });

  test("does not compile where a message asks the authorizer", () => {
    const asking = `  validations: [{expression: "true", messageExpression: "authorizer.path('/x').check('get').reason()"}]`;
    expect(run(asking, map()).diagnostics[0]?.message).toContain("undeclared reference to 'authorizer'");
  });

  test.each([
    ["[Deny]", "enforce"],
    ["[Warn, Audit]", "warn"],
    ["[Audit]", "audit"],
  ])("%s is enforced as %s", (actions, expected) => {
    const { policy: compiled } = run(one, map(), binding(`validationActions: ${actions}`));
    expect(compiled.rules[0]?.enforcement("", {})).toBe(expected);
  });

  test("without a binding is tried out, and says so", () => {
    const { said, diagnostics, policy: compiled } = run(one, map('{a: "1"}'), "");
    expect(said).toEqual(["unbound pass: all validations hold"]);
    expect(diagnostics.map((d) => d.code)).toEqual(["POLICY_UNBOUND"]);
    expect(compiled.rules[0]?.enforcement("", {})).toBe("audit");
  });
});

describe("what is matched", () => {
  test.each<[string, string, string, number]>([
    ["objects by label", ", objectSelector: {matchLabels: {team: a}}", "", 1],
    ["not those with other labels", ", objectSelector: {matchLabels: {team: b}}", "", 0],
    [
      "not what is excluded",
      ', excludeResourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]',
      "",
      0,
    ],
    ["namespaces by label", ", namespaceSelector: {matchLabels: {env: prod}}", "", 1],
    ["what the binding matches, too", "", ", matchResources: {objectSelector: {matchLabels: {team: b}}}", 0],
    [
      "names",
      "",
      ', matchResources: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: [configmaps], resourceNames: [other]}]}',
      0,
    ],
  ])("%s", (_, constraints, bound, count) => {
    const bindings = binding(`validationActions: [Deny]${bound}`);
    const action = { namespaceLabels: { env: "prod" } };
    const text = policy(one, "ValidatingAdmissionPolicy", constraints);
    expect(runPolicy(text, map('{a: "1"}'), { bindings, action }).said).toHaveLength(count);
  });

  test("other versions of the resource, unless the policy says Exact", () => {
    const v2 = map('{a: "1"}').replace("apiVersion: v1", "apiVersion: v2");
    const judged = (match: string) =>
      runPolicy(policy(one, "ValidatingAdmissionPolicy", match), v2, { bindings: binding() }).said.length;
    expect(judged("")).toBe(1);
    expect(judged(", matchPolicy: Exact")).toBe(0);
  });
});

describe("other versions of a resource", () => {
  const versions = ["v2", "v1"].map((version) => ({
    group: "autoscaling",
    version,
    kind: "HorizontalPodAutoscaler",
    resource: "horizontalpodautoscalers",
    namespaced: true,
    verbs: [],
    subresources: [],
  }));
  const about = (version: string, expression: string) => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [autoscaling], apiVersions: [${version}], operations: [CREATE], resources: [horizontalpodautoscalers]}]}
  validations: [{expression: "${expression}", messageExpression: "request.kind.version + ' ' + request.requestKind.version"}]`;
  const scaler = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h, namespace: shop}}";
  const judged = (version: string, builtIn: boolean, expression = "false") => {
    const schemas = { builtInGroups: () => new Set(builtIn ? ["autoscaling"] : []), schemaFor: () => undefined };
    const resources = apiResources(versions, schemas as never);
    return runPolicy(about(version, expression), scaler, { bindings: binding(), resources }).said;
  };

  test("are shown in the version that the policy names", () => {
    expect(judged("v2", false)).toEqual(["b fail: v2 v2"]);
    expect(judged("v1", false)).toEqual(["b fail: v1 v2"]);
    expect(judged("v1", false, "object.apiVersion == 'autoscaling/v1'")).toEqual(["b pass: all validations hold"]);
  });

  test("are no matter of names where Kubernetes converts them", () => {
    expect(judged("v1", true)[0]).toMatch(/^b error: .*written for autoscaling\/v1/);
  });

  test("do not match where they are not served", () => {
    expect(judged("v2beta2", false)).toEqual([]);
  });
});

describe("parameters", () => {
  const spec = `  paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: "object.data.a == params.data.a", message: differs}]`;
  const found = (...data: readonly string[]): Facts => ({ get: () => ({ ok: true, value: data.map((d) => objectOf(map(d))) }) });
  const bound = (action: string) => binding(`validationActions: [Deny], paramRef: {name: q, parameterNotFoundAction: ${action}}`);

  test("each is judged on its own", () => {
    const bindings = binding("validationActions: [Deny], paramRef: {selector: {}, parameterNotFoundAction: Deny}");
    expect(run(spec, map("{a: x}"), bindings, { facts: found("{a: x}", "{a: y}") }).said).toEqual([
      "b pass: all validations hold",
      "b fail: differs",
    ]);
  });

  test.each([
    ["Allow", []],
    ["Deny", ["b error: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"]],
  ])("that are not there: %s", (action, expected) => {
    expect(run(spec, map("{a: x}"), bound(action), { facts: found() }).said).toEqual(expected);
  });
});

describe("the authorizer", () => {
  const asking = `  validations: [{expression: "authorizer.group('').resource('pods').namespace('shop').check('get').allowed()", message: may not}]`;
  const actor = { user: "jane", groups: ["dev"] };
  const answering = (allowed: boolean): Facts => ({ get: () => ({ ok: true, value: { status: { allowed } } }) });

  test.each([
    [true, ["b pass: all validations hold"]],
    [false, ["b fail: may not"]],
  ])("answers %s", (allowed, expected) => {
    expect(run(asking, map(), binding(), { action: { actor }, facts: answering(allowed) }).said).toEqual(expected);
  });

  test("answers for service accounts where nobody acts", () => {
    const account = `  validations: [{expression: "authorizer.serviceAccount('shop', 'runner').group('').resource('pods').check('get').allowed()", message: may not}]`;
    expect(run(account, map(), binding(), { facts: answering(false) }).said).toEqual(["b fail: may not"]);
  });

  test("hands selectors on", () => {
    const asked: unknown[] = [];
    const facts: Facts = {
      get: (need) => {
        asked.push(need);
        return { ok: true, value: { status: { allowed: true } } };
      },
    };
    const selecting = `  validations: [{expression: "authorizer.group('').resource('pods').labelSelector('a=b').check('list').allowed()"}]`;
    expect(run(selecting, map(), binding(), { action: { actor }, facts }).said).toEqual(["b pass: all validations hold"]);
    expect(asked).toMatchObject([{ body: { spec: { resourceAttributes: { labelSelector: { rawSelector: "a=b" } } } } }]);
  });

  test("has no answer where nobody can tell", () => {
    expect(run(asking, map(), binding(), { action: { actor } }).said[0]).toContain("error");
    expect(run(asking, map()).said[0]).toContain("it is not known who acts");
  });
});

describe("a MutatingAdmissionPolicy", () => {
  const kind = "MutatingAdmissionPolicy";
  const change = (expression: string) => `  mutations: [{patchType: JSONPatch, jsonPatch: {expression: '${expression}'}}]`;
  const mutated = (spec: string, object = map('{a: "1"}')) =>
    runPolicy(policy(spec, kind), object, { bindings: binding("", kind) }).results[0];

  test("goes on after a mutation that fails", () => {
    const result = mutated(`  mutations:
  - {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "remove", path: "/data/nothing"}]'}}
  - {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/data/b", value: "2"}]'}}`);
    expect([result?.status, result?.object?.["data"]]).toEqual(["error", { a: "1", b: "2" }]);
  });

  test("changes the object", () => {
    const result = mutated(change('[JSONPatch{op: "add", path: "/data/b", value: "2"}]'));
    expect([result?.status, result?.object?.["data"]]).toEqual(["pass", { a: "1", b: "2" }]);
  });

  test("computes its variables anew for each mutation", () => {
    const two = `  variables: [{name: count, expression: "size(object.data)"}]
  mutations:
  - {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/data/b", value: string(variables.count)}]'}}
  - {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/data/c", value: string(variables.count)}]'}}`;
    expect(mutated(two)?.object?.["data"]).toEqual({ a: "1", b: "1", c: "2" });
  });

  test("leaves the object alone where a condition does not hold", () => {
    const result = mutated(
      `  matchConditions: [{name: m, expression: "false"}]\n${change('[JSONPatch{op: "add", path: "/data/b", value: "2"}]')}`,
    );
    expect([result?.status, result?.object]).toEqual(["skip", undefined]);
  });
});
