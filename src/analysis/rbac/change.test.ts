import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { authorizeByRules } from "./authorize.ts";
import { dedupe, describeRedundancy } from "./dedupe.ts";
import { describeObject } from "./describe.ts";
import { describeChange, diffRbac } from "./diff.ts";
import { Identities } from "./identities.ts";
import type { Binding, Role } from "./objects.ts";
import { RbacIndex } from "./rbac-index.ts";
import { instantiate, templateNames } from "./template.ts";
import { bound, type RuleText, worldOf } from "./world.testing.ts";

const rule = (verbs: string, on: string): RuleText => ({ verbs, on });
const nobody = new Identities();

function changes(before: string, after: string): readonly string[] {
  return diffRbac(worldOf(before), worldOf(after), nobody).changes.flatMap(describeChange);
}

describe("diffRbac", () => {
  const ada = (verbs: string, namespace = "a", name = "r") => bound(name, [rule(verbs, "/pods")], ["User=ada"], namespace);

  test.each<[string, string, string, readonly string[]]>([
    ["nothing", ada("get"), ada("get"), []],
    ["another name", ada("get"), ada("get", "a", "renamed"), []],
    ["a verb more", ada("get"), ada("get,list"), ["User ada in namespace a", "  + list on pods (core)"]],
    ["a verb less", ada("get,list"), ada("list"), ["User ada in namespace a", "  - get on pods (core)"]],
    ["two roles instead of one", ada("get,list"), ada("get") + ada("list", "a", "s"), []],
    [
      "the whole cluster instead of a namespace",
      ada("get"),
      ada("get", ""),
      ["User ada in the whole cluster", "  + get on pods (core)"],
    ],
    [
      "a namespace instead of the whole cluster",
      ada("get", ""),
      ada("get"),
      ["User ada in the whole cluster", "  - get on pods (core)"],
    ],
    ["a star that covers it", ada("get"), ada("*"), ["User ada in namespace a", "  + * on pods (core)"]],
  ])("%s", (_, before, after, want) => expect(changes(before, after)).toEqual(want));

  test("a binding whose role is not there is named", () => {
    const binding =
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: a}\nroleRef: {kind: Role, name: gone}\n";
    expect(diffRbac(worldOf(binding), worldOf(""), nobody).unresolved).toEqual(["RoleBinding a/b: there is no Role gone"]);
  });
});

describe("dedupe", () => {
  const found = (yaml: string) => dedupe(worldOf(yaml)).found.map(describeRedundancy);

  test.each<[string, string, readonly string[]]>([
    ["nothing", bound("r", [rule("get", "/pods")], ["User=ada"], "a"), []],
    [
      "equal roles, and so a redundant binding",
      bound("r", [rule("get,list", "/pods")], ["User=ada"], "a") + bound("s", [rule("list,get", "/pods")], ["User=ada"], "a"),
      ["Role a/s grants exactly what Role a/r grants", "RoleBinding a/r gives nothing beyond RoleBinding a/s"],
    ],
    [
      "equal roles of two people",
      bound("r", [rule("get", "/pods")], ["User=ada"], "a") + bound("s", [rule("get", "/pods")], ["User=eve"], "a"),
      ["Role a/s grants exactly what Role a/r grants"],
    ],
    [
      "a smaller role",
      bound("r", [rule("*", "/pods")], ["User=ada"], "a") + bound("s", [rule("get", "/pods")], ["User=eve"], "a"),
      ["Role a/r grants all that Role a/s grants"],
    ],
    [
      "a binding that the whole cluster covers",
      bound("r", [rule("get", "/pods")], ["User=ada"]) + bound("s", [rule("get", "/pods")], ["User=ada"], "a"),
      ["RoleBinding a/s gives nothing beyond ClusterRoleBinding r"],
    ],
    [
      "equal rules in two namespaces",
      bound("r", [rule("get", "/pods")], ["User=ada"], "a") + bound("r", [rule("get", "/pods")], ["User=ada"], "b"),
      [],
    ],
  ])("%s", (_, yaml, want) => expect(found(yaml)).toEqual(want));

  const word = (...words: string[]) => fc.constantFrom(...words);
  const entries = fc.array(
    fc.record({
      verbs: word("get", "list,get", "get,list", "*"),
      on: word("/pods", "/secrets", "*/*", "/pods,/secrets"),
      who: fc.uniqueArray(word("User=ada", "User=eve", "Group=dev", "ServiceAccount=a/x"), { minLength: 1, maxLength: 3 }),
      namespace: word("", "a", "b"),
    }),
    { maxLength: 8 },
  );

  test("the proposal changes no decision of anybody", () => {
    const askers = [
      ["ada", []],
      ["eve", ["dev"]],
      ["system:serviceaccount:a:x", []],
    ] as const;
    const questions = ["get", "list", "delete"].flatMap((verb) =>
      ["pods", "secrets", "nodes"].flatMap((resource) => ["", "a", "b"].map((namespace) => ({ verb, resource, namespace }))),
    );
    fc.assert(
      fc.property(entries, (list) => {
        const world = worldOf(
          list.map(({ verbs, on, who, namespace }, i) => bound(`r${i}`, [rule(verbs, on)], who, namespace)).join(""),
        );
        const { removed, added, proven } = dedupe(world);
        expect(proven).toBe(true);
        const after = applied(world.index, removed, added);
        for (const [user, groups] of askers) {
          for (const question of questions) {
            const request = {
              user,
              groups,
              isResourceRequest: true,
              path: "",
              apiGroup: "",
              subresource: "",
              name: "",
              ...question,
            };
            expect(authorizeByRules(after, request).decision).toBe(authorizeByRules(world.index, request).decision);
          }
        }
      }),
    );
  });

  function applied(index: RbacIndex, removed: readonly (Role | Binding)[], added: readonly Binding[]): RbacIndex {
    const gone = new Set(removed.map(describeObject));
    const after = new RbacIndex();
    for (const role of index.roles()) if (!gone.has(describeObject(role))) after.putRole(role);
    for (const binding of index.bindings()) if (!gone.has(describeObject(binding))) after.putBinding(binding);
    for (const binding of added) after.putBinding(binding);
    return after;
  }
});

describe("templates", () => {
  test.each(templateNames)("%s gives what it says and nothing that it denies", (name) => {
    const { proof, objects } = instantiate(name, "nlp", undefined);
    expect(proof.filter((p) => p.expected !== p.answer)).toEqual([]);
    expect(proof.some((p) => p.answer) && proof.some((p) => !p.answer)).toBe(true);
    expect(parseDocuments(JSON.stringify(objects[0]), "o.json").diagnostics).toEqual([]);
    expect(JSON.stringify(objects)).not.toContain("*");
  });

  test("a program gets an account of its own, people a group", () => {
    expect(instantiate("ci-cd", "nlp", undefined)).toMatchObject({
      holder: "ServiceAccount nlp/ai-ci-cd",
      objects: [{ kind: "ServiceAccount", automountServiceAccountToken: false }, {}, {}],
    });
    expect(instantiate("viewer", "nlp", "all@example.com").holder).toBe("Group all@example.com");
  });
});
