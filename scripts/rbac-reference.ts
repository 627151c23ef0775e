import { writeFileSync } from "node:fs";
import { objectChecks } from "../src/analysis/rbac/audit/checks.ts";
import { type Capability, type CapabilityId, capabilityIds, capabilityOf } from "../src/analysis/rbac/capabilities.ts";

/** Rules of other scanners that have no check of their own here, and why. */
const dropped: readonly (readonly [rules: string, why: string])[] = [
  ["krane: subjects-with-privileged-psp-not-scoped-to-ns", "PodSecurityPolicy is gone since Kubernetes 1.25"],
  [
    "krane: subjects-with-many-roles, namespaces-with-many-subjects",
    "a number of bindings is no right; `rbac dedupe` finds those that add nothing",
  ],
  [
    "krane and KubiScan: create or change of bindings without bind",
    "the API server refuses to bind what the writer does not hold; `rbac/bind` is the verb that lifts this",
  ],
  [
    "krane and KubiScan: create or change of one kind of workload in a namespace",
    "it is what developers do; `rbac paths` shows whose account of the namespace they reach by it, and cluster-wide it is `rbac/create-pods`",
  ],
  [
    "krane and KubiScan: any verb on one resource, one verb on any resource",
    "`rbac/wildcard`, and the right that the wildcard includes",
  ],
  ["rbac-police: eks_modify_aws_auth", "the ConfigMap aws-auth gave way to EKS access entries"],
  ["rbac-police: providerIAM", "the cloud's roles are not among the API's objects"],
  [
    "rbac-police: modify_pod_status, modify_node_status",
    "a status holds no labels; only traffic to a pod's address can be misled, which NetworkPolicy does not see either",
  ],
  [
    "rbac-tool: custom resource definitions, storage, gateways",
    "operators and platform teams live from them; none of them gives other rights",
  ],
  [
    "KubeHound: edges from containers to nodes",
    "they depend on kernels and images; `rbac paths` takes privileged containers and host paths, which objects show",
  ],
];

function rightText({ verbs, resources, names }: Capability["needs"][number]): string {
  const on = resources.map((r) => `\`${r.replace(/^\//, "")}\``).join(", ");
  const named = names === undefined ? "" : names === "any" ? ", whatever they are named" : `, also named ${names.join(", ")}`;
  return `${verbs.join(", ")} on ${on}${named}`;
}

function capabilityText(id: CapabilityId): string {
  const { title, clusterWide, namespaced, why, fix, needs } = capabilityOf(id);
  const rights = needs.map((need) => (need.or !== undefined ? `${rightText(need)} or ${rightText(need.or)}` : rightText(need)));
  const where = namespaced === undefined ? "not judged in a namespace" : `${namespaced} in a namespace`;
  return `### rbac/${id}

**${title}** · ${clusterWide} in the whole cluster, ${where}

${why}

Held by: ${rights.join("; and ")}.

Fix: ${fix}
`;
}

/** docs/reference/rbac-checks.md, from the tables of rights and checks. */
export function rbacReference(): string {
  const objects = Object.entries(objectChecks).map(
    ([id, { title, severity, why }]) => `### rbac/${id}\n\n**${title}** · ${severity}\n\n${why}\n`,
  );
  return `# RBAC checks

\`castellan rbac audit\`, and \`castellan scan\` with the check \`rbac\`, judge roles and bindings by what the API server's authorizer makes of
them: \`pods/*\` is not \`pods/exec\`, API groups count, and a rule with resourceNames gives nothing on other names. A right is told
where somebody holds it: at the rule of the role, or at the binding where the role is one of Kubernetes' own. The roles and bindings that
Kubernetes gives to itself are judged where they were changed, and with \`--include-system\`. What could not be read is told as such,
and never counts as passed.

## Rights that lead further than they say

${capabilityIds.map(capabilityText).join("\n")}
## Roles, bindings and accounts

${objects.join("\n")}
## Where other scanners' rules went

The checks cover the rules of rbac-police, krane, KubiScan, rbac-tool and KubeHound, but for these:

| rules | why not |
|---|---|
${dropped.map(([rules, why]) => `| ${rules} | ${why} |`).join("\n")}
`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL("../docs/reference/rbac-checks.md", import.meta.url), rbacReference());
}
