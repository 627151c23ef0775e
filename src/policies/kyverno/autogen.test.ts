import { describe, expect, test } from "vitest";
import { isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { autogenRuleName, computeRules, supportedControllers } from "./autogen.ts";

const pods: JsonValue = { any: [{ resources: { kinds: ["Pod"] } }] };
const rule = (parts: JsonObject = {}): JsonObject => ({
  name: "check",
  match: pods,
  validate: { message: "m", pattern: { spec: { hostNetwork: false } } },
  ...parts,
});
const names = (rules: readonly JsonObject[], requested?: string) =>
  computeRules(rules, requested).map(({ rule: r, index }) => `${index}:${String(r["name"])}`);
const generated = (one: JsonObject, name: string): JsonObject => {
  const found = computeRules([one], undefined).find(({ rule: r }) => r["name"] === name);
  if (found === undefined) throw new Error(`no rule ${name}`);
  return found.rule;
};

describe("rules are generated", () => {
  test.each<[string, readonly JsonObject[], string | undefined, readonly string[]]>([
    ["for all controllers", [rule()], undefined, ["0:check", "0:autogen-check", "0:autogen-cronjob-check"]],
    ["for the controllers asked for", [rule()], "Deployment,Job", ["0:check", "0:autogen-check"]],
    ["for cron jobs alone", [rule()], "CronJob", ["0:check", "0:autogen-cronjob-check"]],
    ["not where none are wanted", [rule()], "none", ["0:check"]],
    ["after all of the policy's own", [rule(), rule({ name: "b" })], "Job", ["0:check", "1:b", "0:autogen-check", "1:autogen-b"]],
    ["for the old form of match", [rule({ match: { resources: { kinds: ["Pod"] } } })], "Job", ["0:check", "0:autogen-check"]],
    [
      "for kinds with a version beside a bare one",
      [rule(), rule({ name: "v", match: { any: [{ resources: { kinds: ["v1/Pod"] } }] } })],
      "Job",
      ["0:check", "1:v", "0:autogen-check", "1:autogen-v"],
    ],
    [
      "not for kinds with a version alone",
      [rule({ match: { any: [{ resources: { kinds: ["v1/Pod"] } }] } })],
      undefined,
      ["0:check"],
    ],
  ])("%s", (_, rules, requested, expected) => {
    expect(names(rules, requested)).toEqual(expected);
  });

  test.each<[string, JsonObject]>([
    ["a name", { match: { any: [{ resources: { kinds: ["Pod"], names: ["a"] } }] } }],
    ["a selector", { match: { any: [{ resources: { kinds: ["Pod"], selector: {} } }] } }],
    ["annotations", { match: { any: [{ resources: { kinds: ["Pod"], annotations: {} } }] } }],
    ["other kinds beside pods", { match: { any: [{ resources: { kinds: ["Pod", "Deployment"] } }] } }],
    ["a name in exclude", { exclude: { any: [{ resources: { kinds: ["Pod"], name: "a" } }] } }],
    ["a JSON patch", { validate: null, mutate: { patchesJson6902: "[]" } }],
    ["a JSON patch in a loop", { validate: null, mutate: { foreach: [{ list: "x", patchesJson6902: "[]" }] } }],
    ["something generated", { validate: null, generate: { kind: "ConfigMap" } }],
  ])("for no rule of the policy where one has %s", (_, parts) => {
    expect(supportedControllers([rule(), rule({ name: "b", ...parts })])).toEqual([]);
  });

  test("not for rules that do not speak of pods", () => {
    expect(names([rule({ match: { any: [{ resources: { kinds: ["Deployment"] } }] } })])).toEqual(["0:check"]);
    expect(names([rule({ exclude: { any: [{ resources: { kinds: ["Job"] } }] } })])).toEqual(["0:check"]);
  });
});

describe("a generated rule", () => {
  test("matches the controllers", () => {
    const match = generated(rule(), "autogen-check")["match"];
    expect(match).toMatchObject({
      any: [{ resources: { kinds: expect.arrayContaining(["apps/v1/Deployment", "batch/v1/Job"]) } }],
    });
    expect(generated(rule(), "autogen-cronjob-check")["match"]).toEqual({
      any: [{ resources: { kinds: ["batch/v1/CronJob"] } }],
    });
  });

  test("keeps the rest of a filter, and filters of other kinds", () => {
    const match: JsonValue = {
      any: [{ resources: { kinds: ["Pod"], namespaces: ["a"] } }, { resources: { kinds: ["Service"] } }],
    };
    const { any } = generated(rule({ match }), "autogen-check")["match"] as { any: { resources: JsonObject }[] };
    expect(any.map((f) => f.resources["namespaces"])).toEqual([["a"], undefined]);
    expect(any[1]?.resources["kinds"]).toEqual(["Service"]);
  });

  test.each<[string, JsonObject, JsonValue, JsonValue]>([
    [
      "a pattern",
      { pattern: { spec: { hostNetwork: false } } },
      { pattern: { spec: { template: { spec: { hostNetwork: false } } } } },
      { pattern: { spec: { jobTemplate: { spec: { template: { spec: { hostNetwork: false } } } } } } },
    ],
    [
      "each of several patterns",
      { anyPattern: [{ a: 1 }, { b: 2 }] },
      { anyPattern: [{ spec: { template: { a: 1 } } }, { spec: { template: { b: 2 } } }] },
      {
        anyPattern: [
          { spec: { jobTemplate: { spec: { template: { a: 1 } } } } },
          { spec: { jobTemplate: { spec: { template: { b: 2 } } } } },
        ],
      },
    ],
    [
      "the texts of conditions",
      {
        deny: {
          conditions: [{ key: "{{ request.object.spec.x }}", operator: "Equals", value: "{{request.oldObject.metadata.y}}" }],
        },
      },
      {
        deny: {
          conditions: [
            {
              key: "{{ request.object.spec.template.spec.x }}",
              operator: "Equals",
              value: "{{request.oldObject.spec.template.metadata.y}}",
            },
          ],
        },
      },
      {
        deny: {
          conditions: [
            {
              key: "{{ request.object.spec.jobTemplate.spec.template.spec.x }}",
              operator: "Equals",
              value: "{{request.oldObject.spec.jobTemplate.spec.template.metadata.y}}",
            },
          ],
        },
      },
    ],
    [
      "the lists of loops",
      { foreach: [{ list: "request.object.spec.containers", deny: {} }] },
      { foreach: [{ list: "request.object.spec.template.spec.containers", deny: {} }] },
      { foreach: [{ list: "request.object.spec.jobTemplate.spec.template.spec.containers", deny: {} }] },
    ],
    [
      "nothing of Pod Security",
      { podSecurity: { level: "baseline" } },
      { podSecurity: { level: "baseline" } },
      { podSecurity: { level: "baseline" } },
    ],
    [
      "expressions of CEL",
      { cel: { expressions: [{ expression: "object.spec.x == oldObject.metadata.y" }] } },
      { cel: { expressions: [{ expression: "object.spec.template.spec.x == oldObject.spec.template.metadata.y" }] } },
      {
        cel: {
          expressions: [
            { expression: "object.spec.jobTemplate.spec.template.spec.x == oldObject.spec.jobTemplate.spec.template.metadata.y" },
          ],
        },
      },
    ],
  ])("shifts %s", (_, validate, inTemplate, inJobTemplate) => {
    const one = rule({ validate });
    expect(generated(one, "autogen-check")["validate"]).toMatchObject(isObject(inTemplate) ? inTemplate : {});
    expect(generated(one, "autogen-cronjob-check")["validate"]).toMatchObject(isObject(inJobTemplate) ? inJobTemplate : {});
  });

  test("shifts strategic merge patches", () => {
    const one = rule({ validate: null, mutate: { patchStrategicMerge: { spec: { a: 1 } } } });
    expect(generated(one, "autogen-check")["mutate"]).toEqual({
      patchStrategicMerge: { spec: { template: { spec: { a: 1 } } } },
    });
  });

  test("keeps message, action and context", () => {
    const one = rule({
      context: [{ name: "x", variable: { jmesPath: "request.object.spec.x" } }],
      validate: { message: "m", failureAction: "Enforce", pattern: {} },
    });
    expect(generated(one, "autogen-check")).toMatchObject({
      context: [{ variable: { jmesPath: "request.object.spec.template.spec.x" } }],
      validate: { message: "m", failureAction: "Enforce" },
    });
  });

  test("has no empty lists of conditions", () => {
    const one = rule({ preconditions: { any: [], all: [] }, validate: { deny: { conditions: { any: [], all: [{ key: 1 }] } } } });
    const { preconditions, validate } = generated(one, "autogen-check");
    expect(preconditions).toEqual({});
    expect(validate).toMatchObject({ deny: { conditions: { all: [{ key: 1 }] } } });
    expect(member(member(member(validate, "deny"), "conditions"), "any")).toBeUndefined();
  });

  test("does not come from signatures of manifests", () => {
    expect(names([rule({ validate: { manifests: { attestors: [{}] } } })])).toEqual(["0:check"]);
  });
});

test("names are cut at 63 characters", () => {
  expect(autogenRuleName("autogen-cronjob", "x".repeat(63))).toBe(`autogen-cronjob-${"x".repeat(47)}`);
});
