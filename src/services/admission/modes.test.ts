import { expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { evaluate, PolicySet, policyName } from "../../engine/index.ts";
import { compilePolicies } from "../policies.ts";
import { type PolicyMode, withModes } from "./modes.ts";

const texts = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: team}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      validate: {failureAction: Audit, message: m, pattern: {metadata: {labels: {team: "?*"}}}}
---
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: needsteam}
spec:
  crd: {spec: {names: {kind: NeedsTeam}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package needsteam
        violation[{"msg": "team"}] { not input.review.object.metadata.labels.team }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NeedsTeam
metadata: {name: strict}
spec: {match: {kinds: [{apiGroups: [""], kinds: [ConfigMap]}]}}
`;

const resources = loadKubernetesSchemas().resources();
const { policies } = compilePolicies(parseDocuments(texts, "p.yaml").documents, resources).set;
const kyverno = "kyverno.io/ClusterPolicy/team";
const constraint = "constraints.gatekeeper.sh/NeedsTeam/strict";

function judge(modes: readonly PolicyMode[], namespace: string): string {
  const target = { group: "", version: "v1", kind: "ConfigMap", resource: "configmaps", subresource: "", namespace, name: "c" };
  const evaluation = evaluate(
    new PolicySet(withModes(policies, modes)),
    {
      channel: "admission",
      actor: { user: "ada", groups: [] },
      operation: "CREATE",
      dryRun: false,
      target: { type: "kubernetes", ...target },
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace } },
      namespaceLabels: {},
      at: 0,
    },
    { get: () => ({ ok: true, value: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } }) },
    { now: () => 0, random: () => 0 },
    { resources },
  );
  if (evaluation.kind === "pending") throw new Error("pending");
  const { effect, warnings } = evaluation.decision;
  return `${effect} ${warnings.length}`;
}

const cases: readonly (readonly [what: string, modes: readonly PolicyMode[], namespace: string, verdict: string])[] = [
  ["their own modes", [], "a", "deny 0"],
  ["a constraint that denies is audited", [{ policy: constraint, namespace: "", mode: "audit" }], "a", "allow 0"],
  ["a constraint that denies warns", [{ policy: constraint, namespace: "", mode: "warn" }], "a", "allow 1"],
  ["only in one namespace", [{ policy: constraint, namespace: "b", mode: "audit" }], "a", "deny 0"],
  ["in that namespace", [{ policy: constraint, namespace: "b", mode: "audit" }], "b", "allow 0"],
  [
    "the namespace's mode goes before the general one",
    [
      { policy: constraint, namespace: "", mode: "audit" },
      { policy: kyverno, namespace: "", mode: "enforce" },
      { policy: kyverno, namespace: "b", mode: "warn" },
    ],
    "b",
    "allow 1",
  ],
  [
    "a policy that audits is enforced",
    [
      { policy: constraint, namespace: "", mode: "audit" },
      { policy: kyverno, namespace: "", mode: "enforce" },
    ],
    "a",
    "deny 0",
  ],
];

test("the policies have the names that modes are given by", () => {
  expect(policies.map(({ id }) => policyName(id))).toEqual(expect.arrayContaining([kyverno, constraint]));
});

test.each(cases)("%s", (_, modes, namespace, verdict) => {
  expect(judge(modes, namespace)).toBe(verdict);
});
