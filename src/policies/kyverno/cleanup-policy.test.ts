import { expect, test } from "vitest";
import { apiResources } from "../../core/api-resources.ts";
import { noFacts } from "../../core/facts.ts";
import { gvkOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { Budget } from "../budget.ts";
import { cleanupPolicyFormat } from "./cleanup-policy.ts";
import { objectOf, objectsOf } from "./policy-run.testing.ts";

const pod = objectOf("{apiVersion: v1, kind: Pod, metadata: {name: tmp-1, namespace: shop, labels: {keep: 'no'}}}");

function outcome(spec: string, kind = "ClusterCleanupPolicy", namespace = "") {
  const [document] = objectsOf(
    `{apiVersion: kyverno.io/v2, kind: ${kind}, metadata: {name: c, namespace: "${namespace}"}, spec: ${spec}}`,
  );
  if (document === undefined) throw new Error("no policy");
  const compiled = cleanupPolicyFormat.compile(document, { resources: apiResources([]) });
  if (!compiled.ok) throw new Error("the policy does not compile");
  const target = {
    type: "kubernetes" as const,
    ...gvkOf(pod),
    resource: "pods",
    subresource: "",
    namespace: namespaceOf(pod),
    name: nameOf(pod),
  };
  const [rule] = compiled.value.rules;
  const results = rule?.evaluate({
    action: {
      channel: "background",
      actor: undefined,
      operation: "CREATE",
      dryRun: false,
      target,
      object: pod,
      namespaceLabels: {},
      at: 0,
    },
    object: pod,
    oldObject: undefined,
    facts: noFacts("none"),
    host: { now: () => 0, random: () => 0 },
    budget: new Budget(1000),
    resources: apiResources([]),
  });
  return [rule?.kind, results?.map((r) => r.status)];
}

const match = "match: {any: [{resources: {kinds: [Pod], names: [tmp-*]}}]}, schedule: '* * * * *'";

test.each<[string, Parameters<typeof outcome>, readonly string[]]>([
  ["what matches", [`{${match}}`], ["pass"]],
  ["not what does not", ["{match: {any: [{resources: {kinds: [Service]}}]}, schedule: '* * * * *'}"], []],
  ["not what is excluded", [`{${match}, exclude: {any: [{resources: {namespaces: [shop]}}]}}`], []],
  [
    "what meets the conditions",
    [`{${match}, conditions: {all: [{key: "{{ target.metadata.labels.keep }}", operator: Equals, value: "no"}]}}`],
    ["pass"],
  ],
  [
    "not what does not meet them",
    [`{${match}, conditions: {all: [{key: "{{ target.metadata.labels.keep }}", operator: Equals, value: "yes"}]}}`],
    ["fail"],
  ],
  [
    "nothing while conditions cannot be evaluated",
    [`{${match}, conditions: {all: [{key: "{{ target.nope }}", operator: Equals, value: a}]}}`],
    ["error"],
  ],
  ["nothing while the policy has an error", [`{${match}, when: now}`], ["error"]],
  ["what is in its namespace", [`{${match}}`, "CleanupPolicy", "shop"], ["pass"]],
  ["nothing of another namespace", [`{${match}}`, "CleanupPolicy", "other"], []],
])("deletes %s", (_, parameters, expected) => {
  expect(outcome(...parameters)).toEqual(["delete", expected]);
});

test("a policy that names no resource is an error", () => {
  const [document] = objectsOf(
    "{apiVersion: kyverno.io/v2, kind: ClusterCleanupPolicy, metadata: {name: c}, spec: {match: {}, schedule: '* * * * *'}}",
  );
  if (document === undefined) throw new Error("no policy");
  const { diagnostics } = cleanupPolicyFormat.compile(document, { resources: apiResources([]) });
  expect(diagnostics.map((d) => d.code)).toEqual(["KYV_BAD_MATCH"]);
});

test.each([
  ["a time that is none", "schedule: sometimes", "schedule"],
  ["users", "schedule: '* * * * *', exclude: {any: [{clusterRoles: [admin]}]}", "clusterRoles"],
  ["a look-up that is not made", "schedule: '* * * * *', context: [{name: a, configMap: {name: a, namespace: b}}]", "context"],
])("a policy with %s is an error", (_, spec, said) => {
  const match = "match: {any: [{resources: {kinds: [Pod]}}]}";
  const [document] = objectsOf(
    `{apiVersion: kyverno.io/v2, kind: ClusterCleanupPolicy, metadata: {name: c}, spec: {${match}, ${spec}}}`,
  );
  if (document === undefined) throw new Error("no policy");
  const { diagnostics } = cleanupPolicyFormat.compile(document, { resources: apiResources([]) });
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([["KYV_BAD_RULE", expect.stringContaining(said)]]);
});
