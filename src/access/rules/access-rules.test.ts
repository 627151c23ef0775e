import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { documentOf } from "../../core/schedule/schedule.testing.ts";
import type { Ask } from "../request.ts";
import { compileAccessRules } from "./access-rules.ts";
import { mostRestrictive } from "./most-restrictive.ts";
import { ada, asked, base, lookup, monday, offers, person, pods, rules } from "./rules.testing.ts";

describe("who is offered what", () => {
  const labelled = { ...base, namespaceSelector: { matchLabels: { stage: "dev" } } };
  test.each([
    { of: "a member of the group", spec: base, offered: true },
    { of: "nobody else", spec: base, who: person("1", ["/ml/ops"]), offered: false },
    {
      of: "a group with the same leaf is another (T52)",
      spec: { ...base, requesters: { groups: ["/tenant-a/admin"] } },
      who: person("1", ["/tenant-b/admin", "admin", "/tenant-a/admin/x"]),
      offered: false,
    },
    {
      of: "the exact group path (T52)",
      spec: { ...base, requesters: { groups: ["/tenant-a/admin"] } },
      who: person("1", ["/tenant-a/admin"]),
      offered: true,
    },
    { of: "a user by the exact name", spec: { ...base, requesters: { users: ["u1"] } }, offered: true },
    { of: "no user whose name begins so", spec: { ...base, requesters: { users: ["u"] } }, offered: false },
    { of: "another verb", spec: base, ask: asked({ verb: "update" }), offered: false },
    { of: "an empty verb", spec: { ...base, verbs: ["*"] }, ask: asked({ verb: "" }), offered: false },
    { of: "another resource", spec: base, ask: asked({ resource: "secrets" }), offered: false },
    { of: "another group of the API", spec: base, ask: asked({ apiGroup: "metrics.k8s.io" }), offered: false },
    { of: "a subresource is another resource", spec: base, ask: asked({ verb: "create", subresource: "exec" }), offered: false },
    {
      of: "a subresource by name",
      spec: { ...base, resources: [{ apiGroups: [""], resources: ["pods/exec"] }] },
      ask: asked({ verb: "create", subresource: "exec" }),
      offered: true,
    },
    {
      of: "* has no subresources",
      spec: { ...base, resources: [{ apiGroups: ["*"], resources: ["*"] }] },
      ask: asked({ verb: "create", subresource: "exec" }),
      offered: false,
    },
    {
      of: "*/* has",
      spec: { ...base, resources: [{ apiGroups: ["*"], resources: ["*/*"] }] },
      ask: asked({ verb: "create", subresource: "exec" }),
      offered: true,
    },
    {
      of: "GET of a proxy is no get (T20)",
      spec: { ...base, resources: [{ apiGroups: [""], resources: ["*/*"] }], verbs: ["get"] },
      ask: asked({ verb: "get", subresource: "proxy" }),
      offered: false,
    },
    {
      of: "GET of a proxy is proxy (T20)",
      spec: { ...base, resources: [{ apiGroups: [""], resources: ["pods/proxy"] }], verbs: ["proxy"] },
      ask: asked({ verb: "get", subresource: "proxy" }),
      offered: true,
    },
    { of: "a namespace by pattern", spec: { ...base, namespaces: ["ml-*"] }, offered: true },
    { of: "a namespace that does not fit", spec: { ...base, namespaces: ["nlp-*"] }, offered: false },
    {
      of: "what is in no namespace, where namespaces are named",
      spec: { ...base, namespaces: ["*"] },
      ask: asked({ namespace: "" }),
      offered: false,
    },
    {
      of: "a Namespace is in itself",
      spec: { ...base, namespaces: ["ml-*"], resources: [{ apiGroups: [""], resources: ["namespaces"] }] },
      ask: asked({ resource: "namespaces", namespace: "ml-prod", name: "ml-prod" }),
      offered: true,
    },
    { of: "labels of the namespace", spec: labelled, context: { namespaceLabels: { stage: "dev" } }, offered: true },
    { of: "other labels", spec: labelled, context: { namespaceLabels: { stage: "prod" } }, offered: false },
    { of: "labels that are not known", spec: labelled, offered: false },
    { of: "another cluster", spec: { ...base, clusters: ["dev-*"] }, offered: false },
    {
      of: "a session in another cluster",
      spec: { ...base, asks: ["session"], clusters: ["dev-*"] },
      ask: { type: "session", namespace: "ml-prod", milliseconds: 1, mode: "gateway" } as const,
      context: { cluster: "prod-eu" },
      offered: false,
    },
    {
      of: "a session in a cluster that is named",
      spec: { ...base, asks: ["session"], clusters: ["dev-*"] },
      ask: { type: "session", namespace: "ml-prod", milliseconds: 1, mode: "gateway" } as const,
      context: { cluster: "dev-1" },
      offered: true,
    },
    {
      of: "a session in a cluster that is not known",
      spec: { ...base, asks: ["session"], clusters: ["*-1"] },
      ask: { type: "session", namespace: "ml-prod", milliseconds: 1, mode: "gateway" } as const,
      offered: false,
    },
    { of: "a name that is not listed", spec: { ...base, resources: [{ ...pods[0], resourceNames: ["db-*"] }] }, offered: false },
    { of: "a listed name", spec: { ...base, resources: [{ ...pods[0], resourceNames: ["web-*"] }] }, offered: true },
    {
      of: "a whole collection, where names are listed",
      spec: { ...base, resources: [{ ...pods[0], resourceNames: ["*"] }] },
      ask: asked({ name: "" }),
      offered: false,
    },
    {
      of: "a new object's name is in the object",
      spec: { ...base, resources: [{ ...pods[0], resourceNames: ["web-*"] }] },
      ask: asked({ verb: "create", name: "" }, { after: { metadata: { name: "web-9" } } }),
      offered: true,
    },
    {
      of: "generateName within the pattern (T68)",
      spec: { ...base, resources: [{ ...pods[0], resourceNames: ["web-*"] }] },
      ask: asked({ verb: "create", name: "" }, { after: { metadata: { generateName: "web-x-" } } }),
      offered: true,
    },
    {
      of: "generateName that may leave it (T68)",
      spec: { ...base, resources: [{ ...pods[0], resourceNames: ["web-*"] }] },
      ask: asked({ verb: "create", name: "" }, { after: { metadata: { generateName: "we" } } }),
      offered: false,
    },
    {
      of: "generateName where one name is listed (T68)",
      spec: { ...base, resources: [{ ...pods[0], resourceNames: ["web-1"] }] },
      ask: asked({ verb: "create", name: "" }, { after: { metadata: { generateName: "web-" } } }),
      offered: false,
    },
    { of: "a dry run is the same action (T68)", spec: base, ask: asked({ dryRun: true, verb: "update" }), offered: false },
    { of: "a dry run of what is offered (T68)", spec: base, ask: asked({ dryRun: true }), offered: true },
    {
      of: "a URL that is no resource",
      spec: { ...base, verbs: ["*"], resources: [{ apiGroups: ["*"], resources: ["*"] }] },
      ask: asked({ isResourceRequest: false, resource: "" }),
      offered: false,
    },
    { of: "while its schedule is open", spec: { ...base, schedule: "office" }, offered: true },
    {
      of: "not while it is closed",
      spec: { ...base, schedule: "office" },
      context: { at: monday + 10 * 3_600_000 },
      offered: false,
    },
    {
      of: "approved before a freeze, used in it (T47)",
      spec: { ...base, schedule: "office" },
      context: { at: Date.parse("2026-12-21T10:00:00Z") },
      offered: false,
    },
    { of: "never by a schedule that there is not", spec: { ...base, schedule: "gone" }, offered: false },
    {
      of: "a session, where only calls are offered",
      spec: base,
      ask: { type: "session", namespace: "ml-prod", milliseconds: 1, mode: "gateway" } as const,
      offered: false,
    },
    {
      of: "a session",
      spec: { ...base, asks: ["session"], namespaces: ["ml-*"] },
      ask: { type: "session", namespace: "ml-prod", milliseconds: 1, mode: "gateway" } as const,
      offered: true,
    },
    {
      of: "a session without a namespace",
      spec: { ...base, asks: ["session"] },
      ask: { type: "session", namespace: "", milliseconds: 1, mode: "gateway" } as const,
      offered: false,
    },
    {
      of: "a session by a role binding, where that is not allowed",
      spec: { ...base, asks: ["session"] },
      ask: { type: "session", namespace: "ml-prod", milliseconds: 1, mode: "rolebinding" } as const,
      offered: false,
    },
    { of: "break-glass by an ordinary rule", spec: base, context: { breakGlass: true }, offered: false },
    { of: "an ordinary ask by a break-glass rule", spec: { ...base, breakGlass: true }, offered: false },
    { of: "break-glass", spec: { ...base, breakGlass: true }, context: { breakGlass: true }, offered: true },
  ])("$of: $offered", ({ spec, who = ada, ask = asked(), context = {}, offered }) => {
    expect(offers(spec as JsonObject, who, ask, context)).toHaveLength(offered ? 1 : 0);
  });

  const exception = (policy: string, namespace: string): Ask => ({
    type: "exception",
    policy,
    rules: [],
    object: { apiVersion: "v1", kind: "Pod", namespace, name: "web" },
    until: monday + 1000,
  });
  const exceptions = {
    requesters: { groups: ["/ml/dev"] },
    asks: ["exception"],
    policies: ["kyverno.io/*"],
    namespaces: ["ml-*"],
    maxDuration: "24h",
    approvals: base["approvals"],
  } as JsonObject;
  test.each([
    { policy: "kyverno.io/ClusterPolicy/latest", namespace: "ml-dev", offered: true },
    { policy: "policies.kyverno.io/ValidatingPolicy/latest", namespace: "ml-dev", offered: false },
    { policy: "kyverno.io/ClusterPolicy/latest", namespace: "nlp", offered: false },
  ])("an exception from $policy in $namespace: $offered", ({ policy, namespace, offered }) => {
    expect(offers(exceptions, ada, exception(policy, namespace))).toHaveLength(offered ? 1 : 0);
    expect(rules(exceptions).offersException(policy, namespace, "prod-eu")).toBe(offered);
    expect(rules(base).offersException(policy, namespace, "prod-eu")).toBe(false);
  });

  test("an exception lives no longer than was asked, a session no longer than the rule allows", () => {
    expect(offers(exceptions, ada, exception("kyverno.io/ClusterPolicy/latest", "ml-dev"))[0]?.grantMilliseconds).toBe(1000);
    const session = { type: "session", namespace: "ml-prod", milliseconds: 86_400_000, mode: "gateway" } as const;
    expect(offers({ ...base, asks: ["session"] }, ada, session)[0]?.grantMilliseconds).toBe(3_600_000);
  });
});

describe("conditions", () => {
  const conditions = [
    { name: "never-secrets", when: "action.resource == 'secrets'", result: "reject", message: "secrets are not for asking" },
    { name: "risky", when: "risk.score > 70 || risk.score < 0", result: "require", require: { from: ["group:security"] } },
    { name: "night", when: "time.getHours('Europe/Berlin') >= 20", result: "no-opinion" },
    { name: "own", when: "object == null && user.team == 'ml'", result: "approve" },
  ];
  const spec = { ...base, resources: [{ apiGroups: [""], resources: ["*"] }], conditions };
  const calm = { rbacRisk: { score: 10, reasons: [] } };
  test.each([
    { of: "a rule approves", ask: asked(), context: calm, verdict: "approve", slots: [] },
    { of: "refuses", ask: asked({ resource: "secrets" }), context: calm, verdict: "reject", slots: [] },
    {
      of: "wants more",
      ask: asked(),
      context: { rbacRisk: { score: 90, reasons: [] } },
      verdict: "require",
      slots: ["group:platform-oncall", "group:security"],
    },
    {
      of: "wants more where the risk is not known",
      ask: asked(),
      context: {},
      verdict: "require",
      slots: ["group:platform-oncall", "group:security"],
    },
    {
      of: "leaves it to people",
      ask: asked(),
      context: { ...calm, at: monday + 11 * 3_600_000 },
      verdict: "no-opinion",
      slots: ["group:platform-oncall"],
    },
    {
      of: "leaves it to people where nothing holds",
      ask: asked({}, { after: {} }),
      context: calm,
      verdict: "no-opinion",
      slots: ["group:platform-oncall"],
    },
  ])("$of: $verdict", ({ ask, context, verdict, slots }) => {
    const [offer] = offers(spec as JsonObject, ada, ask, context);
    expect([offer?.verdict, offer?.slots.map(({ name }) => name)]).toEqual([verdict, slots]);
  });

  test("one that cannot be evaluated refuses", () => {
    const [offer] = offers(
      { ...base, autoApprove: true, conditions: [{ name: "c", when: "object.spec.replicas > 1", result: "reject" }] },
      ada,
      asked(),
    );
    expect(offer).toMatchObject({ verdict: "reject", because: expect.stringContaining("could not be evaluated") });
  });

  test("break-glass is approved at once with a reason, unless a condition refuses", () => {
    const glass = { ...spec, breakGlass: true };
    const verdictOf = (resource: string) => offers(glass as JsonObject, ada, asked({ resource }), { breakGlass: true })[0];
    expect(verdictOf("pods")).toMatchObject({ verdict: "approve", reasonRequired: true, breakGlass: true });
    expect(verdictOf("secrets")?.verdict).toBe("reject");
  });
});

describe("several rules", () => {
  const auto = { ...base, approvals: undefined, autoApprove: true, maxDuration: "8h" } as JsonObject;
  const always = (result: string, more: JsonObject = {}): JsonObject => ({
    ...base,
    conditions: [{ name: "c", when: "true", result, ...more }],
  });
  const verdict = (...specs: JsonObject[]) => mostRestrictive(rules(...specs).offers(ada, asked(), { at: monday }));
  test.each([
    {
      of: "approve and require (T42)",
      specs: [auto, always("require", { require: { from: ["group:x"] } })],
      want: ["require", ["group:platform-oncall", "group:x"], "r2"],
    },
    { of: "approve and people (T42)", specs: [auto, base], want: ["no-opinion", ["group:platform-oncall"], "r2"] },
    {
      of: "approve, require and reject (T42)",
      specs: [auto, always("require", { require: { from: ["group:x"] } }), always("reject")],
      want: ["reject", [], "r3"],
    },
    { of: "approve twice", specs: [auto, auto], want: ["approve", [], "r1"] },
    { of: "people twice: each slot once", specs: [base, base], want: ["no-opinion", ["group:platform-oncall"], "r1"] },
  ])("$of", ({ specs, want }) => {
    const offer = verdict(...specs);
    expect([offer?.verdict, offer?.slots.map(({ name }) => name), offer?.rule]).toEqual(want);
  });

  test("the shortest time of all counts", () => {
    expect(verdict(auto, base)?.grantMilliseconds).toBe(3_600_000);
  });

  test("no rule: no access (T42)", () => {
    expect(mostRestrictive([])).toBeUndefined();
    expect(mostRestrictive(rules(base).offers(ada, asked({ verb: "update" }), { at: monday }))).toBeUndefined();
  });

  test("to choose a lenient rule by name does not help (T42)", () => {
    const offered = rules(auto, always("reject")).offers(ada, asked(), { at: monday });
    expect(mostRestrictive(offered, "r1")).toMatchObject({ rule: "r1", verdict: "reject" });
    expect(mostRestrictive(offered, "r9")).toBeUndefined();
  });

  test("a rule that is written otherwise is the same version, one that says otherwise is another (T41)", () => {
    const version = (spec: JsonObject) => offers(spec, ada, asked())[0]?.version;
    const turned = Object.fromEntries(Object.entries(base).reverse());
    expect(version(turned)).toBe(version(base));
    expect(version({ ...base, maxDuration: "30m" })).not.toBe(version(base));
  });

  test("who loses the group is offered nothing any more (T41)", () => {
    expect(offers(base, person("1", []), asked())).toEqual([]);
  });
});

describe("what is wrong with a rule has its place", () => {
  const { role: _, ...roleless } = base;
  const { approvals: __, ...open } = base;
  test.each([
    { spec: { ...base, requesters: {} }, message: "spec.requesters: nobody may ask" },
    { spec: roleless, message: "spec.role: is missing: the grant has to give something" },
    { spec: open, message: "spec.approvals: nobody could approve: name approvers, or say autoApprove or breakGlass" },
    { spec: { ...base, approvals: [] }, message: expect.stringContaining("spec.approvals: ") },
    { spec: { ...base, approvals: [{ from: [] }] }, message: expect.stringContaining("spec.approvals[0].from: ") },
    {
      spec: { ...base, approvals: [{ from: ["platform"] }] },
      message: 'spec.approvals[0].from[0]: "platform" names no approvers',
    },
    {
      spec: { ...base, approvals: [{ from: ["group:system:authenticated"] }] },
      message: 'spec.approvals[0].from[0]: "group:system:authenticated" names no approvers',
    },
    {
      spec: { ...base, approvals: [{ from: ["group:g"], count: 0 }] },
      message: expect.stringContaining("spec.approvals[0].count: "),
    },
    { spec: { ...base, maxDuration: "one hour" }, message: "spec.maxDuration: must be a duration, as 90s, 30m or 8h" },
    { spec: { ...base, maxDuration: "0s" }, message: "spec.maxDuration: must be longer than nothing" },
    { spec: { ...base, maxDurations: "1h" }, message: 'spec.maxDurations: unknown field "maxDurations"' },
    {
      spec: { ...base, namespaceSelector: { matchLabel: {} } },
      message: 'spec.namespaceSelector.matchLabel: unknown field "matchLabel"',
    },
    {
      spec: { ...base, conditions: [{ name: "c", when: "action.verbb == 'x'", result: "reject" }] },
      message: expect.stringContaining("undefined field 'verbb'"),
    },
    {
      spec: { ...base, conditions: [{ name: "c", when: "action.verb", result: "reject" }] },
      message: "spec.conditions[0].when: must be bool, but is string",
    },
    {
      spec: { ...base, conditions: [{ name: "c", when: "true", result: "require" }] },
      message: "spec.conditions[0].require: stands with the result require, and only there",
    },
    { spec: { ...open, breakGlass: true }, message: "spec.approvals: somebody has to review break-glass afterwards" },
    { spec: { ...base, asks: ["exception"] }, message: "spec.policies: is missing" },
  ])("$message", ({ spec, message }) => {
    const compiled = compileAccessRules([documentOf("AccessRule", "r", spec as JsonObject)], lookup);
    expect(compiled.diagnostics.filter((d) => d.severity === "error").map((d) => d.message)).toEqual([message]);
    expect(compiled.ok && compiled.value).toEqual([]);
  });
});
