import { isArray, type JsonPath, member, toPointer, valueAt } from "../../../core/json.ts";
import { parseAddress } from "../address-set.ts";
import { protocols } from "../connection-set.ts";
import type { Workload } from "../model.ts";
import type { CompiledPolicy, CompiledRule, PeerTerm } from "../rule.ts";
import { type Service, selectsWorkload, targetAt } from "../world/services.ts";
import type { AuditContext } from "./context.ts";
import { portEntries } from "./fixes.ts";
import { describeWorkloads, type NetworkIssue } from "./issue.ts";

/** Rules of NetworkPolicies one by one. */
export function ruleIssues(context: AuditContext, services: readonly Service[]): readonly NetworkIssue[] {
  return context.policies
    .filter(({ info }) => info.kind === "NetworkPolicy")
    .flatMap((policy) => {
      const selected = context.network.selectedBy(policy.info);
      return [
        ...selectsNothing(context, policy, selected),
        ...policy.rules.ingress.flatMap((rule) => [
          ...allPorts(policy, rule, selected),
          ...peerIssues(context, policy, rule, "from"),
          ...servicePorts(policy, rule, selected, services),
        ]),
        ...policy.rules.egress.flatMap((rule) => [
          ...peerIssues(context, policy, rule, "to"),
          ...metadataEndpoint(policy, rule),
          ...servicePorts(policy, rule, meantBy(context, rule), services),
        ]),
      ];
    });
}

function meantBy({ network }: AuditContext, { peers }: CompiledRule): readonly Workload[] {
  return peers.flatMap((term) => (term.everything === true ? [] : network.meant(term).workloads));
}

/** Said only of namespaces whose workloads are shown: elsewhere nothing is selected for want of objects. */
function selectsNothing(
  { workloadsIn, inhabited }: AuditContext,
  policy: CompiledPolicy,
  selected: readonly Workload[],
): NetworkIssue[] {
  const { namespace } = policy.info.ref;
  if (inhabited.size > 0 && !inhabited.has(namespace)) {
    return [
      {
        check: "selects-nothing",
        rule: "namespace",
        document: policy.info.document,
        path: ["metadata", "namespace"],
        status: "warn",
        message: `No other object is in namespace ${namespace}: the policy protects nothing that is shown.`,
      },
    ];
  }
  const shown = workloadsIn.get(namespace) ?? [];
  // Whoever completes a pod may add the labels that are looked for.
  if (selected.length > 0 || shown.length === 0 || shown.some((w) => w.completedBy !== undefined)) return [];
  return [
    {
      check: "selects-nothing",
      rule: "policy",
      document: policy.info.document,
      path: ["spec", "podSelector"],
      status: "warn",
      message: `The policy selects no workload of ${namespace} in these objects.`,
    },
  ];
}

function allPorts({ info }: CompiledPolicy, rule: CompiledRule, selected: readonly Workload[]): NetworkIssue[] {
  if (!rule.ports.numbers.isAll || rule.peers.some((p) => p.everything === true) || rule.peers.length === 0) return [];
  const entries = portEntries(selected.flatMap((w) => w.ports));
  if (entries.length === 0) return [];
  return [
    {
      check: "all-ports",
      rule: "ingress",
      document: info.document,
      path: rule.path,
      status: "warn",
      message: `The rule opens every port of ${describeWorkloads(selected)}; its containers declare ${entries.length === 1 ? "one port" : `${entries.length} ports`}.`,
      evidence: { ports: entries },
      fix: {
        description: "Name the ports that the containers declare.",
        patch: [{ op: "add", path: `${toPointer(rule.path)}/ports`, value: entries }],
      },
    },
  ];
}

function peerIssues(context: AuditContext, { info }: CompiledPolicy, rule: CompiledRule, key: "from" | "to"): NetworkIssue[] {
  const list = member(valueAt(info.document.value, rule.path), key);
  if (!isArray(list)) return [];
  return list.flatMap((peer, i): NetworkIssue[] => {
    const term = rule.peers[i];
    const path: JsonPath = [...rule.path, key, i];
    if (term?.pods === undefined) return [];
    const { namespace } = info.ref;
    const meant = context.network.meant(term);
    if (meant.workloads.length > 0 || meant.isOpen) return [];
    const elsewhere = member(peer, "namespaceSelector") === undefined ? otherPlace(context, term, namespace) : undefined;
    if (elsewhere !== undefined) return [elsewhereIssue(info.document, path, namespace, elsewhere)];
    if (!isShown(context, term, namespace)) return [];
    const status = "warn";
    const message = "The peer selects no workload in these objects.";
    return [{ check: "selects-nothing", rule: "peer", document: info.document, path, status, severity: "info", message }];
  });
}

interface Elsewhere {
  readonly namespace: string;
  readonly why: string;
}

/** Where the peer probably is: a namespace with such a workload, or one that a label's value is the name of. */
function otherPlace({ workloadsWith, namespaces }: AuditContext, term: PeerTerm, own: string): Elsewhere | undefined {
  const asks = term.pods?.asks?.pods ?? [];
  const [first] = asks;
  if (first === undefined) return undefined;
  const candidates = first.values.flatMap((value) => workloadsWith.get(`${first.label}=${value}`) ?? []);
  const found = candidates.find(
    (w) => w.namespace !== own && asks.every((r) => r.operator === "In" && r.values.includes(w.labels[r.label] ?? "\n")),
  );
  if (found !== undefined) return { namespace: found.namespace, why: `${found.id} carries these labels` };
  const named = asks.flatMap((r) => (r.operator === "In" ? r.values : [])).find((v) => v !== own && namespaces.has(v));
  return named === undefined ? undefined : { namespace: named, why: `there is a namespace ${named}` };
}

function elsewhereIssue(
  document: NetworkIssue["document"],
  path: JsonPath,
  own: string,
  { namespace, why }: Elsewhere,
): NetworkIssue {
  return {
    check: "unreachable-peer",
    rule: "other-namespace",
    document,
    path,
    status: "fail",
    message: `The peer means pods of ${own} only, and none there carries these labels; ${why}, and stays blocked.`,
    evidence: { namespace },
    fix: {
      description: `Add a namespaceSelector for ${namespace} to the same peer.`,
      patch: [
        {
          op: "add",
          path: `${toPointer(path)}/namespaceSelector`,
          value: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        },
      ],
    },
  };
}

/** Whether all pods of the namespaces that the peer means are among the objects, as they will run. */
function isShown({ network, workloadsIn }: AuditContext, { pods }: PeerTerm, own: string): boolean {
  if (pods === undefined || pods.namespaces.kind === "all") return false;
  const { namespaces } = pods;
  const isWhole = (list: readonly Workload[] | undefined) => list?.every((w) => w.completedBy === undefined) ?? false;
  if (namespaces.kind === "one") return isWhole(workloadsIn.get(own));
  let isAny = false;
  for (const [name, list] of workloadsIn) {
    if (!namespaces.matches(network.namespaces.get(name) ?? {})) continue;
    if (!isWhole(list)) return false;
    isAny = true;
  }
  return isAny;
}

const metadataAddress = parseAddress("169.254.169.254");

function metadataEndpoint({ info }: CompiledPolicy, rule: CompiledRule): NetworkIssue[] {
  const list = member(valueAt(info.document.value, rule.path), "to");
  if (!isArray(list) || metadataAddress === undefined || !rule.ports.numbers.has(protocols.TCP, 80)) return [];
  return list.flatMap((peer, i): NetworkIssue[] => {
    const block = member(peer, "ipBlock");
    if (block === undefined || rule.peers[i]?.byAddress?.has(metadataAddress) !== true) return [];
    const path = [...rule.path, "to", i, "ipBlock"];
    const except = member(block, "except");
    const value = [...(isArray(except) ? except : []), "169.254.169.254/32"];
    return [
      {
        check: "metadata-endpoint",
        rule: "ip-block",
        document: info.document,
        path,
        status: "warn",
        message: `The block ${String(member(block, "cidr"))} holds 169.254.169.254, where clouds hand out credentials.`,
        fix: {
          description: "Except the address.",
          patch: [{ op: "add", path: `${toPointer(path)}/except`, value }],
        },
      },
    ];
  });
}

function servicePorts(
  { info }: CompiledPolicy,
  rule: CompiledRule,
  workloads: readonly Workload[],
  services: readonly Service[],
): NetworkIssue[] {
  const ports = member(valueAt(info.document.value, rule.path), "ports");
  if (!isArray(ports) || workloads.length === 0) return [];
  return ports.flatMap((entry, i): NetworkIssue[] => {
    const number = member(entry, "port");
    if (typeof number !== "number" || member(entry, "endPort") !== undefined) return [];
    if (workloads.some((w) => w.ports.some((p) => p.port === number))) return [];
    for (const workload of workloads) {
      for (const service of services) {
        const port = service.ports.find((p) => p.port === number);
        if (port === undefined || !selectsWorkload(service, workload)) continue;
        const target = targetAt(port, workload);
        if (target.isEmpty || target.has(port.protocol, number) || rule.ports.numbers.contains(target)) continue;
        return [servicePortIssue(info.document, [...rule.path, "ports", i, "port"], number, service, port.target)];
      }
    }
    return [];
  });
}

function servicePortIssue(
  document: NetworkIssue["document"],
  path: JsonPath,
  number: number,
  service: Service,
  target: number | string,
): NetworkIssue {
  return {
    check: "service-port",
    rule: "port",
    document,
    path,
    status: "fail",
    message: `${number} is a port of Service ${service.name}; its pods listen on ${target}, which the rule does not allow.`,
    evidence: { service: service.name, target },
    fix: { description: `Write ${target}.`, patch: [{ op: "replace", path: toPointer(path), value: target }] },
  };
}
