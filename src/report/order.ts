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

function compareLevels(a: Level, b: Level): number {
  return levels.indexOf(a) - levels.indexOf(b);
}

/** Text order by code unit: the same on every machine. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Worst first; then by file, position, resource and rule. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareLevels(levelOf(a), levelOf(b)) ||
    compareText(a.location?.file ?? "", b.location?.file ?? "") ||
    (a.location?.start.offset ?? 0) - (b.location?.start.offset ?? 0) ||
    compareText(formatRef(a.resource), formatRef(b.resource)) ||
    compareText(a.check.policy, b.check.policy) ||
    compareText(a.check.rule, b.check.rule)
  );
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
