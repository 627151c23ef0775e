import type { Finding, RuleStatus, Severity } from "../core/finding.ts";
import { severities } from "../core/finding.ts";
import { formatRef, type ResourceRef } from "../core/kubernetes.ts";

/** How one finding is shown: its severity where it failed, else its status. */
export type Level = Severity | Exclude<RuleStatus, "fail">;

/** Worst first. */
const levels: readonly Level[] = [...severities.toReversed(), "warn", "error", "skip", "pass"];

export function levelOf(finding: Finding): Level {
  return finding.status === "fail" ? finding.severity : finding.status;
}

/** Text order by code unit: the same on every machine. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A finding and what it is ordered by first, looked up once. */
interface Placed {
  readonly finding: Finding;
  readonly level: number;
  readonly file: string;
  readonly offset: number;
}

function placed(finding: Finding): Placed {
  const { location } = finding;
  return {
    finding,
    level: levels.indexOf(levelOf(finding)),
    file: location?.file ?? "",
    offset: location?.start.offset ?? 0,
  };
}

function comparePlaced(a: Placed, b: Placed): number {
  return a.level - b.level || compareText(a.file, b.file) || a.offset - b.offset || compareNames(a.finding, b.finding);
}

function compareNames(a: Finding, b: Finding): number {
  return (
    compareText(formatRef(a.resource), formatRef(b.resource)) ||
    compareText(a.check.policy, b.check.policy) ||
    compareText(a.check.rule, b.check.rule)
  );
}

/** Worst first; then by file, position, resource and rule. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings
    .map(placed)
    .sort(comparePlaced)
    .map(({ finding }) => finding);
}

/** The findings about one object in one file. */
export interface ResourceGroup {
  readonly resource: ResourceRef;
  /** Empty where the object came from no text. */
  readonly file: string;
  readonly findings: readonly Finding[];
}

/** Groups ordered findings by object, keeping the order: the object with the worst finding comes first. */
export function groupByResource(findings: readonly Finding[]): readonly ResourceGroup[] {
  const groups = Map.groupBy(findings, (f) => `${formatRef(f.resource)} ${f.location?.file ?? ""}`);
  return [...groups.values()].flatMap((group) => {
    const first = group[0];
    return first === undefined ? [] : [{ resource: first.resource, file: first.location?.file ?? "", findings: group }];
  });
}

/** `RayCluster ray/head`, without the parts that are empty. */
export function resourceTitle(resource: ResourceRef): string {
  const name = [resource.namespace, resource.name].filter((s) => s !== "").join("/");
  return name === "" ? resource.kind : `${resource.kind} ${name}`;
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(resource: ResourceRef): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/**
 * How to show each policy's name: `disallow-latest-tag` for `kyverno.io/ClusterPolicy/disallow-latest-tag`, unless two
 * policies of the report would read the same.
 */
export function shortPolicyNames(policies: Iterable<string>): (policy: string) => string {
  const shorten = (policy: string) => /^[^/]*\.[^/]+\/[A-Z]\w*\/(.+)$/.exec(policy)?.[1] ?? policy;
  const byShort = Map.groupBy(new Set(policies), shorten);
  return (policy) => ((byShort.get(shorten(policy))?.length ?? 1) > 1 ? policy : shorten(policy));
}
