import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { documentOf } from "../../core/schedule/schedule.testing.ts";
import { compileSchedule } from "../../core/schedule/schedule.ts";
import { compileGuardrail, type GuardedAction } from "./guardrail.ts";

const office = documentOf("Schedule", "office", {
  timeZone: "Europe/Berlin",
  windows: [{ days: ["Mon", "Tue", "Wed", "Thu", "Fri"], from: "09:00", to: "17:00" }],
  freezes: [{ name: "year-end", from: "2026-12-20", until: "2027-01-03" }],
});
const compiledOffice = compileSchedule(office);
const schedules = new Map(compiledOffice.ok ? [["office", compiledOffice.value]] : []);
const monday = Date.parse("2026-11-23T10:00:00Z");
const sunday = Date.parse("2026-11-22T10:00:00Z");
const frozen = Date.parse("2026-12-21T10:00:00Z");

function guarded(action: Partial<GuardedAction["action"]> = {}, more: Partial<GuardedAction> = {}): GuardedAction {
  return {
    at: monday,
    object: undefined,
    oldObject: undefined,
    namespaceLabels: () => ({ stage: "prod" }),
    user: { name: "ada", groups: ["/ml/dev"], issuer: "i", subject: "1", human: "ada", email: "", team: "ml", isProgram: false },
    action: {
      cluster: "prod-eu",
      verb: "update",
      operation: "UPDATE",
      group: "apps",
      version: "v1",
      resource: "deployments",
      subresource: "",
      namespace: "ml-prod",
      namespaceLabels: {},
      name: "web",
      generateName: "",
      dryRun: false,
      ...action,
    },
    ...more,
  };
}

function guardrail(spec: JsonObject) {
  const compiled = compileGuardrail(documentOf("Guardrail", "g", { effect: "deny", message: "no", ...spec }), schedules);
  if (!compiled.ok) throw new Error(compiled.diagnostics.map((d) => d.message).join("; "));
  return compiled.value;
}

const deployments = { resources: [{ apiGroups: ["apps"], resources: ["deployments"] }] };
const deployment = (replicas: number, labels: JsonObject = {}) =>
  ({ apiVersion: "apps/v1", kind: "Deployment", metadata: { labels }, spec: { replicas } }) as GuardedAction["object"];

describe("a guardrail speaks", () => {
  test.each([
    { of: "about every write", spec: {}, action: guarded(), says: true },
    { of: "not about reads", spec: {}, action: guarded({ operation: "READ", verb: "get" }), says: false },
    {
      of: "about reads where it names them",
      spec: { match: { operations: ["READ"] } },
      action: guarded({ operation: "READ", verb: "get" }),
      says: true,
    },
    { of: "about what people do to objects", spec: {}, action: guarded({ subresource: "scale" }), says: true },
    { of: "not about what controllers do unless named", spec: {}, action: guarded({ subresource: "status" }), says: false },
    { of: "about its resources", spec: { match: deployments }, action: guarded(), says: true },
    { of: "not about others", spec: { match: deployments }, action: guarded({ resource: "statefulsets" }), says: false },
    { of: "in its namespaces", spec: { match: { namespaces: ["ml-*"] } }, action: guarded(), says: true },
    { of: "not in others", spec: { match: { namespaces: ["nlp"] } }, action: guarded(), says: false },
    { of: "not in excluded ones", spec: { match: { excludeNamespaces: ["ml-*"] } }, action: guarded(), says: false },
    {
      of: "about the Namespace itself",
      spec: { match: { namespaces: ["ml-*"] } },
      action: guarded({ group: "", resource: "namespaces", namespace: "", name: "ml-prod", operation: "DELETE" }),
      says: true,
    },
    {
      of: "where labels of the namespace fit",
      spec: { match: { namespaceSelector: { matchLabels: { stage: "prod" } } } },
      action: guarded(),
      says: true,
    },
    {
      of: "not where they do not",
      spec: { match: { namespaceSelector: { matchLabels: { stage: "dev" } } } },
      action: guarded(),
      says: false,
    },
    {
      of: "where they are not known",
      spec: { match: { namespaceSelector: { matchLabels: { stage: "dev" } } } },
      action: guarded({}, { namespaceLabels: () => undefined }),
      says: "uncertain",
    },
    {
      of: "where labels of the object fit",
      spec: { match: { objectSelector: { matchLabels: { tier: "gold" } } } },
      action: guarded({}, { object: deployment(1, { tier: "gold" }) }),
      says: true,
    },
    {
      of: "where those before the change fit",
      spec: { match: { objectSelector: { matchLabels: { tier: "gold" } } } },
      action: guarded({}, { object: deployment(1), oldObject: deployment(1, { tier: "gold" }) }),
      says: true,
    },
    {
      of: "not where neither fits",
      spec: { match: { objectSelector: { matchLabels: { tier: "gold" } } } },
      action: guarded({}, { object: deployment(1) }),
      says: false,
    },
    {
      of: "where the object was not read",
      spec: { match: { objectSelector: { matchLabels: { tier: "gold" } } } },
      action: guarded(),
      says: "uncertain",
    },
    {
      of: "about the named object",
      spec: { match: { resources: [{ ...deployments.resources[0], resourceNames: ["web"] }] } },
      action: guarded(),
      says: true,
    },
    {
      of: "not about another",
      spec: { match: { resources: [{ ...deployments.resources[0], resourceNames: ["db"] }] } },
      action: guarded(),
      says: false,
    },
    {
      of: "about a collection that may hold it",
      spec: { match: { resources: [{ ...deployments.resources[0], resourceNames: ["web"] }] } },
      action: guarded({ name: "", operation: "DELETE", verb: "deletecollection" }),
      says: true,
    },
    {
      of: "about generateName that may become it (T68)",
      spec: { match: { resources: [{ ...deployments.resources[0], resourceNames: ["web-1"] }] } },
      action: guarded({ name: "", generateName: "web-", operation: "CREATE" }),
      says: true,
    },
    {
      of: "not about generateName that cannot (T68)",
      spec: { match: { resources: [{ ...deployments.resources[0], resourceNames: ["db-*"] }] } },
      action: guarded({ name: "", generateName: "web-", operation: "CREATE" }),
      says: false,
    },
    {
      of: "about a dry run as about the real thing (T68)",
      spec: { match: deployments },
      action: guarded({ dryRun: true }),
      says: true,
    },
    { of: "about its users", spec: { subjects: { users: ["a*"] } }, action: guarded(), says: true },
    { of: "not about other users", spec: { subjects: { users: ["ben"], groups: ["/ml"] } }, action: guarded(), says: false },
    { of: "not about excluded groups", spec: { excludeSubjects: { groups: ["/ml/dev"] } }, action: guarded(), says: false },
    { of: "outside hours", spec: { schedules: { outside: ["office"] } }, action: guarded({}, { at: sunday }), says: true },
    { of: "not in them", spec: { schedules: { outside: ["office"] } }, action: guarded(), says: false },
    {
      of: "outside hours by a freeze, whenever it was approved (T47)",
      spec: { schedules: { outside: ["office"] } },
      action: guarded({}, { at: frozen }),
      says: true,
    },
    { of: "in hours", spec: { schedules: { inside: ["office"] } }, action: guarded(), says: true },
    { of: "in a freeze (T47)", spec: { schedules: { frozen: ["office"] } }, action: guarded({}, { at: frozen }), says: true },
    { of: "not without one", spec: { schedules: { frozen: ["office"] } }, action: guarded({}, { at: sunday }), says: false },
    { of: "by a schedule that there is not", spec: { schedules: { outside: ["gone"] } }, action: guarded(), says: "uncertain" },
    { of: "by one of two that is open", spec: { schedules: { outside: ["gone", "office"] } }, action: guarded(), says: false },
    {
      of: "where its condition holds",
      spec: { when: "object.spec.replicas > oldObject.spec.replicas" },
      action: guarded({}, { object: deployment(3), oldObject: deployment(1) }),
      says: true,
    },
    {
      of: "not where it does not",
      spec: { when: "object.spec.replicas > oldObject.spec.replicas" },
      action: guarded({}, { object: deployment(1), oldObject: deployment(3) }),
      says: false,
    },
    { of: "where it cannot be evaluated", spec: { when: "object.spec.replicas > 1" }, action: guarded(), says: "uncertain" },
    {
      of: "by the user's groups",
      spec: { when: "'/ml/dev' in user.groups && action.cluster.startsWith('prod')" },
      action: guarded(),
      says: true,
    },
    {
      of: "by labels in a condition",
      spec: { when: "action.namespaceLabels['stage'] == 'prod'" },
      action: guarded(),
      says: true,
    },
    { of: "by the time in a zone", spec: { when: "time.getHours('Asia/Tokyo') == 19" }, action: guarded(), says: true },
    {
      of: "about a proxy by its own verb (T20)",
      spec: { match: { resources: [{ apiGroups: [""], resources: ["*/*"] }] }, when: "action.verb == 'proxy'" },
      action: guarded({ group: "", resource: "pods", subresource: "proxy", verb: "proxy", operation: "CONNECT" }),
      says: true,
    },
  ])("$of: $says", ({ spec, action, says }) => {
    const verdict = guardrail(spec as JsonObject).judge(action);
    expect(verdict === undefined ? false : verdict.uncertain ? "uncertain" : true).toBe(says);
  });

  test("with why", () => {
    expect(
      guardrail({ schedules: { outside: ["office"] }, message: "production rests" }).judge(guarded({}, { at: sunday })),
    ).toEqual({
      guardrail: "g",
      effect: "deny",
      severity: "high",
      message:
        "production rests (it is Sun 2026-11-22 11:00 Europe/Berlin, outside office; it opens Mon 2026-11-23 09:00 Europe/Berlin)",
      uncertain: false,
    });
  });

  test.each([
    { spec: {}, sees: { object: false, oldObject: false } },
    { spec: { when: "object.spec.x" }, sees: { object: true, oldObject: false } },
    { spec: { when: "oldObject.spec.x == 1" }, sees: { object: false, oldObject: true } },
    { spec: { match: { objectSelector: { matchLabels: { a: "b" } } } }, sees: { object: true, oldObject: true } },
  ])("and says what it must see: $spec", ({ spec, sees }) => {
    expect(
      guardrail({ ...spec, ...(spec.when === "object.spec.x" ? { when: "object.spec.x == 1" } : {}) } as JsonObject).sees,
    ).toEqual(sees);
  });
});

describe("what is wrong with a guardrail has its place", () => {
  test.each([
    { spec: { effect: "forbid" }, message: expect.stringContaining("spec.effect: ") },
    { spec: { match: { resource: [] } }, message: 'spec.match.resource: unknown field "resource"' },
    { spec: { match: { operations: ["PATCH"] } }, message: expect.stringContaining("spec.match.operations[0]: ") },
    {
      spec: { match: { objectSelector: { matchExpressions: [{ key: "a", operator: "Is" }] } } },
      message: expect.stringContaining("spec.match.objectSelector.matchExpressions[0].operator: "),
    },
    { spec: { when: "user.nam == 'x'" }, message: expect.stringContaining("undefined field 'nam'") },
    { spec: { when: "risk.score > 1" }, message: expect.stringContaining("undeclared reference to 'risk'") },
    { spec: { schedules: { outside: ["gone"] } }, message: 'spec.schedules.outside[0]: there is no Schedule "gone"' },
  ])("$message", ({ spec, message }) => {
    const compiled = compileGuardrail(
      documentOf("Guardrail", "g", { effect: "deny", message: "no", ...spec } as JsonObject),
      schedules,
    );
    expect(compiled.diagnostics.map((d) => d.message)).toEqual([message]);
  });
});
