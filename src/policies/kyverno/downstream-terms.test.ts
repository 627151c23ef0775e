import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { downstreamTerms } from "./downstream-terms.ts";

const termsOf = (rule: string, policy = "{}") => downstreamTerms(parse(rule), parse(policy));

test("a rule that acts on the request's object alone has none", () => {
  expect(termsOf("validate: {pattern: {}}")).toBeUndefined();
  expect(termsOf("mutate: {patchStrategicMerge: {}}")).toBeUndefined();
});

describe("what is generated", () => {
  test.each([
    ["generate: {data: {}}", "{}", { synchronize: false, existing: false, orphan: false }],
    ["generate: {data: {}, synchronize: true}", "{}", { synchronize: true }],
    ["generate: {data: {}, generateExisting: true}", "{}", { existing: true }],
    ["generate: {data: {}}", "generateExisting: true", { existing: true }],
    ["generate: {data: {}, generateExisting: false}", "generateExisting: true", { existing: false }],
    ["generate: {data: {}}", "generateExistingOnPolicyUpdate: true", { existing: true }],
    ["generate: {clone: {name: a}}", "{}", { orphan: true }],
    ["generate: {cloneList: {kinds: [v1/Secret]}, orphanDownstreamOnPolicyDelete: false}", "{}", { orphan: false }],
    ["generate: {foreach: [{clone: {name: a}}]}", "{}", { orphan: true }],
    ["generate: {data: {}, orphanDownstreamOnPolicyDelete: true}", "{}", { orphan: true }],
    ["generate: {data: {}}", "useServerSideApply: true", { serverSideApply: true }],
    ["{skipBackgroundRequests: false, generate: {data: {}}}", "{}", { skipsOwnWrites: false }],
    ["mutate: {targets: [{kind: Secret}]}", "mutateExistingOnPolicyUpdate: true", { existing: true, synchronize: false }],
    [
      "mutate: {targets: [{kind: Secret}], mutateExistingOnPolicyUpdate: false}",
      "mutateExistingOnPolicyUpdate: true",
      { existing: false },
    ],
  ])("%s of a policy %s", (rule, policy, expected) => {
    expect(termsOf(rule, policy)).toMatchObject(expected);
  });

  test.each([
    ["match: {any: [{subjects: [{kind: User, name: a}]}]}", true],
    ["exclude: {clusterRoles: [a]}", true],
    ["preconditions: {all: [{key: '{{ request.userInfo.username }}'}]}", true],
    ["preconditions: {all: [{key: '{{ request.operation }}'}]}", false],
    ["preconditions: {all: [{key: '{{ request.oldObject.spec.x }}'}]}", true],
    ["context: [{name: a, variable: {value: {subjects: [], serviceAccountName: 'request.userInfo'}}}]", false],
    ["context: [{name: a, variable: {value: '{{ serviceAccountName }}'}}]", true],
    ["context: [{name: a, variable: {value: \"{{ random('[a-z]{8}') }}\"}}]", true],
    ["context: [{name: a, variable: {value: '{{ time_now_utc() }}'}}]", true],
    ["context: [{name: a, variable: {value: '{{ request.object.metadata.name }}'}}]", false],
    ["context: [{name: a, variable: {value: '{{ request.namespace }}'}}]", false],
    ["match: {any: [{resources: {kinds: [Namespace]}}]}", false],
  ])("of a rule with %s: for its request alone %s", (part, expected) => {
    expect(termsOf(`{generate: {data: {}}, ${part}}`)?.runsOnce).toBe(expected);
  });
});

describe("the kinds of what is generated", () => {
  test.each([
    ["{apiVersion: v1, kind: ConfigMap}", ["/ConfigMap"]],
    ["{apiVersion: apps/v1, kind: Deployment}", ["apps/Deployment"]],
    [
      "{cloneList: {kinds: [v1/Secret, rbac.authorization.k8s.io/v1/Role, Pod]}}",
      ["/Secret", "rbac.authorization.k8s.io/Role", "/Pod"],
    ],
    ["{foreach: [{apiVersion: v1, kind: Secret}, {apiVersion: v1, kind: ConfigMap}]}", ["/Secret", "/ConfigMap"]],
  ])("%s", (generate, kinds) => {
    expect([...(termsOf(`{generate: ${generate}}`)?.kinds ?? [])]).toEqual(kinds);
  });
});
