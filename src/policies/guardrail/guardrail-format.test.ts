import { describe, expect, test } from "vitest";
import type { Action } from "../../core/action.ts";
import { apiResources } from "../../core/api-resources.ts";
import type { JsonObject } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import { documentOf } from "../../core/schedule/schedule.testing.ts";
import type { SourceDocument } from "../../core/source.ts";
import { Budget } from "../budget.ts";
import { guardrailFormat } from "./guardrail-format.ts";

const resources = apiResources([
  { group: "", version: "v1", kind: "Pod", resource: "pods", namespaced: true, verbs: [], subresources: [] },
  { group: "apps", version: "v1", kind: "Deployment", resource: "deployments", namespaced: true, verbs: [], subresources: [] },
]);
const asObject = (document: SourceDocument): SourceDocument<KubernetesObject> => {
  const { value } = document;
  if (!isKubernetesObject(value)) throw new Error("no object");
  return { ...document, value };
};
const guardrail = (spec: JsonObject) => asObject(documentOf("Guardrail", "g", { effect: "deny", message: "no", ...spec }));

function compiled(spec: JsonObject, ...others: readonly SourceDocument[]) {
  const document = guardrail(spec);
  const policy = guardrailFormat.compile(document, { resources, documents: [document, ...others.map(asObject)] });
  if (!policy.ok) throw new Error(policy.diagnostics.map((d) => d.message).join("; "));
  return policy.value;
}

const pod: KubernetesObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "prod" } };
function said(spec: JsonObject, more: Partial<Action>, ...others: readonly SourceDocument[]) {
  const [rule] = compiled(spec, ...others).rules;
  const action: Action = {
    channel: "admission",
    cluster: "prod-eu",
    actor: { user: "ada", groups: ["dev"] },
    operation: "CREATE",
    dryRun: false,
    target: {
      type: "kubernetes",
      group: "",
      version: "v1",
      kind: "Pod",
      resource: "pods",
      subresource: "",
      namespace: "prod",
      name: "p",
    },
    object: pod,
    namespaceLabels: { stage: "production" },
    at: Date.UTC(2026, 10, 23, 10),
    ...more,
  };
  const facts = { get: () => ({ ok: false as const, message: "not here" }) };
  const host = { now: () => 0, random: () => 0 };
  const { object, oldObject } = action;
  return rule?.evaluate({ action, object, oldObject, facts, host, budget: new Budget(1000), resources }) ?? [];
}

describe("a guardrail as a policy of admission", () => {
  test("judges doing, not what is there; who cannot be judged is denied", () => {
    expect(compiled({})).toMatchObject({ background: false, admission: true, onError: "deny", severity: "high" });
  });

  test.each([
    {
      of: "one kind",
      match: { resources: [{ apiGroups: ["apps"], resources: ["deployments"] }] },
      selectors: ["apps/Deployment/"],
    },
    {
      of: "a kind that is not known",
      match: { resources: [{ apiGroups: ["ray.io"], resources: ["rayclusters"] }] },
      selectors: ["ray.io/*/"],
    },
    {
      of: "a subresource, whose kind is another's",
      match: { resources: [{ apiGroups: ["apps"], resources: ["deployments/scale"] }] },
      selectors: ["*/*/scale"],
    },
    {
      of: "all with subresources",
      match: { resources: [{ apiGroups: ["*"], resources: ["*/*"] }] },
      selectors: ["*/*/", "*/*/*"],
    },
  ])("is asked about $of", ({ match, selectors }) => {
    const [rule] = compiled({ match }).rules;
    expect(rule?.selectors.map(({ group, kind, subresource }) => `${group}/${kind}/${subresource}`)).toEqual(selectors);
  });

  test("is asked about all that people do where it names nothing", () => {
    const [rule] = compiled({}).rules;
    const subresources = new Set(rule?.selectors.map(({ subresource }) => subresource));
    expect(["", "scale", "exec", "token", "eviction"].filter((one) => !subresources.has(one))).toEqual([]);
    expect(subresources.has("status")).toBe(false);
  });

  test("what only the gateway sees is not asked for", () => {
    expect([...(compiled({ match: { operations: ["READ", "DELETE"] } }).rules[0]?.operations ?? [])]).toEqual(["DELETE"]);
  });

  const scale = {
    type: "kubernetes",
    group: "autoscaling",
    resourceGroup: "apps",
    version: "v1",
    kind: "Scale",
    resource: "deployments",
    subresource: "scale",
    namespace: "prod",
    name: "web",
  } as const;
  test.each([
    {
      of: "the resource's group counts, not the kind's",
      spec: { match: { resources: [{ apiGroups: ["apps"], resources: ["deployments/scale"] }] } },
      action: { target: scale },
      speaks: true,
    },
    {
      of: "the kind's group is another",
      spec: { match: { resources: [{ apiGroups: ["autoscaling"], resources: ["deployments/scale"] }] } },
      action: { target: scale },
      speaks: false,
    },
    { of: "the cluster", spec: { when: "action.cluster == 'prod-eu'" }, action: {}, speaks: true },
    { of: "another cluster", spec: { when: "action.cluster == 'dev'" }, action: {}, speaks: false },
    {
      of: "a service account is a program",
      spec: { when: "user.isProgram" },
      action: { actor: { user: "system:serviceaccount:a:b", groups: [] } },
      speaks: true,
    },
    {
      of: "a proxy, whatever the method (T20)",
      spec: { match: { resources: [{ apiGroups: [""], resources: ["pods/proxy"] }] }, when: "action.verb == 'proxy'" },
      action: {
        operation: "CONNECT",
        target: {
          ...scale,
          group: "",
          resourceGroup: undefined,
          resource: "pods",
          kind: "PodProxyOptions",
          subresource: "proxy",
        },
      },
      speaks: true,
    },
    {
      of: "an exec is no proxy (T20)",
      spec: { match: { resources: [{ apiGroups: [""], resources: ["pods/*"] }] }, when: "action.verb == 'proxy'" },
      action: {
        operation: "CONNECT",
        target: { ...scale, group: "", resourceGroup: undefined, resource: "pods", kind: "PodExecOptions", subresource: "exec" },
      },
      speaks: false,
    },
  ])("sees $of: $speaks", ({ spec, action, speaks }) => {
    expect(said(spec as JsonObject, action as Partial<Action>)).toHaveLength(speaks ? 1 : 0);
  });

  test.each([
    { of: "to take the label off a namespace", old: { stage: "production" }, now: {}, speaks: true },
    { of: "to put it on", old: {}, now: { stage: "production" }, speaks: false },
  ])("judges $of by the labels from before: $speaks", ({ old, now, speaks }) => {
    const namespace = (labels: JsonObject) =>
      ({ apiVersion: "v1", kind: "Namespace", metadata: { name: "prod", labels } }) as KubernetesObject;
    const target = {
      type: "kubernetes",
      group: "",
      version: "v1",
      kind: "Namespace",
      resource: "namespaces",
      subresource: "",
      namespace: "",
      name: "prod",
    } as const;
    const results = said(
      { match: { namespaceSelector: { matchLabels: { stage: "production" } } } },
      { operation: "UPDATE", target, object: namespace(now), oldObject: namespace(old), namespaceLabels: undefined },
    );
    expect(results).toHaveLength(speaks ? 1 : 0);
  });

  const hours = (from: string, to: string) => documentOf("Schedule", "hours", { timeZone: "Etc/UTC", windows: [{ from, to }] });
  test("of two schedules of one name the first counts, whoever writes the second", () => {
    const spec = { schedules: { outside: ["hours"] } };
    expect(said(spec, {}, hours("03:00", "04:00"), hours("00:00", "24:00"))).toHaveLength(1);
    expect(said(spec, {}, hours("00:00", "24:00"), hours("03:00", "04:00"))).toHaveLength(0);
  });

  test.each([
    { effect: "deny", message: "no", enforcement: "enforce" },
    { effect: "require-approval", message: "no; it needs an approval", enforcement: "enforce" },
    { effect: "require-reason", message: "no; it needs a reason", enforcement: "enforce" },
    { effect: "warn", message: "no", enforcement: "warn" },
  ])("$effect: $enforcement", ({ effect, message, enforcement }) => {
    expect(said({ effect }, {})).toEqual([{ status: "fail", message }]);
    expect(compiled({ effect }).rules[0]?.enforcement("prod", {})).toBe(enforcement);
  });
});
