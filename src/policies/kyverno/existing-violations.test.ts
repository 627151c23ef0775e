import { describe, expect, test } from "vitest";
import { runRules } from "./policy-run.testing.ts";

const pod = (hostNetwork: boolean) =>
  `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, spec: {hostNetwork: ${hostNetwork}}}`;

const rule = (parts: string, more = "", match = "{any: [{resources: {kinds: [Pod]}}]}") => `
- name: check
  match: ${match}
  ${more}
  validate: {message: m, ${parts} pattern: {spec: {hostNetwork: false}}}
`;

const update = (rules: string, before: boolean, after: boolean) =>
  runRules(rules, pod(after), { operation: "UPDATE", oldObject: pod(before) }).results.filter((r) => r.rule === "check")[0];

const allowed = { status: "skip", message: "skipping the rule evaluation as pre-existing violations are allowed" };

describe("the update of an object", () => {
  test.each<[string, string, boolean, boolean, object]>([
    ["that violated an enforced rule before", rule("failureAction: Enforce,"), true, true, allowed],
    ["that did not", rule("failureAction: Enforce,"), false, true, { status: "fail" }],
    ["that no longer does", rule("failureAction: Enforce,"), true, false, { status: "pass" }],
    ["under a rule that audits", rule("failureAction: Audit,"), true, true, { status: "fail" }],
    [
      "under a rule that allows none",
      rule("failureAction: Enforce, allowExistingViolations: false,"),
      true,
      true,
      { status: "fail" },
    ],
    [
      "under a rule with preconditions",
      rule("failureAction: Enforce,", "preconditions: {all: [{key: a, operator: Equals, value: a}]}"),
      true,
      true,
      { status: "fail" },
    ],
    [
      "under a rule about updates, which the old object never was",
      rule("failureAction: Enforce,", "", "{any: [{resources: {kinds: [Pod], operations: [UPDATE]}}]}"),
      true,
      true,
      { status: "fail" },
    ],
  ])("%s", (_, rules, before, after, expected) => {
    expect(update(rules, before, after)).toMatchObject(expected);
  });

  test.each([
    ["Pod/ephemeralcontainers", { status: "fail" }],
    ["'*/ephemeralcontainers'", { status: "fail" }],
    ["Pod", allowed],
  ])("through a subresource under a rule about %s", (kind, expected) => {
    const rules = rule("failureAction: Enforce,", "", `{any: [{resources: {kinds: [${kind}]}}]}`);
    const { results } = runRules(rules, pod(true), {
      operation: "UPDATE",
      oldObject: pod(true),
      subresource: "ephemeralcontainers",
    });
    expect(results.filter((result) => result.rule === "check")[0]).toMatchObject(expected);
  });

  test("is no question when there is no old object", () => {
    const { results } = runRules(rule("failureAction: Enforce,"), pod(true));
    expect(results[0]?.status).toBe("fail");
  });
});
