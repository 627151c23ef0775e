import { expect, test } from "vitest";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { lintAlerts } from "./lint-alerts.ts";
import { vectorSelectors } from "./vector-selectors.ts";

const selectorCases: readonly (readonly [expression: string, selectors: readonly string[] | undefined])[] = [
  ["up", ["up"]],
  ['increase(a_total{result="fail"}[5m]) > 10', ['a_total{result="fail"}']],
  [
    'sum by (x, y) (rate(a{b=~"c|d",e!="f",}[5m] offset 1h)) / ignoring(z) group_left(w) b_total',
    ['a{b=~"c|d",e!="f"}', "b_total"],
  ],
  ["histogram_quantile(0.99, sum(rate(h_bucket[5m])) without (pod))", ["h_bucket"]],
  ['{__name__="a", b="c"}', ['a{b="c"}']],
  ["{\"a.b\", c='d'}", ['a.b{c="d"}']],
  ['absent(a{x="1"}) and b', ['a{x="1"} optional', "b"]],
  ["a or b", ["a optional", "b optional"]],
  ["a unless on (x) b", ["a", "b optional"]],
  ["(a unless b) + c", ["a", "b optional", "c"]],
  ["a # a comment with b{}\n > bool 0x1f", ["a"]],
  ["a @ start() > inf", ["a"]],
  ["max_over_time(a[1h:5m]) > 1e3", ["a"]],
  ["job:a:rate5m > 1", ["job:a:rate5m"]],
  ['a{b="x\\"}{"}', ['a{b="x"}{"}']],
  ["vector(1)", []],
  ["sum(a", undefined],
  ["a{b=c}", undefined],
  ["a ? b", undefined],
];

test.each(selectorCases)("selectors of %s", (expression, expected) => {
  const found = vectorSelectors(expression)?.map(({ metric, matchers, optional }) => {
    const inside = matchers.map(({ label, operator, value }) => `${label}${operator}"${value}"`).join(",");
    return `${metric}${inside === "" ? "" : `{${inside}}`}${optional ? " optional" : ""}`;
  });
  expect(found).toEqual(expected);
});

const alertCases: readonly (readonly [expression: string, problem: string])[] = [
  ['increase(kyverno_policy_results_total{result="fail"}[5m]) > 10', 'label medium Write rule_result="fail".'],
  ['increase(kyverno_policy_results_total{rule_result="fail"}[5m]) > 10', ""],
  ['kyverno_policy_results_total{rule_result="failed"}', "value medium Name one of pass, fail, warn, error, skip."],
  ['kyverno_policy_results_total{rule_result=~"fail|error"}', ""],
  ['kyverno_policy_results_total{rule_result=~"fai"}', "value medium Name one of pass, fail, warn, error, skip."],
  [
    'kyverno_policy_results_total{rule_result!~"pass|skip|fail|warn|error"}',
    "value medium Name one of pass, fail, warn, error, skip.",
  ],
  ['kyverno_policy_results_total{result!="pass"}', ""],
  ['kyverno_policy_results_total{namespace="kyverno",job=~".+",exported_namespace="x"}', ""],
  ["kyverno_policy_result_total > 0", "metric medium Write kyverno_policy_results_total."],
  ['kyverno_admission_requests_total{request_allowed="no"}', "value medium Name one of true, false."],
  ['absent(kyverno_policy_result_total{job="x"})', "metric low Write kyverno_policy_results_total."],
  ['histogram_quantile(0.9, rate(kyverno_admission_review_duration_seconds_bucket{le!="+Inf"}[5m]))', ""],
  ["kyverno_admission_review_duration_seconds > 1", "metric medium Write kyverno_admission_review_duration_seconds_sum."],
  ['some_other_metric{result="fail"}', ""],
  ["kyverno_policy_results_total{", "syntax medium Check its brackets and quotes."],
];

test.each(alertCases)("an alert on %s", (expression, expected) => {
  const rule = `{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: r, namespace: m}, spec: {groups: [{rules: [{alert: A, expr: ${JSON.stringify(expression)}}]}]}}`;
  const { findings, rules } = lintAlerts(parseDocuments(rule, "rules.yaml").documents);
  expect(rules).toBe(1);
  const said = findings.map((f) => `${f.check.rule} ${f.severity} ${f.fix?.description}`).join("; ");
  expect(said.replace(/_(bucket|count|sum)\.$/, "_sum.")).toBe(expected);
  for (const { location } of findings) expect(location?.start.line).toBe(1);
});

test("reads Prometheus' own rule files, and leaves other documents alone", () => {
  const { documents } = parseDocuments(
    "groups:\n- rules:\n  - alert: A\n    expr: kyverno_nothing > 1\n---\nkind: X\ngroups: [a]\n",
    "r.yaml",
  );
  const { findings, rules } = lintAlerts(documents);
  expect(rules).toBe(1);
  expect(findings[0]?.location?.start.line).toBe(4);
  expect(findings[0]?.resource.name).toBe("r.yaml");
});
