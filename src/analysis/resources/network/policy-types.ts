import { isArray, isObject, member, toPointer } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { adviceFix, type LintIssue, patchFix } from "../issue.ts";
import { strings } from "../rbac/policy-rule.ts";
import { type Direction, ruleKeys } from "./policy.ts";

/** Rules that policyTypes switches off, and policyTypes that is filled in otherwise than one expects. */
export function typeIssues(policy: KubernetesObject): LintIssue[] {
  const spec = policy["spec"];
  if (!isObject(spec)) return [];
  const types = strings(spec["policyTypes"]);
  const issues: LintIssue[] = [];
  if (types.length > 0) {
    for (const direction of ["Ingress", "Egress"] as const) {
      const rules = spec[ruleKeys[direction]];
      if (isArray(rules) && !types.includes(direction)) issues.push(switchedOff(direction, rules.length));
    }
  } else issues.push(...untyped(policy));
  if (spec["podSelector"] === undefined) {
    issues.push({
      check: "network-policy",
      rule: "no-pod-selector",
      path: ["spec"],
      status: "warn",
      severity: "medium",
      message: "Without podSelector the policy applies to every pod of the namespace.",
      fix: adviceFix("Write podSelector: {} where that is meant; else select the pods."),
    });
  }
  return issues;
}

function switchedOff(direction: Direction, rules: number): LintIssue {
  const key = ruleKeys[direction];
  const lost = rules === 0 ? `${key}: [] denies nothing` : `its ${key} rules are ignored`;
  return {
    check: "network-policy",
    rule: "rules-ignored",
    path: ["spec", key],
    atKey: true,
    status: "fail",
    message: `policyTypes does not list ${direction}, so ${lost}: ${key} of the selected pods stays open.`,
    fix: patchFix(`Add ${direction} to policyTypes.`, { op: "add", path: "/spec/policyTypes/-", value: direction }),
  };
}

/** Without policyTypes the server writes Ingress, and Egress only where there are egress rules. */
function untyped(policy: KubernetesObject): LintIssue[] {
  const egress = member(policy["spec"], "egress");
  if (!isArray(egress)) return [];
  const path = toPointer(["spec", "policyTypes"]);
  const base = { check: "network-policy", path: ["spec", "egress"], atKey: true } as const;
  if (egress.length === 0) {
    return [
      {
        ...base,
        rule: "rules-ignored",
        status: "fail",
        message:
          "egress: [] denies nothing without policyTypes: the API server fills in Ingress only, and egress of the selected pods stays open.",
        fix: patchFix("List both directions in policyTypes.", { op: "add", path, value: ["Ingress", "Egress"] }),
      },
    ];
  }
  if (member(policy["spec"], "ingress") !== undefined) return [];
  return [
    {
      ...base,
      rule: "denies-ingress-too",
      status: "warn",
      severity: "medium",
      message:
        "Without policyTypes the API server fills in Ingress and Egress; with no ingress rules, the policy also denies all ingress to the selected pods.",
      fix: patchFix("Write policyTypes: [Egress] if only egress is meant.", { op: "add", path, value: ["Egress"] }),
    },
  ];
}
