import type { Finding } from "../core/finding.ts";
import { findingId } from "../core/fingerprint.ts";
import { toDotted } from "../core/json.ts";
import { formatRef } from "../core/kubernetes.ts";
import { formatSpan } from "../core/source.ts";
import type { Formatter } from "./format.ts";
import { apiVersionOf } from "./order.ts";
import { type Plain, toPlain } from "./plain.ts";
import type { Report } from "./report.ts";
import { writeYaml } from "./yaml.ts";

/** The kinds of one API group that policy reports have. */
export interface ReportKinds {
  readonly group: string;
  readonly version: string;
  readonly namespaced: string;
  readonly cluster: string;
  /** Whether the report itself, and not only each result, names its source. */
  readonly source: boolean;
}

const policyReports: ReportKinds = {
  group: "wgpolicyk8s.io",
  version: "v1alpha2",
  namespaced: "PolicyReport",
  cluster: "ClusterPolicyReport",
  source: false,
};

/** Their successor: the same content under other names. */
const openReports: ReportKinds = {
  group: "openreports.io",
  version: "v1alpha1",
  namespaced: "Report",
  cluster: "ClusterReport",
  source: true,
};

/** In the order in which a cluster is asked which it serves; who reads both would count everything twice. */
export const reportKinds: readonly ReportKinds[] = [policyReports, openReports];

/**
 * Policy reports, one per object as Kyverno writes them: YAML documents for `kubectl apply`, in the shape that Policy
 * Reporter shows. Objects without a namespace get a ClusterPolicyReport. A run without results is an empty list.
 */
export const policyReport: Formatter = (report) => {
  const groups = Map.groupBy(report.findings, (f) => formatRef(f.resource));
  if (groups.size === 0) return writeYaml({ apiVersion: "v1", kind: "List", items: [] });
  return [...groups.values()].map((findings) => `---\n${writeYaml(reportFor(findings, report, policyReports))}`).join("");
};

/** The report about one object; all findings are about it. */
export function reportFor(findings: readonly Finding[], report: Pick<Report, "tool" | "at">, kinds: ReportKinds): Plain {
  const resource = findings[0]?.resource;
  if (resource === undefined) throw new Error("a group has a member");
  const { namespace, name, kind } = resource;
  return toPlain({
    apiVersion: `${kinds.group}/${kinds.version}`,
    kind: namespace === "" ? kinds.cluster : kinds.namespaced,
    metadata: {
      name: `castellan-${findingId({ policy: "report", rule: apiVersionOf(resource) }, resource)}`,
      namespace: namespace === "" ? undefined : namespace,
      labels: { "app.kubernetes.io/managed-by": report.tool.name },
    },
    source: kinds.source ? report.tool.name : undefined,
    scope: { apiVersion: apiVersionOf(resource), kind, name, namespace: namespace === "" ? undefined : namespace },
    summary: summaryOf(findings),
    results: findings.map((f) => resultFor(f, report)),
  });
}

function summaryOf(findings: readonly Finding[]) {
  const summary = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 };
  for (const f of findings) summary[f.status]++;
  return summary;
}

function resultFor(finding: Finding, report: Pick<Report, "tool" | "at">) {
  const { check, controls, fix, location, path } = finding;
  return {
    source: report.tool.name,
    policy: check.policy,
    rule: check.rule,
    category: check.category,
    severity: finding.severity,
    result: finding.status,
    scored: finding.status !== "warn",
    message: finding.message,
    timestamp: { seconds: Math.floor(report.at / 1000), nanos: (report.at % 1000) * 1_000_000 },
    properties: {
      // Policy Reporter's own id of a result holds neither the place nor the namespace: of two alike it would show one.
      resultID: finding.id,
      path: path === undefined || path.length === 0 ? undefined : toDotted(path),
      location: location === undefined ? undefined : formatSpan(location),
      fix: fix?.description,
      controls: controls.length === 0 ? undefined : controls.join(", "),
    },
  };
}
