import type { DescribedHop, PathReport } from "../../analysis/rbac/paths/paths.ts";

/** What an escalation may be about. */
export const escalationTargets = ["cluster-admin", "secrets", "node"] as const;
export type EscalationTarget = (typeof escalationTargets)[number];

/** Everybody's ways to each target. */
export type Escalations = { readonly [target in EscalationTarget]: PathReport };

/** What one cluster's rights lead to. */
export interface ClusterEscalations {
  readonly cluster: string;
  /** Undefined: the cluster has not been looked at. */
  readonly reports: Escalations | undefined;
}

export interface EscalationQuestion {
  readonly to: EscalationTarget;
  /** Words that all occur in the subject's name. */
  readonly from?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

export interface EscalationRow {
  readonly cluster: string;
  readonly from: string;
  readonly hops: readonly DescribedHop[];
}

export interface EscalationPage {
  /** How many reach each target, whoever is asked about. */
  readonly targets: readonly { readonly target: EscalationTarget; readonly says: string; readonly paths: number }[];
  /** Of those that are asked about. */
  readonly total: number;
  /** Of the total: how many need so many hops, the fewest first. */
  readonly lengths: readonly { readonly hops: number; readonly paths: number }[];
  /** Shortest first. */
  readonly items: readonly EscalationRow[];
  /** Who is there by their own rights. */
  readonly already: readonly { readonly cluster: string; readonly subject: string }[];
  /** Bindings whose removal ends the way of most, whoever is asked about. */
  readonly cuts: readonly { readonly cluster: string; readonly binding: string; readonly breaks: number }[];
  /** Clusters of which nothing is known yet. */
  readonly unknown: readonly string[];
}

/** The asked part of the ways of all clusters. */
export function escalationPage(clusters: readonly ClusterEscalations[], question: EscalationQuestion): EscalationPage {
  const { to, from = "", offset, limit } = question;
  const known = clusters.flatMap(({ cluster, reports }) => (reports === undefined ? [] : { cluster, reports }));
  const words = from
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const isMeant = (subject: string) => words.every((word) => subject.toLowerCase().includes(word));
  const rows = known
    .flatMap(({ cluster, reports }) => reports[to].paths.map((path): EscalationRow => ({ cluster, ...path })))
    .filter((row) => isMeant(row.from))
    .sort((a, b) => a.hops.length - b.hops.length);
  const lengths = Map.groupBy(rows, ({ hops }) => hops.length);
  return {
    targets: escalationTargets.map((target) => ({
      target,
      says: known[0]?.reports[target].target ?? target,
      paths: known.reduce((sum, { reports }) => sum + reports[target].paths.length, 0),
    })),
    total: rows.length,
    lengths: [...lengths].map(([hops, paths]) => ({ hops, paths: paths.length })),
    items: rows.slice(offset, offset + limit),
    already: known.flatMap(({ cluster, reports }) =>
      reports[to].already.filter(isMeant).map((subject) => ({ cluster, subject })),
    ),
    cuts: known
      .flatMap(({ cluster, reports }) => reports[to].cuts.map((cut) => ({ cluster, ...cut })))
      .sort((a, b) => b.breaks - a.breaks),
    unknown: clusters.filter(({ reports }) => reports === undefined).map(({ cluster }) => cluster),
  };
}
