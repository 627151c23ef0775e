import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { type Asker, canI } from "./can-i.ts";
import { effectiveGroups, Identities, readIdentities, userName } from "./identities.ts";
import { matrix } from "./matrix.ts";
import { holdersOf } from "./who-can.ts";
import { bound, defaultsFrom, worldOf } from "./world.testing.ts";

const world = worldOf(
  bound("reader", [{ verbs: "get,list", on: "/pods,/pods/log" }], ["Group=nlp", "ServiceAccount=ops/bot"], "nlp") +
    bound("named", [{ verbs: "get", on: "/secrets", names: "api-key" }], ["User=ada"], "nlp") +
    bound("nodes", [{ verbs: "list", on: "/nodes" }], ["User=ada"]),
);

function ask(
  asker: Asker,
  verb: string,
  resource: string,
  more: { namespace?: string; name?: string; subresource?: string } = {},
) {
  const question = {
    verb,
    resource,
    apiGroup: "",
    isResourceRequest: true,
    path: "",
    namespace: "nlp",
    name: "",
    subresource: "",
    ...more,
  };
  return canI(world, asker, question, new Identities(new Map([["grace", ["nlp"]]])));
}

const ada = { user: "ada", groups: [] };

describe("canI", () => {
  test.each<[string, boolean, ReturnType<typeof ask>]>([
    ["a group that was named", true, ask({ user: "x", groups: ["nlp"] }, "get", "pods")],
    ["a group that the identities name", true, ask({ user: "grace", groups: undefined }, "get", "pods")],
    [
      "a service account from another namespace",
      true,
      ask({ user: "system:serviceaccount:ops:bot", groups: undefined }, "get", "pods"),
    ],
    ["another namespace", false, ask({ user: "grace", groups: undefined }, "get", "pods", { namespace: "vision" })],
    ["a subresource that is named", true, ask({ user: "grace", groups: undefined }, "get", "pods", { subresource: "log" })],
    ["a subresource that is not", false, ask({ user: "grace", groups: undefined }, "get", "pods", { subresource: "exec" })],
    ["a pod named log", true, ask({ user: "grace", groups: undefined }, "get", "pods", { name: "log" })],
    ["an object by name", true, ask(ada, "get", "secrets", { name: "api-key" })],
    ["another object", false, ask(ada, "get", "secrets", { name: "other" })],
    ["all objects", false, ask(ada, "get", "secrets")],
    ["system:masters", true, ask({ user: "root", groups: ["system:masters"] }, "delete", "nodes")],
  ])("%s", (_, allowed, answer) => expect(answer.allowed).toBe(allowed));

  test("a person of unknown groups: which would do", () => {
    expect(ask({ user: "x", groups: undefined }, "get", "pods").allowedGroups).toEqual(["nlp"]);
    expect(ask({ user: "x", groups: [] }, "get", "pods").allowedGroups).toEqual([]);
  });

  test.each([
    ["delete", "pods", {}, ["the verb delete"], { user: "grace", groups: undefined }],
    ["get", "pods", { subresource: "exec" }, ["the resource pods/exec"], { user: "grace", groups: undefined }],
    ["get", "secrets", { name: "other" }, ["the name other"], ada],
    ["get", "secrets", {}, ["objects other than those it names"], ada],
  ])("nearest miss of %s %s %j", (verb, resource, more, lacks, asker) => {
    expect(ask(asker, verb, resource, more).nearest?.lacks).toEqual(lacks);
  });

  test("a rule about something else is no near miss", () => {
    expect(ask(ada, "create", "configmaps").nearest).toBeUndefined();
  });
});

describe("identities", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["ada", ["nlp"], ["nlp", "system:authenticated"]],
    ["system:anonymous", [], ["system:unauthenticated"]],
    ["system:serviceaccount:a:b", [], ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"]],
    ["system:serviceaccount:a:b", ["only"], ["only", "system:authenticated"]],
  ])("groups of %s with %j", (user, named, groups) => expect(effectiveGroups(user, named)).toEqual(groups));

  test.each([
    ["sa:a:b", "system:serviceaccount:a:b"],
    ["serviceaccount:a/b", "system:serviceaccount:a:b"],
    ["ada@example.com", "ada@example.com"],
  ])("user name of %s", (text, user) => expect(userName(text)).toBe(user));

  test("malformed entries are named, the rest counts", () => {
    const { documents } = parseDocuments(
      "kind: Identities\nusers:\n- {name: ada, groups: [a]}\n- {groups: [b]}\n- {name: eve, groups: a}\n",
      "i.yaml",
    );
    const read = readIdentities(documents);
    expect(read.diagnostics.map((d) => `${d.code} ${d.message} ${d.span?.start.line}`)).toEqual([
      "IDENTITIES_INVALID a user has no name 4",
      "IDENTITIES_INVALID groups of eve is not a list of strings 5",
    ]);
    expect(read.ok && read.value.groupsOf("ada")).toEqual(["a"]);
  });
});

describe("holdersOf", () => {
  const request = {
    user: "",
    groups: [],
    verb: "get",
    isResourceRequest: true,
    path: "",
    apiGroup: "",
    resource: "pods",
    subresource: "",
    name: "",
  };
  const identities = new Identities(new Map([["grace", ["nlp"]]]));

  test.each<[string, Parameters<typeof holdersOf>[2], readonly string[]]>([
    ["in one namespace", { namespace: "nlp" }, ["nlp grace", "bot "]],
    ["in another", { namespace: "vision" }, []],
    ["anywhere", "anywhere", ["nlp grace", "bot "]],
  ])("%s", (_, scope, want) => {
    const { holders } = holdersOf(world, { ...request, namespace: "" }, scope, identities);
    expect(holders.map((h) => `${h.subject.name} ${h.members.join()}`)).toEqual(want);
  });

  test("a binding to a role that is not there is named", () => {
    const dangling = worldOf(`apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: a}
roleRef: {kind: Role, name: gone}
subjects: [{kind: User, name: u}]
`);
    const { unresolved } = holdersOf(dangling, { ...request, namespace: "a" }, { namespace: "a" }, identities);
    expect(unresolved).toEqual(["RoleBinding a/b: Role gone is not among the objects"]);
  });
});

const defaults = defaultsFrom(`apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: view}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to-view: "true"}}]}
`);

describe("rbacWorld", () => {
  const binding = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {kind: ClusterRole, name: cluster-admin}
subjects: [{kind: User, name: u}]
`;

  test("manifests may bind the default roles", () => {
    expect(matrix(worldOf(binding, { defaults }), false)).toEqual([{ subject: "User u", cells: { "cluster-admin": ["*"] } }]);
  });

  test("a whole cluster holds what it holds", () => {
    expect(matrix(worldOf(binding, { defaults, complete: true }), false)).toEqual([]);
  });

  test("a role of a manifest joins a default aggregation; a stored one keeps its rules", () => {
    const part = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {to-view: "true"}}
rules: [{apiGroups: [a], resources: [b], verbs: [get]}]
`;
    const stored = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: view, resourceVersion: "7"}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to-view: "true"}}]}
rules: [{apiGroups: [c], resources: [d], verbs: [get]}]
`;
    const groups = (yaml: string) =>
      worldOf(yaml, { defaults })
        .index.role("ClusterRole", "", "view")
        ?.rules.flatMap((r) => r.apiGroups);
    expect(groups(part)).toEqual(["a"]);
    expect(groups(part + stored)).toEqual(["c"]);
  });
});
