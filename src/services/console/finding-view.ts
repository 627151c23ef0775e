import { type Finding, type Severity, severities } from "../../core/finding.ts";
import { type JsonObject, toDotted } from "../../core/json.ts";
import type { KubernetesObject, ResourceRef } from "../../core/kubernetes.ts";
import { secretOutline } from "../redact-secrets.ts";
import { fixedObject } from "./fixed-object.ts";

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
  /** Whose the namespace is; empty where nothing says so. */
  readonly team: string;
  readonly name: string;
  readonly message: string;
  readonly path: string;
  readonly controls: readonly string[];
}

/** What is wrong in one cluster. */
export interface ClusterFindings {
  readonly cluster: string;
  readonly findings: Iterable<Finding>;
  /** Whose the namespace of an object is; empty where nothing says so. */
  readonly teamOf: (resource: ResourceRef) => string;
}

/** Which findings are meant; what is undefined or empty leaves out none. */
export interface FindingFilter {
  readonly status?: readonly Finding["status"][] | undefined;
  readonly severity?: readonly Severity[] | undefined;
  readonly namespace?: readonly string[] | undefined;
  readonly team?: readonly string[] | undefined;
  readonly policy?: readonly string[] | undefined;
  /** Words that all occur somewhere in the row. */
  readonly text?: string | undefined;
}

export interface FindingQuery extends FindingFilter {
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

function findingRow({ cluster, teamOf }: Pick<ClusterFindings, "cluster" | "teamOf">, finding: Finding): FindingRow {
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
    team: teamOf(resource),
    name: resource.name,
    message: finding.message,
    path: path === undefined ? "" : toDotted(path),
    controls: finding.controls,
  };
}

/** The rows of what is wrong and is meant, in no order. */
export function* matchingRows(clusters: Iterable<ClusterFindings>, filter: FindingFilter): Iterable<FindingRow> {
  const words = (filter.text ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const wanted = (list: readonly string[] | undefined, value: string) =>
    list === undefined || list.length === 0 || list.includes(value);
  for (const of of clusters) {
    for (const finding of of.findings) {
      if (finding.status === "pass" || finding.status === "skip") continue;
      if (!wanted(filter.status, finding.status)) continue;
      if (!wanted(filter.severity, finding.severity) || !wanted(filter.namespace, finding.resource.namespace)) continue;
      if (!wanted(filter.policy, finding.check.policy)) continue;
      const row = findingRow(of, finding);
      if (!wanted(filter.team, row.team)) continue;
      const text = `${row.policy} ${row.rule} ${row.title} ${row.kind} ${row.namespace} ${row.name} ${row.message}`.toLowerCase();
      if (words.every((word) => text.includes(word))) yield row;
    }
  }
}

/** Worst first, then by namespace, kind and name. */
export function findingPage(clusters: Iterable<ClusterFindings>, query: FindingQuery): FindingPage {
  const rows = [...matchingRows(clusters, query)];
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
  /** Worst first; the empty name stands for what is nobody's. */
  readonly byTeam: readonly Counted[];
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
  const teams = new Map<string, Tally>();
  const policies = new Map<string, Tally>();
  const add = (map: Map<string, Tally>, name: string, severity: Severity) => {
    const tally = map.get(name) ?? nothing();
    map.set(name, tally);
    tally[severity]++;
  };
  for (const { cluster, findings, teamOf } of clusters) {
    byCluster.set(cluster, nothing());
    for (const { status, severity, resource, check } of findings) {
      if (status === "error") errors++;
      if (status === "warn") warnings++;
      if (status !== "fail") continue;
      total[severity]++;
      add(byCluster, cluster, severity);
      add(namespaces, resource.namespace, severity);
      add(teams, teamOf(resource), severity);
      add(policies, check.policy, severity);
    }
  }
  return {
    total,
    warnings,
    errors,
    byCluster: worstFirst(byCluster),
    byNamespace: worstFirst(namespaces),
    byTeam: worstFirst(teams),
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
export function findingDetail(
  of: Pick<ClusterFindings, "cluster" | "teamOf">,
  finding: Finding,
  object: KubernetesObject | undefined,
) {
  const { fix } = finding;
  return {
    ...findingRow(of, finding),
    url: finding.check.url,
    at: finding.path ?? [],
    evidence: finding.evidence,
    fix:
      fix === undefined
        ? undefined
        : { description: fix.description, patch: fix.patch, object: fix.object, ...shown(fixedObject(finding, object)) },
    location:
      finding.location === undefined
        ? undefined
        : { file: finding.location.file, line: finding.location.start.line, column: finding.location.start.column },
    object: object === undefined ? undefined : outlined(object),
  };
}

const outlined = (object: JsonObject): JsonObject => (object["kind"] === "Secret" ? secretOutline(object) : object);
const shown = (fixed: ReturnType<typeof fixedObject>) =>
  fixed === undefined ? undefined : { after: outlined(fixed.after), isNew: fixed.isNew };
