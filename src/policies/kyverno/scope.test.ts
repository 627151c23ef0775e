import { describe, expect, test } from "vitest";
import type { Action } from "../../core/action.ts";
import { apiResources } from "../../core/api-resources.ts";
import { noFacts } from "../../core/facts.ts";
import type { JsonObject } from "../../core/json.ts";
import { compileJmesPath, NotFound } from "../../languages/jmespath/index.ts";
import { Budget } from "../budget.ts";
import type { PolicyId, RuleContext } from "../policy.ts";
import { objectOf } from "./policy-run.testing.ts";
import { mergeInto, ruleScope } from "./scope.ts";

const pod = objectOf(
  "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, spec: {containers: [{name: a, image: b}]}}",
);
const policy: PolicyId = { group: "kyverno.io", kind: "ClusterPolicy", namespace: "", name: "p" };

function contextOf(action: Partial<Action> = {}, more: Partial<RuleContext> = {}): RuleContext {
  const target = { group: "", version: "v1", kind: "Pod", resource: "pods", subresource: "", namespace: "ns", name: "p" };
  const whole: Action = {
    channel: "scan",
    actor: undefined,
    operation: "CREATE",
    dryRun: false,
    target: { type: "kubernetes", ...target },
    object: pod,
    at: 0,
    ...action,
  };
  return {
    action: whole,
    object: whole.object,
    oldObject: whole.oldObject,
    facts: noFacts("none"),
    host: { now: () => 0, random: () => 0 },
    budget: new Budget(100),
    resources: apiResources([]),
    ...more,
  };
}

const rootOf = (action: Partial<Action> = {}, more: Partial<RuleContext> = {}): JsonObject =>
  ruleScope(contextOf(action, more), policy, "r").root;

describe("the root", () => {
  test("shows the request as an admission review does", () => {
    expect(rootOf()["request"]).toEqual({
      object: pod,
      operation: "CREATE",
      namespace: "ns",
      name: "p",
      kind: { group: "", version: "v1", kind: "Pod" },
      requestKind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      requestResource: { group: "", version: "v1", resource: "pods" },
      dryRun: false,
    });
  });

  test("shows who acts, and which service account that is", () => {
    const actor = { user: "system:serviceaccount:ci:robot", groups: ["g"], roles: ["ci:r"] };
    expect(rootOf({ actor })).toMatchObject({
      request: { userInfo: { username: actor.user, groups: ["g"] }, roles: ["ci:r"] },
      serviceAccountName: "robot",
      serviceAccountNamespace: "ci",
    });
    expect(rootOf({ actor: { user: "alice", groups: [] } })).toMatchObject({
      serviceAccountName: "",
      serviceAccountNamespace: "",
    });
  });

  test.each<[Action["actor"], JsonObject]>([
    [{ user: "alice", groups: [] }, { userInfo: { username: "alice" } }],
    [{ user: "", groups: ["g"], uid: "", extra: {} }, { userInfo: { groups: ["g"] } }],
    [
      { user: "", groups: [], roles: [], clusterRoles: ["admin"] },
      { userInfo: {}, clusterRoles: ["admin"] },
    ],
    [
      { user: "a", groups: [], uid: "1", extra: { scopes: ["x"] } },
      { userInfo: { username: "a", uid: "1", extra: { scopes: ["x"] } } },
    ],
  ])("leaves out what is empty of who acts: %j", (actor, expected) => {
    const request = rootOf({ actor })["request"];
    const { userInfo, roles, clusterRoles } = request as JsonObject;
    expect(JSON.parse(JSON.stringify({ userInfo, roles, clusterRoles }))).toEqual(expected);
  });

  test("leaves out a name that is still to be generated, in admission", () => {
    const nameless = objectOf("{apiVersion: v1, kind: Pod, metadata: {generateName: p-, namespace: ns}}");
    const named = (channel: Action["channel"]) =>
      Object.hasOwn(rootOf({ object: nameless, channel })["request"] as JsonObject, "name");
    expect([named("admission"), named("scan")]).toEqual([false, true]);
  });

  test("has no images where no container has one", () => {
    const bare = objectOf("{apiVersion: v1, kind: Pod, spec: {containers: [{name: a}]}}");
    const program = compileJmesPath("images.containers.a.path");
    const value = program.ok ? program.value(rootOf({ object: bare }), { now: () => 0, random: () => 0 }) : undefined;
    expect(value).toBeInstanceOf(NotFound);
  });

  test("has images where the object may hold some", () => {
    expect(rootOf()["images"]).toMatchObject({ containers: { a: { name: "b" } } });
    expect(Object.hasOwn(rootOf({ object: objectOf("{apiVersion: v1, kind: Service}") }), "images")).toBe(false);
  });

  test("has no object in a DELETE request but the old one", () => {
    expect(rootOf({ operation: "DELETE", object: undefined, oldObject: pod })["request"]).toMatchObject({
      oldObject: pod,
      name: "p",
    });
    expect(ruleScope(contextOf({ operation: "DELETE" }), policy, "r").deleting).toBe(true);
  });

  test("has null where an admission review carries no object", () => {
    expect(rootOf({ channel: "admission" })["request"]).toMatchObject({ object: pod, oldObject: null });
  });

  test("is made once for all rules", () => {
    const context = contextOf();
    expect(ruleScope(context, policy, "a").root).toBe(ruleScope(context, policy, "b").root);
  });

  test("is merged with the values that are given for a rule", () => {
    const supplied = (_: PolicyId, rule: string) =>
      rule === "r" ? { map: { data: { k: "v" } }, request: { object: { metadata: { labels: { a: "b" } } } } } : undefined;
    const root = rootOf({}, { supplied });
    expect(root["map"]).toEqual({ data: { k: "v" } });
    expect(root["request"]).toMatchObject({ operation: "CREATE", object: { metadata: { name: "p", labels: { a: "b" } } } });
  });
});

describe("child scopes", () => {
  const scope = ruleScope(contextOf(), policy, "r");

  test("leave their parent as it was", () => {
    const child = scope.with({ element: 1 });
    expect([child.root["element"], scope.root["element"]]).toEqual([1, undefined]);
  });

  test("compute a lazy member once, also for their children", () => {
    let computed = 0;
    const child = scope.withLazy("x", () => ++computed);
    expect(computed).toBe(0);
    expect([child.root["x"], child.with({ y: 1 }).root["x"], child.root["x"], computed]).toEqual([1, 1, 1, 1]);
  });

  test("replace members, lazy ones too", () => {
    expect(scope.with({ images: 1 }).root["images"]).toBe(1);
    expect(scope.with({ x: 1 }).withLazy("x", () => 2).root["x"]).toBe(2);
  });

  test("can look at another object", () => {
    expect(scope.withObject({ apiVersion: "v1", kind: "X" }).root["request"]).toMatchObject({
      operation: "CREATE",
      object: { kind: "X" },
    });
  });
});

test("objects merge member by member, everything else replaces", () => {
  expect(mergeInto({ a: { b: 1, c: [1] }, d: 1 }, { a: { c: [2], e: null } })).toEqual({ a: { b: 1, c: [2], e: null }, d: 1 });
  expect(mergeInto([1], { a: 1 })).toEqual({ a: 1 });
});
