import type { ApiResources } from "../core/api-resources.ts";
import { type Finding, type Severity, severities } from "../core/finding.ts";
import { asString, isArray, type JsonValue, member } from "../core/json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, labelsOf, nameOf } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";

export interface NamespaceRisk {
  /** Empty: what is in no namespace. */
  readonly name: string;
  readonly failures: { readonly [severity in Severity]: number };
  /** The check that fails there, the worst first, then the most frequent. */
  readonly worst: string;
}

/** The labels of Pod Security that a namespace could have today. */
export interface PodSecurityProposal {
  readonly namespace: string;
  /** The strictest level that nothing in it violates; its `enforce` would stop nothing that runs. */
  readonly enforce: "privileged" | "baseline" | "restricted";
  /** What violates the next level. */
  readonly inTheWay: number;
}

export interface PolicyProposal {
  readonly policy: string;
  readonly title: string;
  readonly severity: string;
  /** Objects that it would stop today, and the namespaces they are in. */
  readonly failures: number;
  readonly namespaces: readonly string[];
}

export interface StarterProposal {
  readonly risks: readonly NamespaceRisk[];
  readonly podSecurity: readonly PodSecurityProposal[];
  /** Policies of the packs that concern something in the cluster, those that stop nothing first. */
  readonly policies: readonly PolicyProposal[];
}

const systemNamespaces = /^kube-|^castellan$/;
const podSecurityLabel = "pod-security.kubernetes.io/enforce";

/** What a platform team could begin with: from what is there, and what a scan found wrong with it. */
export function starterProposal(
  objects: readonly KubernetesObject[],
  findings: readonly Finding[],
  packs: readonly SourceDocument[],
  resources: ApiResources,
): StarterProposal {
  const failures = findings.filter(({ status }) => status === "fail");
  return {
    risks: risksOf(failures),
    podSecurity: objects
      .filter((object) => object.kind === "Namespace" && !systemNamespaces.test(nameOf(object)))
      .filter((object) => labelsOf(object)[podSecurityLabel] === undefined)
      .map((object) => podSecurityOf(nameOf(object), failures)),
    policies: policiesOf(objects, failures, packs, resources),
  };
}

const noFailures = { info: 0, low: 0, medium: 0, high: 0, critical: 0 } as const;
const rankOf = (severity: Severity) => severities.indexOf(severity);

function risksOf(failures: readonly Finding[]): readonly NamespaceRisk[] {
  const risks = Map.groupBy(failures, ({ resource }) =>
    resource.kind === "Namespace" && resource.group === "" ? resource.name : resource.namespace,
  );
  return [...risks]
    .map(([name, found]) => {
      const counts: { [severity in Severity]: number } = { ...noFailures };
      for (const { severity } of found) counts[severity]++;
      return { name, failures: counts, worst: worstOf(found) };
    })
    .sort((a, b) => compareCounts(b.failures, a.failures) || (a.name < b.name ? -1 : 1));
}

function worstOf(found: readonly Finding[]): string {
  const byCheck = [...Map.groupBy(found, ({ check }) => check.policy)].map(([policy, of]) => ({
    policy,
    rank: Math.max(...of.map(({ severity }) => rankOf(severity))),
    count: of.length,
  }));
  byCheck.sort((a, b) => b.rank - a.rank || b.count - a.count);
  return byCheck[0]?.policy.split("/").at(-1) ?? "";
}

function compareCounts(a: NamespaceRisk["failures"], b: NamespaceRisk["failures"]): number {
  for (const severity of severities.toReversed()) if (a[severity] !== b[severity]) return a[severity] - b[severity];
  return 0;
}

function podSecurityOf(namespace: string, failures: readonly Finding[]): PodSecurityProposal {
  const violating = (level: string) =>
    new Set(
      failures
        .filter(({ check, resource }) => check.policy === `pod-security/${level}` && resource.namespace === namespace)
        .map(({ resource }) => `${resource.kind}/${resource.name}`),
    ).size;
  const baseline = violating("baseline");
  if (baseline > 0) return { namespace, enforce: "privileged", inTheWay: baseline };
  const restricted = violating("restricted");
  return { namespace, enforce: restricted > 0 ? "baseline" : "restricted", inTheWay: restricted };
}

function policiesOf(
  objects: readonly KubernetesObject[],
  failures: readonly Finding[],
  packs: readonly SourceDocument[],
  resources: ApiResources,
): readonly PolicyProposal[] {
  const present = new Set<string>();
  for (const object of objects) {
    const { group, kind } = gvkOf(object);
    present.add(`${group}/${resources.byKind(group, kind)?.resource ?? ""}`);
  }
  const byPolicy = Map.groupBy(failures, ({ check }) => check.policy.split("/").at(-1) ?? "");
  const proposals = packs.flatMap(({ value }): PolicyProposal[] => {
    if (!isKubernetesObject(value)) return [];
    const found = byPolicy.get(nameOf(value)) ?? [];
    if (found.length === 0 && !concerns(value, present)) return [];
    const annotation = (name: string) =>
      asString(member(member(value.metadata, "annotations"), `policies.kyverno.io/${name}`)) ?? "";
    return [
      {
        policy: nameOf(value),
        title: annotation("title"),
        severity: annotation("severity"),
        failures: new Set(found.map(({ resource }) => `${resource.kind}/${resource.namespace}/${resource.name}`)).size,
        namespaces: [...new Set(found.map(({ resource }) => resource.namespace || resource.name))].sort(),
      },
    ];
  });
  return proposals.sort((a, b) => a.failures - b.failures || (a.policy < b.policy ? -1 : 1));
}

/** Whether a policy's rules name something that is in the cluster. */
function concerns(policy: KubernetesObject, present: ReadonlySet<string>): boolean {
  const rules = member(member(policy["spec"], "matchConstraints"), "resourceRules");
  return (isArray(rules) ? rules : []).some((rule) =>
    [...present].some((known) => {
      const [group = "", resource = ""] = known.split("/");
      return names(member(rule, "apiGroups"), group) && names(member(rule, "resources"), resource);
    }),
  );
}

const names = (list: JsonValue | undefined, name: string): boolean =>
  isArray(list) && (list.includes("*") || list.includes(name));
