import type { JsonValue } from "../../../core/json.ts";
import type { ConnectionSet } from "../connection-set.ts";
import { protocolName } from "../connection-set.ts";
import type { Workload } from "../model.ts";
import type { CompiledPolicy, CompiledRule } from "../rule.ts";
import type { AuditContext } from "./context.ts";
import { policyFix } from "./fixes.ts";
import { describeWorkloads, type NetworkIssue } from "./issue.ts";

/** Pairs that are looked at in one audit. */
const mostPairs = 200_000;

/** What one side allows on purpose and the other side denies; and what changes nothing. */
export function sideIssues(context: AuditContext): readonly NetworkIssue[] {
  let pairs = 0;
  return context.policies.flatMap((policy) => {
    const selected = context.network.selectedBy(policy.info);
    return policy.rules.ingress.flatMap((rule): readonly NetworkIssue[] => {
      const sources = namedSources(context, rule);
      pairs += sources.length * selected.length;
      return rule.action !== "allow" || pairs > mostPairs ? [] : oneSided(context, policy, rule, sources, selected);
    });
  });
}

/** Workloads that the rule names; not those that it means along with everybody else. */
function namedSources({ network }: AuditContext, { peers }: CompiledRule): readonly Workload[] {
  return peers.flatMap((term) => {
    if (term.everything === true || term.pods === undefined || term.pods.everyPod) return [];
    return network.meant(term).workloads;
  });
}

function oneSided(
  { network }: AuditContext,
  { info }: CompiledPolicy,
  rule: CompiledRule,
  sources: readonly Workload[],
  targets: readonly Workload[],
): readonly NetworkIssue[] {
  const blocked = sources.flatMap((from) =>
    targets.flatMap((to) => {
      if (from === to) return [];
      const { ingress, connections } = network.between(from, to);
      return !ingress.isEmpty && connections.isEmpty ? [{ from, to, ingress }] : [];
    }),
  );
  const [first] = blocked;
  if (first === undefined) return [];
  const from = [...new Set(blocked.map((pair) => pair.from))];
  const to = [...new Set(blocked.map((pair) => pair.to))];
  const by = [...new Set(from.flatMap((w) => network.selecting(w, "egress").map((p) => p.id)))];
  return [
    {
      check: "one-sided",
      rule: "egress",
      document: info.document,
      path: rule.path,
      status: "fail",
      message: `The rule lets ${describeWorkloads(from)} reach ${describeWorkloads(to)}, and their own egress does not: ${by.join(", ")}.`,
      evidence: { from: from.map((w) => w.id), to: to.map((w) => w.id), policies: by },
      ...(Object.keys(first.from.labels).length === 0 ? {} : { fix: egressFix(first.from, first.to, first.ingress) }),
    },
  ];
}

function egressFix(from: Workload, to: Workload, allowed: ConnectionSet) {
  const ports = allowed.allPorts
    ? []
    : allowed.ranges().flatMap(({ protocol, ranges }) => ranges.map((range) => portEntry(protocol, range)));
  return policyFix("Allow the connection on the other side, too.", from.namespace, `${from.owner.name}-to-${to.owner.name}`, {
    podSelector: { matchLabels: from.labels },
    policyTypes: ["Egress"],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": to.namespace } },
            podSelector: { matchLabels: to.labels },
          },
        ],
        ...(ports.length === 0 ? {} : { ports }),
      },
    ],
  });
}

function portEntry(protocol: number, [from, to]: readonly [number, number]): JsonValue {
  return { protocol: protocolName(protocol), port: from, ...(to === from ? {} : { endPort: to }) };
}
