import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { memoryFiles } from "./test-files.testing.ts";
import { findTests, runTestFile } from "./test-run.ts";
import { allTests } from "./test-selection.ts";

const template = `
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: k8scheck}
spec:
  crd: {spec: {names: {kind: K8sCheck}, validation: {openAPIV3Schema: {type: object, properties: {who: {type: string}}}}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: |
      package k8scheck
      violation[{"msg": msg}] { input.review.object.metadata.labels.bad; msg := "bad label" }
      violation[{"msg": msg}] { input.review.operation == "DELETE"; msg := sprintf("%v goes", [input.review.object.metadata.name]) }
      violation[{"msg": msg}] { data.inventory.cluster.v1.Namespace[n]; msg := sprintf("there is %v", [n]) }
`;
const constraint = (spec = "") =>
  `{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sCheck, metadata: {name: c}, spec: {${spec}}}`;
const bad = "{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {bad: x}}}";
const old = "{apiVersion: v1, kind: Pod, metadata: {name: p}}";

function run(tests: string, files: { readonly [name: string]: string } = {}) {
  const all = memoryFiles({
    "t/suite.yaml": `apiVersion: test.gatekeeper.sh/v1alpha1\nkind: Suite\ntests:\n${tests}`,
    "t/template.yaml": template,
    "t/constraint.yaml": constraint(),
    "t/bad.yaml": bad,
    "t/good.yaml": old,
    ...files,
  });
  const request = {
    files: all,
    resources: loadKubernetesSchemas().resources(),
    host: { now: () => 0, random: () => 0 },
    selection: allTests,
  };
  expect(findTests(all, ["t"])).toEqual(["t/suite.yaml"]);
  const outcomes = runTestFile("t/suite.yaml", request);
  return outcomes.flatMap((o) => [
    ...o.rows.map((row) => `${row.test} ${row.outcome}: ${row.reason}`),
    ...o.diagnostics.map((d) => d.message),
  ]);
}

const one = (object: string, assertions: string, more = "") =>
  `- {name: t, template: template.yaml, constraint: constraint.yaml, cases: [{name: c, object: ${object}, assertions: [${assertions}]${more}}]}`;

describe("a suite of gator's", () => {
  test.each<[string, string, readonly string[]]>([
    ["counts violations", one("bad.yaml", "{violations: 1}"), ["t/c pass: ok"]],
    ["takes yes and no", one("good.yaml", "{violations: no}"), ["t/c pass: ok"]],
    ["wants violations unless told otherwise", one("bad.yaml", "{message: bad}"), ["t/c pass: ok"]],
    [
      "compares messages",
      one("bad.yaml", "{violations: yes, message: '^other'}"),
      ['t/c fail: 0 violations matching "^other", expected at least one; got ["bad label"]'],
    ],
    ["wants none without assertions", one("bad.yaml", ""), ['t/c fail: 1 violations, expected none; got ["bad label"]']],
    ["has an inventory", one("good.yaml", "{violations: 1, message: there is ns}", ", inventory: [ns.yaml]"), ["t/c pass: ok"]],
    ["reads AdmissionReviews", one("review.yaml", "{violations: 1, message: p goes}"), ["t/c pass: ok"]],
    ["says what it cannot read", one("none.yaml", "{violations: 1}"), ["t/c fail: none.yaml: t/none.yaml: no such file"]],
    ["skips", one("bad.yaml", "{violations: 1}", ", skip: true"), ["t/c skip: the case is skipped"]],
    [
      "names fields that it does not know",
      one("bad.yaml", "{violation: 1}"),
      ["t/c pass: ok", 'tests[0].cases[0].assertions[0].violation: unknown field "violation"'],
    ],
    [
      "knows constraints that must be invalid",
      "- {name: t, template: template.yaml, constraint: wrong.yaml, invalid: true}",
      ["t pass: ok"],
    ],
    [
      "and tells of those that are not",
      "- {name: t, template: template.yaml, constraint: constraint.yaml, invalid: true}",
      ["t fail: the schema of the template accepts the constraint"],
    ],
  ])("%s", (_, tests, expected) => {
    const files = {
      "t/ns.yaml": "{apiVersion: v1, kind: Namespace, metadata: {name: ns}}",
      "t/wrong.yaml": constraint("parameters: {who: 1}"),
      "t/review.yaml": `{apiVersion: admission.k8s.io/v1, kind: AdmissionReview, request: {operation: DELETE, oldObject: ${old}}}`,
    };
    expect(run(tests, files)).toEqual(expected);
  });
});
