import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { dedupe } from "./dedupe.ts";
import { dedupeProposal, documentsAfter, objectKey, proposalManifest, readProposal } from "./proposal.ts";
import { bound, worldOf } from "./world.testing.ts";

const api = "apiVersion: rbac.authorization.k8s.io/v1";
const role = (name: string) => `${api}\nkind: Role\nmetadata: {name: ${name}, namespace: a}\nrules: []\n`;
const read = (yaml: string) => readProposal(parseDocuments(yaml, "p.yaml").documents);
const proposal = (fields: string) => `apiVersion: castellan.dev/v1alpha1\nkind: RbacProposal\n${fields}`;
const inline = (kind: string, metadata: string) =>
  `{apiVersion: rbac.authorization.k8s.io/v1, kind: ${kind}, metadata: ${metadata}}`;

describe("readProposal", () => {
  test("objects to apply and to delete, plain ones too", () => {
    const got = read(`${role("x")}---\n${proposal(`delete:\n- ${inline("Role", "{name: old, namespace: a}")}\n`)}`);
    expect(got.ok && [got.value.apply.map(objectKey), got.value.delete.map(objectKey)]).toEqual([
      ["rbac.authorization.k8s.io/Role/a/x"],
      ["rbac.authorization.k8s.io/Role/a/old"],
    ]);
  });

  test("what is applied is not deleted", () => {
    const got = read(`${role("x")}---\n${proposal(`delete:\n- ${inline("Role", "{name: x, namespace: a}")}\n`)}`);
    expect(got.ok && got.value.delete).toEqual([]);
  });

  test.each<[string, string, number, string]>([
    ["another kind", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\n", 1, "Pod: only"],
    ["no name", `${api}\nkind: ClusterRole\nmetadata: {}\n`, 1, "with a name"],
    ["no namespace", `${api}\nkind: Role\nmetadata: {name: x}\n`, 1, "with a name"],
    [
      "another kind to delete",
      proposal(`delete:\n- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: a}}\n`),
      4,
      "only service accounts",
    ],
    ["no list", proposal("apply: all\n"), 3, "apply is not a list"],
    ["an unknown field", proposal("remove: []\n"), 3, "no field remove"],
  ])("refused: %s", (_, yaml, line, message) => {
    const got = read(yaml);
    expect(got.ok).toBe(false);
    expect(got.diagnostics[0]).toMatchObject({ code: "RBAC_PROPOSAL_INVALID", span: { start: { line } } });
    expect(got.diagnostics[0]?.message).toContain(message);
  });
});

describe("documentsAfter", () => {
  const live = parseDocuments(
    `${role("kept")}---\n${role("changed")}---\n${role("gone")}---
${api}
kind: ClusterRole
metadata: {name: sum, resourceVersion: "1"}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
`,
    "live.yaml",
  ).documents;
  const applied = (yaml: string) => {
    const got = read(yaml);
    if (!got.ok) throw new Error(got.diagnostics[0]?.message);
    return documentsAfter(live, got.value).map((d) => d.value);
  };

  test("the changed ones take their place, the deleted ones are gone", () => {
    const objects = applied(`${role("changed")}---\n${proposal(`delete:\n- ${inline("Role", "{name: gone, namespace: a}")}\n`)}`);
    expect(objects).toMatchObject([
      { metadata: { name: "kept" } },
      { metadata: { name: "sum", resourceVersion: "1" } },
      { metadata: { name: "changed" } },
    ]);
  });

  test("a part of an aggregated role has its rules found again", () => {
    const part = `${api}\nkind: ClusterRole\nmetadata: {name: part, labels: {part: "yes"}}\nrules: []\n`;
    expect(applied(part)[3]).not.toHaveProperty("metadata.resourceVersion");
  });
});

test("what dedupe removes and moves is read back", () => {
  const rule = [{ verbs: "get", on: "/pods" }];
  const made = dedupeProposal(dedupe(worldOf(bound("one", rule, ["User=ada"], "a") + bound("two", rule, ["User=eve"], "a"))));
  expect(made.apply).toMatchObject([{ kind: "RoleBinding", metadata: { name: "two" }, roleRef: { name: "one" } }]);
  expect(made.delete).toEqual([
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "two", namespace: "a" } },
  ]);
  const got = read(JSON.stringify(proposalManifest(made)));
  expect(got.ok && got.value).toEqual(made);
});
