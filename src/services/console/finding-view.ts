import { type Finding, type Severity, severities } from "../../core/finding.ts";
import { type JsonObject, toDotted } from "../../core/json.ts";
import { secretOutline } from "../redact-secrets.ts";

/** A finding as one row of a list. */
export interface FindingRow {
  readonly cluster: string;
  readonly id: string;
  readonly policy: string;
  readonly rule: string;
  readonly title: string;
  readonly status: Finding["status"];
  readonly severity: Severity;
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly message: string;
  readonly path: string;
  readonly controls: readonly string[];
}

/** What is wrong in one cluster. */
export interface ClusterFindings {
  readonly cluster: string;
  readonly findings: Iterable<Finding>;
}

export interface FindingQuery {
  readonly status?: readonly Finding["status"][] | undefined;
  readonly severity?: readonly Severity[] | undefined;
  readonly namespace?: readonly string[] | undefined;
  readonly policy?: readonly string[] | undefined;
  /** Words that all occur somewhere in the row. */
  readonly text?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

export interface FindingPage {
  readonly total: number;
  /** Of the total. */
  readonly warnings: number;
  /** Of the total: what could not be checked. */
  readonly errors: number;
  readonly items: readonly FindingRow[];
}

function findingRow(cluster: string, finding: Finding): FindingRow {
  const { check, resource, path } = finding;
  return {
    cluster,
    id: finding.id,
    policy: check.policy,
    rule: check.rule,
    title: check.title ?? "",
    status: finding.status,
    severity: finding.severity,
    group: resource.group,
    kind: resource.kind,
    namespace: resource.namespace,
    name: resource.name,
    message: finding.message,
    path: path === undefined ? "" : toDotted(path),
    controls: finding.controls,
  };
}

/** Worst first, then by namespace, kind and name. */
export function findingPage(clusters: Iterable<ClusterFindings>, query: FindingQuery): FindingPage {
  const words = (query.text ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const wanted = (list: readonly string[] | undefined, value: string) =>
    list === undefined || list.length === 0 || list.includes(value);
  const rows: FindingRow[] = [];
  for (const { cluster, findings } of clusters) {
    for (const finding of findings) {
      if (finding.status === "pass" || finding.status === "skip") continue;
      if (!wanted(query.status, finding.status)) continue;
      if (!wanted(query.severity, finding.severity) || !wanted(query.namespace, finding.resource.namespace)) continue;
      if (!wanted(query.policy, finding.check.policy)) continue;
      const row = findingRow(cluster, finding);
      const text = `${row.policy} ${row.rule} ${row.title} ${row.kind} ${row.namespace} ${row.name} ${row.message}`.toLowerCase();
      if (words.every((word) => text.includes(word))) rows.push(row);
    }
  }
  rows.sort((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity) || compare(keyOf(a), keyOf(b)));
  const count = (wanted: Finding["status"]) => rows.filter(({ status }) => status === wanted).length;
  return {
    total: rows.length,
    warnings: count("warn"),
    errors: count("error"),
    items: rows.slice(query.offset, query.offset + query.limit),
  };
}

const keyOf = (row: FindingRow) =>
  `${row.cluster}/${row.namespace}/${row.kind}/${row.name}/${row.policy}/${row.rule}/${row.path}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export interface Counted {
  readonly name: string;
  readonly counts: { readonly [severity in Severity]: number };
}

export interface Overview {
  /** Failures. */
  readonly total: { readonly [severity in Severity]: number };
  readonly warnings: number;
  readonly errors: number;
  /** Worst first. */
  readonly byCluster: readonly Counted[];
  /** Worst first; the empty name stands for cluster-scoped objects. */
  readonly byNamespace: readonly Counted[];
  readonly byPolicy: readonly Counted[];
}

type Tally = { [severity in Severity]: number };
const nothing = (): Tally => ({ info: 0, low: 0, medium: 0, high: 0, critical: 0 });

/** The failures of a platform at a glance. */
export function overviewOf(clusters: Iterable<ClusterFindings>): Overview {
  const total = nothing();
  let warnings = 0;
  let errors = 0;
  const byCluster = new Map<string, Tally>();
  const namespaces = new Map<string, Tally>();
  const policies = new Map<string, Tally>();
  const add = (map: Map<string, Tally>, name: string, severity: Severity) => {
    const tally = map.get(name) ?? nothing();
    map.set(name, tally);
    tally[severity]++;
  };
  for (const { cluster, findings } of clusters) {
    byCluster.set(cluster, nothing());
    for (const { status, severity, resource, check } of findings) {
      if (status === "error") errors++;
      if (status === "warn") warnings++;
      if (status !== "fail") continue;
      total[severity]++;
      add(byCluster, cluster, severity);
      add(namespaces, resource.namespace, severity);
      add(policies, check.policy, severity);
    }
  }
  return {
    total,
    warnings,
    errors,
    byCluster: worstFirst(byCluster),
    byNamespace: worstFirst(namespaces),
    byPolicy: worstFirst(policies),
  };
}

function worstFirst(map: ReadonlyMap<string, Tally>): readonly Counted[] {
  const order = severities.toReversed();
  return [...map]
    .map(([name, counts]) => ({ name, counts }))
    .sort((a, b) => {
      for (const severity of order) if (a.counts[severity] !== b.counts[severity]) return b.counts[severity] - a.counts[severity];
      return compare(a.name, b.name);
    });
}

/** A finding with all that explains it; of a Secret the keys are shown, never the values. */
export function findingDetail(cluster: string, finding: Finding, object: JsonObject | undefined) {
  return {
    ...findingRow(cluster, finding),
    url: finding.check.url,
    at: finding.path ?? [],
    evidence: finding.evidence,
    fix:
      finding.fix === undefined
        ? undefined
        : { description: finding.fix.description, patch: finding.fix.patch, object: finding.fix.object },
    location:
      finding.location === undefined
        ? undefined
        : { file: finding.location.file, line: finding.location.start.line, column: finding.location.start.column },
    object: object === undefined || object["kind"] !== "Secret" ? object : secretOutline(object),
  };
}
