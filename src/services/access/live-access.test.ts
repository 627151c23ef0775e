import { describe, expect, test } from "vitest";
import { action, person } from "../../access/machine/people.testing.ts";
import type { JsonObject } from "../../core/json.ts";
import { documentOf } from "../../core/schedule/schedule.testing.ts";
import type { SourceDocument } from "../../core/source.ts";
import { LiveAccess } from "./live-access.ts";

const ada = person("ada", ["dev"]);
const rule = (name: string, more: JsonObject = {}) =>
  documentOf("AccessRule", name, {
    requesters: { groups: ["dev"] },
    verbs: ["delete"],
    resources: [{ apiGroups: [""], resources: ["pods"] }],
    role: { kind: "ClusterRole", name: "edit" },
    maxDuration: "1h",
    approvals: [{ from: ["manager-of(requester)", "on-call:ml"] }],
    ...more,
  });
const directory = (manager: string) =>
  documentOf("Directory", "people", { people: [{ id: "ada", manager }, { id: "grace" }, { id: "cem" }] });
const schedule = (person: string) =>
  documentOf("Schedule", "ml", {
    timeZone: "Etc/UTC",
    rotations: [{ name: "r", people: [person], start: "2026-01-01", days: 7 }],
  });
const guardrail = (name: string, more: JsonObject = {}) =>
  documentOf("Guardrail", name, { effect: "deny", message: "no", ...more });

const at = Date.UTC(2026, 10, 23, 10);
function live() {
  const problems: string[][] = [];
  const access = new LiveAccess({
    onCallClients: new Map(),
    now: () => at,
    onDiagnostics: (diagnostics) => problems.push(diagnostics.map(({ message }) => message)),
    onTrouble: () => {},
  });
  const offers = () => access.rules?.offers(ada, { type: "action", action: action({ at }), digest: "" }, { at });
  const set = (...documents: readonly SourceDocument[]) => access.setSource("files", documents);
  return {
    access,
    set,
    problems,
    offered: () => offers()?.map((offer) => offer.rule),
    approvers: () => offers()?.[0]?.slots[0]?.approvers.humans,
    verdicts: () => access.guardrails.judge({ action: action({ at }), person: ada, at }).map((verdict) => verdict.guardrail),
  };
}

describe("access documents in force", () => {
  test("nothing is asked for before there are any", () => {
    expect(live().access.rules).toBeUndefined();
  });

  test("they are one whole: rules, people, schedules and guardrails", () => {
    const { set, offered, approvers, verdicts, problems } = live();
    set(rule("a"), rule("b"), directory("grace"), schedule("cem"), guardrail("g"), documentOf("ConfigMap", "other", {}));
    expect([offered(), approvers(), verdicts(), problems]).toEqual([["a", "b"], ["grace", "cem"], ["g"], [[]]]);
  });

  test("a change is taken up, and told (T41)", () => {
    const { access, set, offered, approvers } = live();
    set(rule("a"), directory("grace"), schedule("cem"));
    const before = access.rules;
    let told = 0;
    access.onChange(() => told++);
    set(rule("a"), directory("cem"), schedule("grace"));
    expect([approvers(), told, access.rules === before]).toEqual([["cem", "grace"], 1, false]);
    set(directory("cem"));
    expect(offered()).toEqual([]);
  });

  test("what does not compile never replaces what did, and is told", () => {
    const { set, offered, verdicts, problems, approvers } = live();
    set(rule("a"), directory("grace"), schedule("cem"), guardrail("g"));
    set(
      rule("a", { maxDuration: "for ever" }),
      rule("b", { maxDuration: "x" }),
      directory("nobody"),
      schedule("cem"),
      guardrail("g", { when: "1" }),
    );
    expect([offered(), verdicts(), approvers()]).toEqual([["a"], ["g"], ["grace", "cem"]]);
    expect(problems[1]).toHaveLength(4);
    set(rule("a", { requesters: { groups: ["ops"] } }), directory("grace"), schedule("cem"));
    expect([offered(), verdicts()]).toEqual([[], []]);
  });

  test("a directory that contradicts itself from the start lets nobody ask", () => {
    const { access, set, offered } = live();
    set(rule("a"), directory("nobody"), schedule("cem"));
    expect([access.rules, offered()]).toEqual([undefined, undefined]);
    set(rule("a"), directory("grace"), schedule("cem"));
    expect(offered()).toEqual(["a"]);
  });

  test("several sources complete each other; of two of one name the first counts", () => {
    const { access, set, offered, problems } = live();
    set(rule("a"), directory("grace"), schedule("cem"));
    access.setSource("cluster", [rule("a", { requesters: { groups: ["ops"] } }), rule("c")]);
    expect(offered()).toEqual(["a", "c"]);
    expect(problems[1]).toEqual(["there are two AccessRule documents a; the first counts"]);
  });
});

describe("what a cluster holds counts there alone (T38)", () => {
  const inCluster = (access: LiveAccess, cluster: string) => {
    const asked = { type: "action", action: action({ at, cluster }), digest: "" } as const;
    const session = { type: "session", namespace: "ml", milliseconds: 1, mode: "gateway" } as const;
    return {
      offered: access.rules?.offers(ada, asked, { at }).map((offer) => offer.rule),
      sessions: access.rules?.offers(ada, session, { at, cluster }).map((offer) => offer.rule),
      verdicts: access.guardrails.judge({ action: action({ at, cluster }), person: ada, at }).map((verdict) => verdict.guardrail),
    };
  };

  test("rules, guardrails and schedules", () => {
    const { access, set } = live();
    set(
      rule("everywhere", { schedule: "hours" }),
      directory("grace"),
      documentOf("Schedule", "hours", { timeZone: "Etc/UTC", windows: [{ from: "03:00", to: "04:00" }] }),
    );
    access.setSource(
      "cluster:dev",
      [rule("own", { asks: ["action", "session"] }), guardrail("g"), documentOf("Schedule", "hours", { timeZone: "Etc/UTC" })],
      "dev",
    );
    expect(inCluster(access, "dev")).toEqual({ offered: ["own"], sessions: ["own"], verdicts: ["g"] });
    expect(inCluster(access, "prod")).toEqual({ offered: [], sessions: [], verdicts: [] });
    access.setSource("cluster:dev", [], "dev");
    expect(inCluster(access, "dev")).toEqual({ offered: [], sessions: [], verdicts: [] });
  });

  test("people are those of the files and of the first cluster", () => {
    const { access, set } = live();
    const people = (id: string, subject: string) =>
      documentOf("Directory", id, { people: [{ id, aliases: [{ issuer: "i", subject }] }] });
    set(people("ada", "1"));
    access.setSource("cluster:prod", [people("ben", "2")], "prod");
    access.setSource("cluster:dev", [people("eve", "3")], "dev");
    expect(["1", "2", "3"].map((subject) => access.directory.humanOfKey(`i#${subject}`))).toEqual(["ada", "ben", undefined]);
  });
});

describe("the guardrails of the gateway", () => {
  const { access, set } = live();
  set(
    directory("grace"),
    guardrail("names", { match: { resources: [{ apiGroups: [""], resources: ["pods"], resourceNames: ["db-*"] }] } }),
    guardrail("growth", {
      match: { resources: [{ apiGroups: ["apps"], resources: ["deployments"] }] },
      when: "object.spec.replicas > oldObject.spec.replicas",
    }),
    guardrail("reads", { match: { operations: ["READ"], resources: [{ apiGroups: [""], resources: ["secrets"] }] } }),
    guardrail("proxies", {
      match: { operations: ["CONNECT"], resources: [{ apiGroups: [""], resources: ["*/*"] }] },
      when: "action.verb == 'proxy'",
    }),
  );
  const deployments = { apiGroup: "apps", resource: "deployments" };
  test.each([
    { of: "a name that is known", action: { name: "db-1" }, needs: { object: false, oldObject: false }, says: ["names"] },
    { of: "another name", action: { name: "web" }, needs: undefined, says: [] },
    {
      of: "a new object, whose name is in it",
      action: { verb: "create", name: "" },
      needs: { object: true, oldObject: false },
      says: ["names"],
    },
    { of: "a change", action: { ...deployments, verb: "update" }, needs: { object: true, oldObject: true }, says: ["growth"] },
    {
      of: "a patch, whose result is not known",
      action: { ...deployments, verb: "patch" },
      needs: { object: true, oldObject: true },
      says: ["growth"],
    },
    {
      of: "a read",
      action: { verb: "list", resource: "secrets", name: "" },
      needs: { object: false, oldObject: false },
      says: ["reads"],
    },
    { of: "a read of something else", action: { verb: "list", resource: "configmaps", name: "" }, needs: undefined, says: [] },
    {
      of: "a GET through a proxy (T20)",
      action: { verb: "get", resource: "services", subresource: "proxy" },
      needs: { object: false, oldObject: false },
      says: ["proxies"],
    },
    {
      of: "an exec is no proxy (T20)",
      action: { verb: "get", resource: "pods", subresource: "exec" },
      needs: { object: false, oldObject: false },
      says: [],
    },
  ])("$of", ({ action: of, needs, says }) => {
    const call = action({ at, ...of });
    expect(access.guardrails.needs(call, ada)).toEqual(needs);
    expect(access.guardrails.judge({ action: call, person: ada, at }).map(({ guardrail: name }) => name)).toEqual(says);
  });

  test("look at objects that were read", () => {
    const deployment = (replicas: number) => ({ apiVersion: "apps/v1", kind: "Deployment", spec: { replicas } });
    const judged = (before: number, after: number) =>
      access.guardrails.judge({
        action: action({ at, ...deployments, verb: "update" }),
        person: ada,
        at,
        object: deployment(after),
        oldObject: deployment(before),
      });
    expect([judged(1, 2).length, judged(2, 1).length]).toEqual([1, 0]);
  });
});
