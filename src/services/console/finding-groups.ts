import { type Severity, severities } from "../../core/finding.ts";
import { type ClusterFindings, type FindingFilter, type FindingRow, matchingRows } from "./finding-view.ts";

export const findingGroupings = ["policy", "namespace", "team", "severity"] as const;
export type FindingGrouping = (typeof findingGroupings)[number];

/** Findings that have something in common, counted. */
export interface FindingGroup {
  /** Of what they have in common; empty: no namespace, or no team. */
  readonly name: string;
  readonly total: number;
  /** Of the total: failures. */
  readonly counts: { readonly [severity in Severity]: number };
  /** Of the total. */
  readonly warnings: number;
  /** Of the total: what could not be checked. */
  readonly errors: number;
}

/** The groups of the findings that are meant: those with the worst failures first, severities from the worst on. */
export function findingGroups(
  clusters: Iterable<ClusterFindings>,
  filter: FindingFilter,
  by: FindingGrouping,
): readonly FindingGroup[] {
  const groups = new Map<string, Writable<FindingGroup>>();
  for (const row of matchingRows(clusters, filter)) {
    const name = row[by];
    let group = groups.get(name);
    if (group === undefined) {
      group = { name, total: 0, counts: { info: 0, low: 0, medium: 0, high: 0, critical: 0 }, warnings: 0, errors: 0 };
      groups.set(name, group);
    }
    take(group, row);
  }
  return [...groups.values()].sort(by === "severity" ? bySeverity : byFailures);
}

type Writable<T> = { -readonly [K in keyof T]: K extends "counts" ? { [S in Severity]: number } : T[K] };

function take(group: Writable<FindingGroup>, { status, severity }: FindingRow): void {
  group.total++;
  if (status === "fail") group.counts[severity]++;
  else if (status === "warn") group.warnings++;
  else if (status === "error") group.errors++;
}

const order: readonly string[] = severities.toReversed();
const bySeverity = (a: FindingGroup, b: FindingGroup): number => order.indexOf(a.name) - order.indexOf(b.name);

function byFailures(a: FindingGroup, b: FindingGroup): number {
  for (const severity of severities.toReversed())
    if (a.counts[severity] !== b.counts[severity]) return b.counts[severity] - a.counts[severity];
  return b.total - a.total || (a.name < b.name ? -1 : 1);
}
