import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../core/json.ts";
import { describeObject, describeRule } from "../describe.ts";
import { bound, worldOf } from "../world.testing.ts";
import { learnedProposal, replay } from "./change.ts";
import { compactRules } from "./compact.ts";
import { AuditLearner } from "./observed.ts";
import { proposeRoles } from "./propose.ts";

const me = "system:serviceaccount:a:me";

function event(verb: string, resource: string, more: JsonObject = {}): JsonObject {
  const { name, namespace, subresource, apiGroup, ...rest } = more;
  const reference = {
    resource,
    namespace: namespace ?? "a",
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(apiGroup === undefined ? {} : { apiGroup }),
  };
  return {
    kind: "Event",
    stage: "ResponseComplete",
    verb,
    user: { username: me, groups: ["system:serviceaccounts"] },
    objectRef: reference,
    responseStatus: { code: 200 },
    requestReceivedTimestamp: "2026-01-01T00:00:00Z",
    ...rest,
  };
}

function learn(...events: readonly JsonObject[]): AuditLearner {
  const learner = new AuditLearner();
  for (const e of events) learner.add(e);
  return learner;
}

describe("AuditLearner", () => {
  test.each<[string, JsonObject, object]>([
    ["a request", event("get", "pods", { name: "p" }), { verb: "get", resource: "pods", name: "p", namespace: "a" }],
    ["the name of what is created is not asked about", event("create", "pods", { name: "p" }), { verb: "create", name: "" }],
    [
      "but of a subresource it is",
      event("create", "pods", { name: "p", subresource: "exec" }),
      { name: "p", subresource: "exec" },
    ],
    [
      "a path, without its query",
      { ...event("get", ""), objectRef: null, requestURI: "/metrics?x=1" },
      { isResourceRequest: false, path: "/metrics" },
    ],
  ])("%s", (_, value, want) => expect(learn(value).requestsOf(me)[0]?.request).toMatchObject(want));

  test("who is impersonated acts", () => {
    const learner = learn({ ...event("get", "pods"), impersonatedUser: { username: "ada", groups: ["dev"] } });
    expect(learner.users()).toEqual(["ada", me]);
    expect(learner.requestsOf(me).map((r) => r.request.verb)).toEqual(["impersonate", "impersonate"]);
    expect(learner.requestsOf("ada")[0]?.request.groups).toEqual(["dev"]);
  });

  test("the same request is kept once, with its last time; a denial counts until it is allowed", () => {
    const denied = { responseStatus: { code: 403 } };
    expect(learn(event("get", "pods", denied), event("get", "pods", denied)).requestsOf(me)).toMatchObject([
      { count: 2, denied: true },
    ]);
    const later = { requestReceivedTimestamp: "2026-02-01T00:00:00Z" };
    expect(learn(event("get", "pods", later), event("get", "pods", denied)).requestsOf(me)).toMatchObject([
      { count: 2, denied: false, last: "2026-02-01T00:00:00Z" },
    ]);
  });

  test("admission's 403 is no denial of the authorizer", () => {
    const refused = { responseStatus: { code: 403 }, annotations: { "authorization.k8s.io/decision": "allow" } };
    expect(learn(event("create", "pods", refused)).requestsOf(me)[0]?.denied).toBe(false);
  });

  test("RequestReceived says nothing about the outcome", () => {
    expect(learn({ ...event("get", "pods"), stage: "RequestReceived" }).requestsOf(me)).toEqual([]);
  });

  test("lists are taken apart, other values counted", () => {
    const learner = learn({ kind: "EventList", items: [event("get", "pods"), { kind: "Pod" }] });
    expect([learner.events, learner.invalid]).toEqual([1, 1]);
  });
});

function proposal(yaml: string, ...events: readonly JsonObject[]): string[] {
  const { roles } = proposeRoles(worldOf(yaml), { user: me, requests: learn(...events).requestsOf(me) });
  return roles.map((role) => `${describeObject(role)}: ${role.rules.map(describeRule).join("; ")}`);
}

describe("proposeRoles", () => {
  const nothing = "";
  const many = (resource: string, count: number) =>
    Array.from({ length: count }, (_, i) => event("get", resource, { name: `n${i}` }));

  test.each<[string, string, readonly JsonObject[], readonly string[]]>([
    [
      "few names are written down",
      nothing,
      many("configmaps", 2),
      ["Role a/learned-a.me: get on configmaps (core) named n0, n1"],
    ],
    ["many are not", nothing, many("configmaps", 6), ["Role a/learned-a.me: get on configmaps (core)"]],
    ["those of pods change", nothing, many("pods", 1), ["Role a/learned-a.me: get on pods (core)"]],
    [
      "those of created objects, too",
      nothing,
      [event("create", "services"), event("delete", "services", { name: "s" })],
      ["Role a/learned-a.me: create, delete on services (core)"],
    ],
    ["refused requests are not granted", nothing, [event("get", "secrets", { responseStatus: { code: 403 } })], []],
    [
      "what a group gives is kept",
      bound("g", [{ verbs: "get", on: "/pods" }], ["Group=system:serviceaccounts"]),
      [event("get", "pods")],
      [],
    ],
    [
      "what a binding of one's own gives is given anew",
      bound("own", [{ verbs: "*", on: "/pods" }], ["ServiceAccount=a/me"], "a"),
      [event("list", "pods")],
      ["Role a/learned-a.me: list on pods (core)"],
    ],
    [
      "namespaces stay apart",
      nothing,
      [event("list", "pods"), event("list", "pods", { namespace: "b" })],
      ["Role a/learned-a.me: list on pods (core)", "Role b/learned-a.me: list on pods (core)"],
    ],
    [
      "one list of all is enough",
      nothing,
      [event("list", "pods"), event("list", "pods", { namespace: "" })],
      ["ClusterRole learned-a.me: list on pods (core)"],
    ],
  ])("%s", (_, yaml, events, want) => expect(proposal(yaml, ...events)).toEqual(want));

  test.each<[string, JsonObject, readonly string[]]>([
    [
      "a user and a group",
      { impersonatedUser: { username: "ada", groups: ["nlp", "system:authenticated"] } },
      ["impersonate on groups (core) named nlp", "impersonate on users (core) named ada"],
    ],
    [
      "a service account",
      {
        impersonatedUser: {
          username: "system:serviceaccount:b:app",
          groups: ["system:serviceaccounts", "system:serviceaccounts:b"],
        },
      },
      ["impersonate on serviceaccounts (core) named app"],
    ],
    [
      "constrained",
      {
        impersonatedUser: { username: "ada", groups: ["system:authenticated"] },
        authenticationMetadata: { impersonationConstraint: "impersonate:user-info" },
      },
      ["impersonate-on:user-info:list on pods (core)", "impersonate:user-info on users (authentication.k8s.io) named ada"],
    ],
  ])("whoever impersonates keeps the right to: %s", (_, more, want) => {
    const requests = learn(event("list", "pods", more)).requestsOf(me);
    const made = proposeRoles(worldOf(""), { user: me, requests });
    expect(made.roles.flatMap((role) => role.rules.map(describeRule)).sort()).toEqual([...want].sort());
    expect(learnedProposal([made]).apply.length).toBeGreaterThan(0);
  });

  test("however many are impersonated, nobody else is", () => {
    const many = Array.from({ length: 9 }, (_, i) => event("list", "pods", { impersonatedUser: { username: `u${i}` } }));
    const { roles } = proposeRoles(worldOf(""), { user: me, requests: learn(...many).requestsOf(me) });
    expect(roles.flatMap((role) => role.rules.map((rule) => rule.resourceNames.length))).toEqual([9]);
  });

  test("use and disuse, by binding and rule", () => {
    const own = bound(
      "own",
      [
        { verbs: "list,delete", on: "/pods" },
        { verbs: "get", on: "/secrets" },
      ],
      ["ServiceAccount=a/me"],
      "a",
    );
    const { replaced, unused } = proposeRoles(worldOf(own), { user: me, requests: learn(event("list", "pods")).requestsOf(me) });
    expect(replaced.map((r) => r.lastUsed)).toEqual(["2026-01-01T00:00:00Z"]);
    expect(unused.map((u) => u.rule)).toEqual(["delete on pods (core)", "get on secrets (core)"]);
  });
});

describe("learnedProposal", () => {
  const change = (subjects: readonly string[]) => {
    const world = worldOf(bound("own", [{ verbs: "*", on: "/pods" }], subjects, "a"));
    return learnedProposal([proposeRoles(world, { user: me, requests: learn(event("list", "pods")).requestsOf(me) })]);
  };

  test("a binding that is replaced for all of its subjects goes", () => {
    expect(change(["ServiceAccount=a/me"]).delete).toEqual([
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: { name: "own", namespace: "a" } },
    ]);
  });

  test("a binding that others need loses one subject", () => {
    const { apply, delete: gone } = change(["ServiceAccount=a/me", "User=eve"]);
    expect(gone).toEqual([]);
    expect(apply.at(-1)).toMatchObject({ metadata: { name: "own" }, subjects: [{ kind: "User", name: "eve" }] });
  });
});

const word = (...words: string[]) => fc.constantFrom(...words);
const requests = fc.array(
  fc.record({
    verb: word("get", "list", "create", "delete"),
    resource: word("pods", "secrets", "configmaps"),
    namespace: word("", "a", "b"),
    name: word("", "x", "y"),
    denied: fc.boolean(),
  }),
  { maxLength: 30 },
);
const worlds = fc
  .array(
    fc.record({
      verbs: word("get", "*", "list,create"),
      on: word("/pods", "/secrets", "*/*", "/configmaps"),
      who: word("ServiceAccount=a/me", "Group=system:serviceaccounts", "User=eve"),
      namespace: word("", "a", "b"),
    }),
    { maxLength: 6 },
  )
  .map((list) => list.map(({ verbs, on, who, namespace }, i) => bound(`r${i}`, [{ verbs, on }], [who], namespace)).join(""));

test("a proposal allows everything that was allowed, without wildcards, and each of its rules is needed", () => {
  fc.assert(
    fc.property(worlds, requests, (yaml, list) => {
      const events = list.map(({ verb, resource, namespace, name, denied }) =>
        event(verb, resource, { namespace, ...(name === "" ? {} : { name }), responseStatus: { code: denied ? 403 : 200 } }),
      );
      const world = worldOf(yaml);
      const learned = { user: me, requests: learn(...events).requestsOf(me) };
      const made = proposeRoles(world, learned);
      expect(replay(world, [made], [learned])).toEqual([]);
      for (const role of made.roles) {
        expect(JSON.stringify(role.rules)).not.toContain("*");
        const without = made.roles.filter((r) => r !== role);
        expect(replay(world, [{ ...made, roles: without }], [learned])).not.toEqual([]);
      }
    }),
  );
});

test("compacting rules keeps their atoms", () => {
  const rule = (verbs: string[], resources: string[], resourceNames: string[] = []) => ({
    verbs,
    apiGroups: [""],
    resources,
    resourceNames,
    nonResourceURLs: [],
  });
  expect(
    compactRules([
      rule(["list"], ["pods"]),
      rule(["get"], ["secrets"], ["b"]),
      rule(["get"], ["secrets"], ["a"]),
      rule(["list"], ["configmaps"]),
    ]).map(describeRule),
  ).toEqual(["list on configmaps, pods (core)", "get on secrets (core) named a, b"]);
});
