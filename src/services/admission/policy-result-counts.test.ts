import { expect, test } from "vitest";
import type { Finding } from "../../core/finding.ts";
import { PolicyResultCounts } from "./policy-result-counts.ts";

const finding = (name: string, status: Finding["status"] = "fail"): Finding => ({
  id: name,
  check: { policy: "kyverno.io/Policy/team/p", rule: 'a "rule" \\ of\ntwo lines' },
  status,
  severity: "high",
  resource: { group: "", version: "v1", kind: "Pod", namespace: "n", name },
  message: "",
  controls: [],
});

test("findings are counted by their labels, in Prometheus' text format", () => {
  const counts = new PolicyResultCounts();
  const one = finding("a");
  counts.takeFindings([one, { ...one, id: "b" }, finding("c"), finding("d", "error")]);
  const told = [...counts.counts()];
  expect(told.map(({ count }) => count)).toEqual([3, 1]);
  expect(told[0]?.labels).toBe(
    [
      'policy_name="p"',
      'policy_namespace="team"',
      'policy_type="namespaced"',
      'policy_validation_mode="audit"',
      'policy_background_mode="true"',
      'rule_name="a \\"rule\\" \\\\ of\\ntwo lines"',
      'rule_type="validate"',
      'rule_result="fail"',
      'result="fail"',
      'rule_execution_cause="background_scan"',
      'resource_kind="Pod"',
      'resource_namespace="n"',
      'resource_request_operation="create"',
      'dry_run="false"',
    ].join(","),
  );
});
