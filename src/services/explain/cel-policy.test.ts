import { describe, expect, test } from "vitest";
import { isKubernetesObject } from "../../core/kubernetes.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { explainPolicy } from "./explain-policy.ts";

function explain(kind: string, spec: string, group = "policies.kyverno.io") {
  const [document] = parseDocuments(
    `apiVersion: ${group}/v1\nkind: ${kind}\nmetadata: {name: p}\nspec: ${spec}\n`,
    "p.yaml",
  ).documents;
  if (document === undefined || !isKubernetesObject(document.value)) throw new Error(spec);
  const { value } = document;
  const policy = explainPolicy({ ...document, value, locate: () => undefined, locateKey: () => undefined });
  if (policy === undefined) return undefined;
  const lines = (statements: (typeof policy)["statements"]) =>
    statements.map(({ label, texts }) => `${label}: ${texts.join(" | ")}`);
  return { about: lines(policy.statements), rules: policy.rules.map((rule) => lines(rule.statements)) };
}

const pods = 'matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}';

describe("policies in CEL in words", () => {
  test("a ValidatingPolicy", () => {
    const spec = `{${pods}, validationActions: [Audit, Warn], evaluation: {background: {enabled: false}}, matchConditions: [{name: c, expression: "a ==\\n 1"}], variables: [{name: v, expression: object.spec}], validations: [{expression: variables.v.ok, message: No.}, {expression: "true", messageExpression: "'a' + 'b'"}]}`;
    expect(explain("ValidatingPolicy", spec)).toEqual({
      about: [
        "Severity: medium (not set)",
        "Applies to: the whole cluster: new and changed objects at admission",
        "Matches: pods in version v1 on CREATE",
        "And, generated,: the pod templates of cronjobs, daemonsets, deployments, replicasets, statefulsets and jobs",
        "Only where: c: `a == 1`",
        "With: v: `object.spec`",
        "On failure: it is reported (Audit) and whoever asks is warned (Warn)",
        "On errors: the request is refused (Fail)",
      ],
      rules: [
        ["Demands: `variables.v.ok`", "Or says: No."],
        ["Demands: `true`", "Or says: `'a' + 'b'`"],
      ],
    });
  });

  test.each<[string, string, readonly string[], string?]>([
    [
      "ValidatingAdmissionPolicy",
      `{paramKind: {apiVersion: v1, kind: ConfigMap}, ${pods}}`,
      [
        "Applies to: nothing by itself: a ValidatingAdmissionPolicyBinding says where it is in force, with a ConfigMap as parameter",
        "On failure: as its binding says",
      ],
      "admissionregistration.k8s.io",
    ],
    [
      "NamespacedDeletingPolicy",
      `{schedule: "0 1 * * *", conditions: [{expression: x}]}`,
      [
        "Applies to: its own namespace only: existing objects, at 0 1 * * * (cron)",
        "Only where: `x`",
        "Then: the object is deleted",
      ],
    ],
    [
      "GeneratingPolicy",
      "{evaluation: {generateExisting: {enabled: true}, synchronize: {enabled: true}}}",
      [
        "Applies to: the whole cluster: new and changed objects at admission and existing objects when the policy changes",
        "Afterwards: what it made follows its source",
      ],
    ],
    [
      "ImageValidatingPolicy",
      "{validationConfigurations: {mutateDigest: false}, matchImageReferences: [{glob: a/*}], attestors: [{name: k, cosign: {key: {data: x}}}, {name: certs, notary: {}}]}",
      [
        "Images: a/*",
        "They: must be verified and must be named by digest",
        "Trusts: k: who signs with the given key | certs: who signs with Notary certificates",
      ],
    ],
    [
      "MutatingPolicy",
      "{failurePolicy: Ignore, matchConstraints: {excludeResourceRules: [{resources: [secrets], apiGroups: ['*']}]}}",
      ["But not: secrets of any group on any operation", "On errors: the request goes on (Ignore)"],
    ],
  ])("a %s", (kind, spec, statements, group) => {
    expect(explain(kind, spec, group)?.about).toEqual(expect.arrayContaining([...statements]));
  });

  test("mutations and generations", () => {
    const mutations =
      "[{patchType: JSONPatch, jsonPatch: {expression: '[]'}}, {patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{}'}}]";
    expect(explain("MutatingPolicy", `{mutations: ${mutations}}`)?.rules).toEqual([["Patches: `[]`"], ["Merges in: `Object{}`"]]);
    expect(explain("GeneratingPolicy", "{generate: [{expression: generator.apply('a')}]}")?.rules).toEqual([
      ["Makes: `generator.apply('a')`"],
    ]);
  });

  test("other kinds are not", () => expect(explain("CleanupPolicy", "{}")).toBeUndefined());
});
