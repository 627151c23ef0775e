import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RequestAttributes } from "../../core/request-attributes.ts";
import { aggregate } from "./aggregation.ts";
import { authorize, rulesFor, whoCan } from "./authorize.ts";
import { atomsOf, covers, missingFrom } from "./covers.ts";
import { describeRule } from "./describe.ts";
import type { Role } from "./objects.ts";
import { emptyRule, type PolicyRule, ruleAllows, urlHolds } from "./policy-rule.ts";
import { bound, worldOf } from "./world.testing.ts";

const rule = (verbs: string, resources: string, more: Partial<PolicyRule> = {}): PolicyRule => ({
  ...emptyRule,
  verbs: verbs.split(","),
  apiGroups: [""],
  resources: resources.split(","),
  ...more,
});
const request: RequestAttributes = {
  user: "ada",
  groups: [],
  verb: "get",
  isResourceRequest: true,
  path: "",
  namespace: "a",
  apiGroup: "",
  resource: "pods",
  subresource: "",
  name: "",
};

describe("ruleAllows", () => {
  test.each<[PolicyRule, Partial<RequestAttributes>, boolean]>([
    [rule("get", "pods"), {}, true],
    [rule("*", "*"), { subresource: "exec" }, true],
    [rule("get", "pods"), { subresource: "log" }, false],
    [rule("get", "pods/log"), { subresource: "log" }, true],
    [rule("get", "pods/log"), {}, false],
    [rule("get", "pods/*"), { subresource: "log" }, false],
    [rule("get", "*/log"), { subresource: "log" }, true],
    [rule("get", "pods", { apiGroups: ["apps"] }), {}, false],
    [rule("get", "pods", { resourceNames: ["x"] }), { name: "x" }, true],
    [rule("get", "pods", { resourceNames: ["x"] }), {}, false],
    [rule("get", "pods", { resourceNames: ["*"] }), { name: "x" }, false],
    [rule("Get", "pods"), {}, false],
  ])("%j %j", (held, more, want) => expect(ruleAllows(held, { ...request, ...more })).toBe(want));

  test.each([
    ["/healthz", "/healthz", true],
    ["/healthz", "/healthz/etcd", false],
    ["/healthz/*", "/healthz/etcd", true],
    ["/healthz/*", "/healthz", false],
    ["/health*", "/healthz", true],
    ["*", "/anything", true],
    ["/a*b", "/axb", false],
  ])("%s holds %s: %s", (url, path, want) => expect(urlHolds(url, path)).toBe(want));
});

describe("authorize", () => {
  const { index } = worldOf(
    bound("r", [{ verbs: "get", on: "/pods" }], ["User=ada", "ServiceAccount=/bot"], "a") +
      bound("c", [{ verbs: "list", on: "/nodes" }], ["ServiceAccount=/bot"]),
  );

  test.each<[string, Partial<RequestAttributes>, string]>([
    ["a binding", {}, 'RBAC: allowed by RoleBinding "r/a" of Role "r" to User "ada"'],
    [
      "an account of the binding's own namespace",
      { user: "system:serviceaccount:a:bot" },
      'RBAC: allowed by RoleBinding "r/a" of Role "r" to ServiceAccount "bot/a"',
    ],
    [
      "an account of no namespace never matches in the whole cluster",
      { user: "system:serviceaccount::bot", verb: "list", resource: "nodes", namespace: "" },
      "",
    ],
    ["RoleBindings do not reach what is in no namespace", { namespace: "" }, ""],
    ["superusers are not asked", { user: "root", groups: ["system:masters"] }, "member of system:masters"],
  ])("%s", (_, more, reason) => expect(authorize(index, { ...request, ...more }).reason).toBe(reason));

  test("who can, and by which rules", () => {
    expect(whoCan(index, request).subjects.map((s) => s.name)).toEqual(["system:masters", "ada", "bot"]);
    expect(rulesFor(index, "ada", [], "a").rules.map(describeRule)).toEqual(["get on pods (core)"]);
  });

  test("changes take effect at once", () => {
    const world = worldOf(bound("r", [{ verbs: "get", on: "/pods" }], ["User=ada"], "a"));
    const decide = () => authorize(world.index, request).decision;
    const [binding] = world.index.bindings();
    expect(decide()).toBe("allow");
    world.index.removeBinding("RoleBinding", "a", "r");
    expect(decide()).toBe("no-opinion");
    if (binding !== undefined) world.index.putBinding(binding);
    expect(decide()).toBe("allow");
    world.index.removeRole("Role", "a", "r");
    expect(authorize(world.index, request)).toEqual({ decision: "no-opinion", reason: "RBAC: role not found" });
  });
});

describe("covers", () => {
  test.each<[string, PolicyRule[], PolicyRule[], readonly string[]]>([
    ["itself", [rule("get", "pods")], [rule("get", "pods")], []],
    ["parts from two rules", [rule("get", "pods"), rule("list", "pods")], [rule("get,list", "pods")], []],
    [
      "one atom from two rules is not",
      [rule("get", "pods"), rule("list", "secrets")],
      [rule("list", "pods")],
      ["list on pods (core)"],
    ],
    [
      "a star does not follow from everything",
      [rule("get,list,watch,create,update,patch,delete", "pods")],
      [rule("*", "pods")],
      ["* on pods (core)"],
    ],
    ["names", [rule("get", "pods", { resourceNames: ["x"] })], [rule("get", "pods")], ["get on pods (core)"]],
    ["a subresource by */", [rule("get", "*/log")], [rule("get", "pods/log")], []],
  ])("%s", (_, owned, asked, missing) => expect(missingFrom(owned, asked).map(describeRule)).toEqual(missing));

  const words = (...list: string[]) => fc.uniqueArray(fc.constantFrom(...list), { minLength: 1 });
  const rules = fc.array(
    fc.record({
      verbs: words("get", "list", "*"),
      apiGroups: words("", "apps", "*"),
      resources: words("pods", "pods/log", "*/log", "*"),
      resourceNames: fc.uniqueArray(fc.constantFrom("x", "y")),
      nonResourceURLs: fc.constant([]),
    }),
    { maxLength: 3 },
  );

  test("rules cover themselves and their atoms; whoever covers allows", () => {
    const questions = ["get", "list"].flatMap((verb) =>
      ["", "apps"].flatMap((apiGroup) =>
        ["", "log"].flatMap((subresource) => ["", "x"].map((name) => ({ ...request, verb, apiGroup, subresource, name }))),
      ),
    );
    fc.assert(
      fc.property(rules, rules, (a, b) => {
        expect(covers(a, a) && covers(a, a.flatMap(atomsOf)) && covers(a.flatMap(atomsOf), a)).toBe(true);
        if (!covers(a, b)) return;
        for (const q of questions) if (b.some((r) => ruleAllows(r, q))) expect(a.some((r) => ruleAllows(r, q))).toBe(true);
      }),
    );
  });
});

describe("aggregate", () => {
  const role = (name: string, labels: Role["labels"], rules: PolicyRule[], selects?: string): Role => ({
    kind: "ClusterRole",
    namespace: "",
    name,
    labels,
    rules,
    aggregationSelectors: selects === undefined ? undefined : [{ matchLabels: { [selects]: "true" } }],
    document: undefined,
  });
  const rulesOf = (roles: readonly Role[], name: string) =>
    aggregate(roles)
      .find((r) => r.name === name)
      ?.rules.map(describeRule);

  test("rules of matches, by name, each once, through chains, without itself", () => {
    const roles = [
      role("view", { edit: "true" }, [], "view"),
      role("edit", { edit: "true" }, [rule("delete", "gone")], "edit"),
      role("b", { view: "true" }, [rule("get", "pods"), rule("get", "nodes")]),
      role("a", { view: "true", edit: "true" }, [rule("get", "pods")]),
    ];
    expect(rulesOf(roles, "view")).toEqual(["get on pods (core)", "get on nodes (core)"]);
    expect(rulesOf(roles, "edit")).toEqual(["get on pods (core)", "get on nodes (core)"]);
    expect(rulesOf(roles, "a")).toEqual(["get on pods (core)"]);
  });

  test("an empty selector list gives nothing", () => {
    expect(aggregate([{ ...role("x", {}, [rule("get", "pods")]), aggregationSelectors: [] }])[0]?.rules).toEqual([]);
  });
});
