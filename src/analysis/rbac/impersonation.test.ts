import { describe, expect, test } from "vitest";
import type { RequestAttributes } from "../../core/request-attributes.ts";
import { type Authorizer, type Impersonation, impersonate, impersonateLegacy, type Requestor } from "./impersonation.ts";
import { type HeaderFields, wantedUser } from "./impersonation-headers.ts";

const gateway: Requestor = { user: "system:serviceaccount:gw:proxy", groups: [], extra: {} };
const listPods: RequestAttributes = {
  user: gateway.user,
  groups: [],
  verb: "list",
  isResourceRequest: true,
  path: "",
  namespace: "a",
  apiGroup: "",
  resource: "pods",
  subresource: "",
  name: "",
};
const user = (name: string): readonly [string, string] => ["Impersonate-User", name];
const group = (name: string): readonly [string, string] => ["Impersonate-Group", name];

/** `verb resource[/subresource] name`; allows what is listed, `*` for any name, and keeps what was asked. */
function authorizer(...allowed: readonly string[]): Authorizer & { readonly asked: string[] } {
  const asked: string[] = [];
  const judge = ({ verb, resource, subresource, name }: RequestAttributes) => {
    const what = `${verb} ${resource}${subresource === "" ? "" : `/${subresource}`}`;
    asked.push(`${what} ${name}`.trim());
    return { allowed: allowed.includes(`${what} ${name}`.trim()) || allowed.includes(`${what} any`), reason: "" };
  };
  return Object.assign(judge, { asked });
}

function outcome(result: Impersonation): string {
  switch (result.kind) {
    case "none":
      return "none";
    case "refused":
      return `${result.status} ${result.message}`;
    case "allowed":
      return `${result.constraint === "" ? "legacy" : result.constraint}: ${result.user.user} in ${result.user.groups.join(", ")}`;
  }
}

describe("the wanted user", () => {
  test.each<[string, HeaderFields, object]>([
    ["names are case-insensitive", [["impersonate-USER", "ada"]], { user: "ada" }],
    ["the first user counts", [user("ada"), user("eve")], { user: "ada" }],
    ["groups in their order", [user("ada"), group("b"), group("a")], { groups: ["b", "a"] }],
    ["a comma is no list", [user("ada"), group("a, b")], { groups: ["a, b"] }],
    ["the identifier", [user("ada"), ["Impersonate-Uid", "7"]], { uid: "7" }],
    [
      "extra keys are lower case and decoded",
      [
        ["Impersonate-Extra-Example.com%2FTeam", "nlp"],
        ["impersonate-extra-example.com%2fteam", "vision"],
      ],
      { extra: new Map([["example.com/team", ["nlp", "vision"]]]) },
    ],
    ["a key that cannot be decoded stays", [["Impersonate-Extra-A%zz", "1"]], { extra: new Map([["a%zz", ["1"]]]) }],
  ])("%s", (_, headers, want) => expect(wantedUser(headers)).toMatchObject(want));
});

describe("constrained impersonation", () => {
  const on = (mode: string) => `impersonate-on:${mode}:list pods`;
  test.each<[string, HeaderFields, readonly string[], string]>([
    ["nobody", [], [], "none"],
    [
      "a user, allowed for this request",
      [user("ada")],
      [on("user-info"), "impersonate:user-info users ada"],
      "impersonate:user-info: ada in system:authenticated",
    ],
    [
      "the user alone, not the request",
      [user("ada")],
      ["impersonate:user-info users ada"],
      '403 pods is forbidden: User "system:serviceaccount:gw:proxy" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "a"',
    ],
    [
      "a service account, as itself",
      [user("system:serviceaccount:b:app")],
      [on("serviceaccount"), "impersonate:serviceaccount serviceaccounts app"],
      "impersonate:serviceaccount: system:serviceaccount:b:app in system:serviceaccounts, system:serviceaccounts:b, system:authenticated",
    ],
    [
      "a service account is no user",
      [user("system:serviceaccount:b:app")],
      [on("user-info"), "impersonate:user-info users any"],
      '403 pods is forbidden: User "system:serviceaccount:gw:proxy" cannot impersonate-on:serviceaccount:list resource "pods" in API group "" in the namespace "a"',
    ],
    [
      "a node",
      [user("system:node:n1")],
      [on("arbitrary-node"), "impersonate:arbitrary-node nodes n1"],
      "impersonate:arbitrary-node: system:node:n1 in system:nodes, system:authenticated",
    ],
    [
      "masters are never constrained",
      [user("ada"), group("system:masters")],
      [on("user-info"), "impersonate:user-info users any", "impersonate:user-info groups any"],
      '403 groups.authentication.k8s.io "system:masters" is forbidden: User "system:serviceaccount:gw:proxy" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
    ],
    ["legacy grants still do", [user("ada")], ["impersonate users ada"], "legacy: ada in system:authenticated"],
    [
      "legacy grants still allow masters",
      [user("ada"), group("system:masters")],
      ["impersonate users any", "impersonate groups any"],
      "legacy: ada in system:masters, system:authenticated",
    ],
  ])("%s", (_, headers, allowed, want) => {
    expect(outcome(impersonate(headers, gateway, listPods, authorizer(...allowed)))).toBe(want);
  });

  test("groups without a user are an error, not nobody", () => {
    expect(outcome(impersonate([group("a")], gateway, listPods, authorizer()))).toBe(
      '400 requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a"}, Extra:map[string][]string(nil)} without impersonating a user name',
    );
  });

  test("many groups are asked about at once first", () => {
    const many = authorizer(on("user-info"), "impersonate:user-info users ada", "impersonate:user-info groups *");
    const headers = [user("ada"), ...["a", "b", "c", "d"].map(group)];
    expect(outcome(impersonate(headers, gateway, listPods, many))).toContain("impersonate:user-info: ada in a, b, c, d");
    expect(many.asked).toEqual([on("user-info"), "impersonate:user-info users ada", "impersonate:user-info groups *"]);
  });

  test("the node of a service account's own pod", () => {
    const agent = { ...gateway, extra: { "authentication.kubernetes.io/node-name": ["n1"] } };
    const allowing = () => authorizer(on("associated-node"), "impersonate:associated-node nodes *");
    expect(outcome(impersonate([user("system:node:n1")], agent, listPods, allowing()))).toBe(
      "impersonate:associated-node: system:node:n1 in system:nodes, system:authenticated",
    );
    expect(outcome(impersonate([user("system:node:n2")], agent, listPods, allowing()))).toMatch(/^403 /);
  });

  test.each<[string, string, string]>([
    ["no domain", "Impersonate-Extra-Team", "must be a domain-prefixed path"],
    ["an empty value", "Impersonate-Extra-Example.com%2Fteam", "the empty string value in extra is not allowed"],
  ])("extra with %s", (_, name, message) => {
    const allowing = authorizer(on("user-info"), "impersonate:user-info users ada");
    expect(outcome(impersonate([user("ada"), [name, ""]], gateway, listPods, allowing))).toContain(message);
  });
});

describe("impersonation before 1.36", () => {
  test("each part is asked about by the verb impersonate", () => {
    const all = authorizer(
      "impersonate users ada",
      "impersonate groups a",
      "impersonate userextras/example.com/team nlp",
      "impersonate uids 7",
    );
    const headers: HeaderFields = [
      user("ada"),
      group("a"),
      ["Impersonate-Extra-Example.com%2Fteam", "nlp"],
      ["Impersonate-Uid", "7"],
    ];
    expect(outcome(impersonateLegacy(headers, gateway, all))).toBe("legacy: ada in a, system:authenticated");
    expect(all.asked).toHaveLength(4);
  });

  test("one part that is not allowed refuses", () => {
    expect(outcome(impersonateLegacy([user("ada"), group("a")], gateway, authorizer("impersonate users ada")))).toBe(
      '403 groups "a" is forbidden: User "system:serviceaccount:gw:proxy" cannot impersonate resource "groups" in API group "" at the cluster scope',
    );
  });

  test("nobody keeps the anonymous out of the authenticated", () => {
    const allowing = authorizer("impersonate users any");
    expect(outcome(impersonateLegacy([user("system:anonymous")], gateway, allowing))).toBe(
      "legacy: system:anonymous in system:unauthenticated",
    );
  });
});
