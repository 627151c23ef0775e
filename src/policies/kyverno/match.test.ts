import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { compileMatch, type MatchInput } from "./match.ts";
import { objectsOf } from "./policy-run.testing.ts";
import { DocumentReport } from "./report.ts";

const pod: KubernetesObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web-1",
    namespace: "shop",
    labels: { app: "web" },
    annotations: { "example.com/team": "shop-team" },
  },
};

const base: MatchInput = {
  object: pod,
  group: "",
  version: "v1",
  kind: "Pod",
  subresource: "",
  operation: "CREATE",
  actor: undefined,
  namespaceLabels: () => ({ env: "prod" }),
};

const alice = { user: "alice", groups: ["devs"], roles: ["shop:editor"], clusterRoles: ["view"] };
const robot = { user: "system:serviceaccount:ci:robot", groups: ["system:serviceaccounts"], roles: [], clusterRoles: [] };

function report(): DocumentReport {
  const [document] = objectsOf("{apiVersion: v1, kind: X}");
  if (document === undefined) throw new Error("no document");
  return new DocumentReport(document);
}

function matches(rule: { match?: JsonValue; exclude?: JsonValue }, input: Partial<MatchInput> = {}, namespace = ""): boolean {
  return compileMatch(rule, namespace, ["spec", "rules", 0], report()).matches({ ...base, ...input });
}

const resources = (description: JsonObject): JsonValue => ({ resources: description });
const pods = resources({ kinds: ["Pod"] });

describe("match.resources", () => {
  test.each<[string, JsonObject, Partial<MatchInput>, boolean]>([
    ["kind", { kinds: ["Pod"] }, {}, true],
    ["one of the kinds", { kinds: ["Deployment", "Pod"] }, {}, true],
    ["another kind", { kinds: ["Deployment"] }, {}, false],
    ["any kind", { kinds: ["*"] }, {}, true],
    ["a subresource is another kind", { kinds: ["Pod"] }, { subresource: "status" }, false],
    ["a subresource by name", { kinds: ["Pod/status"] }, { subresource: "status" }, true],
    ["ephemeral containers are pods", { kinds: ["Pod"] }, { subresource: "ephemeralcontainers" }, true],
    ["group and version", { kinds: ["apps/v1/Pod"] }, {}, false],
    ["name", { name: "web-*" }, {}, true],
    ["another name", { name: "db" }, {}, false],
    ["one of the names", { names: ["db", "web-?"] }, {}, true],
    ["namespace", { namespaces: ["shop"] }, {}, true],
    ["namespace by wildcard", { namespaces: ["sh*"] }, {}, true],
    ["another namespace", { namespaces: ["kube-system"] }, {}, false],
    ["annotations by wildcard", { annotations: { "example.com/*": "shop-*" } }, {}, true],
    ["an annotation that is missing", { annotations: { other: "*" } }, {}, false],
    ["labels", { selector: { matchLabels: { app: "web" } } }, {}, true],
    ["labels by wildcard", { selector: { matchLabels: { app: "w*" } } }, {}, true],
    ["other labels", { selector: { matchLabels: { app: "db" } } }, {}, false],
    ["labels of the namespace", { namespaceSelector: { matchLabels: { env: "prod" } } }, {}, true],
    ["other labels of the namespace", { namespaceSelector: { matchLabels: { env: "dev" } } }, {}, false],
    ["operation", { kinds: ["Pod"], operations: ["UPDATE", "CREATE"] }, {}, true],
    ["another operation", { kinds: ["Pod"], operations: ["DELETE"] }, {}, false],
    ["all parts have to hold", { kinds: ["Pod"], namespaces: ["other"] }, {}, false],
    ["nothing", {}, {}, false],
  ])("%s", (_, description, input, expected) => {
    expect(matches({ match: resources(description) }, input)).toBe(expected);
    expect(matches({ match: { any: [resources(description)] } }, input)).toBe(expected);
    expect(matches({ match: { all: [resources(description)] } }, input)).toBe(expected);
  });

  test("the name that is generated from counts where there is none yet", () => {
    const object: KubernetesObject = { apiVersion: "v1", kind: "Pod", metadata: { generateName: "job-" } };
    expect(matches({ match: resources({ name: "job-*" }) }, { object })).toBe(true);
  });

  test("a namespace is in itself, and no namespaceSelector selects it", () => {
    const object: KubernetesObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
    const input = { object, kind: "Namespace" };
    expect(matches({ match: resources({ namespaces: ["shop"] }) }, input)).toBe(true);
    expect(matches({ match: resources({ namespaceSelector: { matchLabels: { env: "prod" } } }) }, input)).toBe(false);
  });
});

describe("who acts", () => {
  test.each<[string, JsonObject, MatchInput["actor"], boolean]>([
    ["a user", { subjects: [{ kind: "User", name: "ali*" }] }, alice, true],
    ["another user", { subjects: [{ kind: "User", name: "bob" }] }, alice, false],
    ["a group", { subjects: [{ kind: "Group", name: "devs" }] }, alice, true],
    ["a service account", { subjects: [{ kind: "ServiceAccount", namespace: "ci", name: "*" }] }, robot, true],
    ["a role", { roles: ["shop:editor"] }, alice, true],
    ["another role", { roles: ["shop:admin"] }, alice, false],
    ["a cluster role", { clusterRoles: ["view", "edit"] }, alice, true],
    ["role and user together", { roles: ["shop:editor"], subjects: [{ kind: "User", name: "bob" }] }, alice, false],
    ["nobody known: the condition is dropped", { roles: ["shop:admin"] }, undefined, true],
  ])("%s", (_, user, actor, expected) => {
    expect(matches({ match: { any: [{ resources: { kinds: ["Pod"] }, ...user }] } }, { actor })).toBe(expected);
  });

  test("a block about the user alone matches nothing while nobody is known", () => {
    expect(matches({ match: { any: [{ roles: ["shop:editor"] }] } })).toBe(false);
    expect(matches({ match: { any: [{ roles: ["shop:editor"] }] } }, { actor: alice })).toBe(true);
  });
});

describe("any, all and exclude", () => {
  const byName = (name: string) => resources({ names: [name] });

  test.each<[string, { match: JsonValue; exclude?: JsonValue }, boolean]>([
    ["any: one is enough", { match: { any: [byName("db"), pods] } }, true],
    ["all: every one has to hold", { match: { all: [byName("db"), pods] } }, false],
    ["exclude any", { match: { any: [pods] }, exclude: { any: [byName("db"), byName("web-1")] } }, false],
    ["exclude any of others", { match: { any: [pods] }, exclude: { any: [byName("db")] } }, true],
    ["exclude all", { match: { any: [pods] }, exclude: { all: [byName("web-1"), byName("db")] } }, true],
    ["exclude all hold", { match: { any: [pods] }, exclude: { all: [byName("web-*"), pods] } }, false],
    ["exclude in the old form", { match: pods, exclude: byName("web-1") }, false],
    ["an empty exclude excludes nothing", { match: pods, exclude: {} }, true],
    ["exclude of a user while nobody is known", { match: pods, exclude: { any: [{ clusterRoles: ["cluster-admin"] }] } }, true],
  ])("%s", (_, rule, expected) => {
    expect(matches(rule)).toBe(expected);
  });

  test("a namespaced policy sees its own namespace only", () => {
    expect(matches({ match: pods }, {}, "shop")).toBe(true);
    expect(matches({ match: pods }, {}, "other")).toBe(false);
  });
});

describe("the index", () => {
  const compile = (match: JsonValue) => compileMatch({ match }, "", [], report());
  const kindsOf = (match: JsonValue) => compile(match).selectors.map((s) => `${s.kind}/${s.subresource}`);

  test.each<[string, JsonValue, readonly string[]]>([
    [
      "the kinds of all filters",
      { any: [pods, resources({ kinds: ["Service"] })] },
      ["Pod/", "Service/", "Pod/ephemeralcontainers"],
    ],
    ["everything where a filter names no kind", { any: [pods, resources({ names: ["x"] })] }, ["*/*"]],
    [
      "of filters that must all hold, one is enough",
      { all: [resources({ names: ["x"] }), resources({ kinds: ["Service"] })] },
      ["Service/"],
    ],
  ])("%s", (_, match, expected) => {
    expect(kindsOf(match)).toEqual(expected);
  });

  test("operations are known only where every filter names them", () => {
    const update = resources({ kinds: ["Pod"], operations: ["UPDATE"] });
    expect([...(compile({ any: [update] }).operations ?? [])]).toEqual(["UPDATE"]);
    expect(compile({ any: [update, pods] }).operations).toBeUndefined();
    expect([...(compile({ all: [pods, update] }).operations ?? [])]).toEqual(["UPDATE"]);
  });
});

describe("problems", () => {
  test.each<[string, JsonValue, string]>([
    ["any beside all", { any: [pods], all: [pods] }, "KYV_BAD_MATCH"],
    [
      "a subject of an unknown kind",
      { any: [{ ...{ resources: { kinds: ["Pod"] } }, subjects: [{ kind: "Robot" }] }] },
      "KYV_BAD_MATCH",
    ],
    ["a selector that is none", resources({ kinds: ["Pod"], selector: { matchLabels: { "a b": "c" } } }), "KYV_BAD_SELECTOR"],
  ])("%s", (_, match, code) => {
    const found = report();
    compileMatch({ match }, "", [], found);
    expect(found.diagnostics.map((d) => d.code)).toEqual([code]);
  });
});
