import type { Action } from "../../core/action.ts";
import type { CheckRef, Finding, RuleStatus, StatusCounts } from "../../core/finding.ts";
import { type PolicyResult, policyName } from "../../engine/index.ts";
import type { CompiledPolicy, CompiledRule, RuleKind } from "../../policies/policy.ts";

/** The labels of Kyverno's `kyverno_policy_results_total`, with `result` beside `rule_result`: alerts in use name either. */
export const policyResultLabels = [
  "policy_name",
  "policy_namespace",
  "policy_type",
  "policy_validation_mode",
  "policy_background_mode",
  "rule_name",
  "rule_type",
  "rule_result",
  "result",
  "rule_execution_cause",
  "resource_kind",
  "resource_namespace",
  "resource_request_operation",
  "dry_run",
] as const;

export type PolicyResultLabels = { readonly [label in (typeof policyResultLabels)[number]]: string };

export interface PolicyResultCount {
  /** As Prometheus' text format has them: `name="value",...`. */
  readonly labels: string;
  readonly count: number;
}

const ruleTypes: { readonly [kind in RuleKind]: string } = {
  validate: "validate",
  mutate: "mutate",
  generate: "generate",
  verify: "imageVerify",
  delete: "-",
};

interface Counted {
  readonly labels: string;
  count: number;
}

/** The counts of one rule about one kind of action, by status, and those of its policy. */
interface RuleCounts {
  readonly byStatus: { [status in RuleStatus]?: Counted };
  readonly ofPolicy: Tally;
}

type Tally = { [status in RuleStatus]: number };

/** How often rules said what about which kinds of objects. Cheap to count: labels are written once for each combination. */
export class PolicyResultCounts {
  readonly #byAction = new Map<string, WeakMap<CompiledRule, RuleCounts>>();
  readonly #counts = new Map<string, Counted>();
  /** At admission, by cluster and policy. */
  readonly #atAdmission = new Map<string, Tally>();
  /** Of the findings of one check, by what else tells them apart. */
  readonly #byCheck = new WeakMap<CheckRef, Map<string, Counted>>();

  take(results: readonly PolicyResult[], action: Action): void {
    const { kind, namespace } = action.target;
    const about = `${action.cluster}/${kind}/${namespace}/${action.operation}/${action.dryRun}`;
    let byRule = this.#byAction.get(about);
    if (byRule === undefined) {
      byRule = new WeakMap();
      this.#byAction.set(about, byRule);
    }
    for (const { policy, rule, result } of results) {
      let counts = byRule.get(rule);
      if (counts === undefined) {
        counts = { byStatus: {}, ofPolicy: this.#tallyOf(action.cluster ?? "", policyName(policy.id)) };
        byRule.set(rule, counts);
      }
      const { byStatus, ofPolicy } = counts;
      byStatus[result.status] ??= this.#counted(admissionLabels(policy, rule, result.status, action));
      const counted = byStatus[result.status];
      if (counted !== undefined) counted.count++;
      ofPolicy[result.status]++;
    }
  }

  /** What the rules of a policy said at admission since we count; undefined: nothing. */
  atAdmission(cluster: string, policy: string): StatusCounts | undefined {
    return this.#atAdmission.get(`${cluster} ${policy}`);
  }

  #tallyOf(cluster: string, policy: string): Tally {
    const key = `${cluster} ${policy}`;
    const tally = this.#atAdmission.get(key) ?? { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 };
    this.#atAdmission.set(key, tally);
    return tally;
  }

  /** Findings that a background scan made. */
  takeFindings(findings: readonly Finding[]): void {
    for (const finding of findings) this.#ofFinding(finding).count++;
  }

  #ofFinding(finding: Finding): Counted {
    const { check, status, resource } = finding;
    let ofCheck = this.#byCheck.get(check);
    if (ofCheck === undefined) {
      ofCheck = new Map();
      this.#byCheck.set(check, ofCheck);
    }
    const about = `${status}/${resource.kind}/${resource.namespace}`;
    let counted = ofCheck.get(about);
    if (counted === undefined) {
      counted = this.#counted(findingLabels(finding));
      ofCheck.set(about, counted);
    }
    return counted;
  }

  counts(): Iterable<PolicyResultCount> {
    return this.#counts.values();
  }

  /** Counts outlive the policy's text: a changed policy goes on where the one before stopped. */
  #counted(of: PolicyResultLabels): Counted {
    const labels = policyResultLabels.map((label) => `${label}="${escaped(of[label])}"`).join(",");
    const known = this.#counts.get(labels) ?? { labels, count: 0 };
    this.#counts.set(labels, known);
    return known;
  }
}

/** A label's value in Prometheus' text format. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function admissionLabels(policy: CompiledPolicy, rule: CompiledRule, status: RuleStatus, action: Action): PolicyResultLabels {
  const { kind, namespace } = action.target;
  const mode = rule.enforcement(namespace, action.namespaceLabels ?? {});
  return {
    policy_name: policy.id.name,
    policy_namespace: policy.id.namespace || "-",
    policy_type: policy.id.namespace === "" ? "cluster" : "namespaced",
    policy_validation_mode: mode === "enforce" ? "enforce" : "audit",
    policy_background_mode: String(policy.background),
    rule_name: rule.name,
    rule_type: ruleTypes[rule.kind],
    rule_result: status,
    result: status,
    rule_execution_cause: "admission_request",
    resource_kind: kind,
    resource_namespace: namespace,
    resource_request_operation: action.operation.toLowerCase(),
    dry_run: String(action.dryRun),
  };
}

function findingLabels({ check, status, resource }: Finding): PolicyResultLabels {
  const parts = check.policy.split("/");
  const namespace = parts.length === 4 ? (parts[2] ?? "-") : "-";
  return {
    policy_name: parts.length > 2 ? (parts.at(-1) ?? "") : check.policy,
    policy_namespace: namespace,
    policy_type: namespace === "-" ? "cluster" : "namespaced",
    policy_validation_mode: "audit",
    policy_background_mode: "true",
    rule_name: check.rule,
    rule_type: "validate",
    rule_result: status,
    result: status,
    rule_execution_cause: "background_scan",
    resource_kind: resource.kind,
    resource_namespace: resource.namespace,
    resource_request_operation: "create",
    dry_run: "false",
  };
}
