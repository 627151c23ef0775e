import type { KubernetesObject } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import { buildNetwork } from "../build.ts";
import type { ComponentCatalogue } from "../catalogue/component.ts";
import type { Network, PossiblePod, Requirement, Workload } from "../model.ts";
import type { CompiledPolicy, CompiledRule } from "../rule.ts";

/** What checks look at. */
export interface AuditContext {
  readonly network: Network;
  readonly components: ComponentCatalogue;
  /** Active policies of all kinds. */
  readonly policies: readonly CompiledPolicy[];
  readonly workloadsIn: ReadonlyMap<string, readonly Workload[]>;
  /** Egress rules of the policies that select a workload. */
  egressRulesOf(subject: Subject): readonly CompiledRule[];
  /** Workloads by `label=value`. */
  readonly workloadsWith: ReadonlyMap<string, readonly Workload[]>;
  /** Namespaces that objects other than policies name. */
  readonly inhabited: ReadonlySet<string>;
  /** Namespaces that any object names. */
  readonly namespaces: ReadonlySet<string>;
  /** What a policy is about: the workloads that it selects, or, where none are shown, a pod as its selector describes it. */
  subjectsOf(policy: CompiledPolicy): readonly Subject[];
}

/** A workload, and the network that it is a part of. */
export interface Subject {
  readonly workload: Workload;
  readonly network: Network;
  /** Nobody showed it: it only stands for what a selector describes. */
  readonly isImagined: boolean;
}

export function auditContext(network: Network, components: ComponentCatalogue): AuditContext {
  const policies = network.compiled.filter((p) => p.info.active);
  const imagined = imagine(network, policies);
  const byId = Map.groupBy(policies, (p) => p.info.id);
  const namespaces = new Set(network.documents.flatMap(({ value }) => value.metadata?.namespace ?? []));
  for (const name of network.namespaces.keys()) namespaces.add(name);
  const isPolicy = new Set(network.compiled.map((p) => p.info.document));
  const others = network.documents.filter((d) => !isPolicy.has(d));
  const inhabited = new Set(
    others.flatMap(({ value }) => (value.kind === "Namespace" ? value.metadata?.name : value.metadata?.namespace) ?? []),
  );
  for (const { namespace } of network.workloads) inhabited.add(namespace);
  return {
    inhabited,
    network,
    components,
    policies,
    workloadsIn: Map.groupBy(network.workloads, (w) => w.namespace),
    workloadsWith: byLabels(network.workloads),
    namespaces,
    egressRulesOf: ({ workload, network: own }) =>
      own.selecting(workload, "egress").flatMap((info) => (byId.get(info.id) ?? []).flatMap((p) => p.rules.egress)),
    subjectsOf(policy) {
      const workloads = network.selectedBy(policy.info);
      if (workloads.length > 0) return workloads.map((workload) => ({ workload, network, isImagined: false }));
      const workload = imagined?.find(nameOf(policy));
      return workload === undefined || imagined === undefined ? [] : [{ workload, network: imagined, isImagined: true }];
    },
  };
}

function byLabels(workloads: readonly Workload[]): ReadonlyMap<string, readonly Workload[]> {
  const found = new Map<string, Workload[]>();
  for (const workload of workloads) {
    for (const [label, value] of Object.entries(workload.labels)) {
      const key = `${label}=${value}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, [workload]);
      else known.push(workload);
    }
  }
  return found;
}

function nameOf({ info }: CompiledPolicy): string {
  return `${info.ref.namespace}/selected-by-${info.ref.name}[Pod]`;
}

/** The network with a pod for each NetworkPolicy that selects none: what would hold for it can be asked then. */
function imagine(network: Network, policies: readonly CompiledPolicy[]): Network | undefined {
  const pods = policies.flatMap((policy) => {
    const asks = policy.subjects[0]?.asks;
    if (policy.info.kind !== "NetworkPolicy" || asks === undefined || network.selectedBy(policy.info).length > 0) return [];
    const labels = labelsFor(asks);
    return labels === undefined ? [] : [podDocument(policy, labels)];
  });
  return pods.length === 0 ? undefined : buildNetwork([...network.documents, ...pods], network.options);
}

/** Labels that meet the requirements; undefined where they contradict each other. */
function labelsFor({ pods }: PossiblePod): { readonly [label: string]: string } | undefined {
  const labels: { [label: string]: string } = {};
  for (const { label, operator, values } of pods) {
    if (operator === "In") labels[label] ??= values[0] ?? "";
    else if (operator === "Exists") labels[label] ??= "x";
  }
  return pods.every((requirement) => holds(labels, requirement)) ? labels : undefined;
}

function holds(labels: { readonly [label: string]: string }, { label, operator, values }: Requirement): boolean {
  const value = Object.hasOwn(labels, label) ? labels[label] : undefined;
  if (operator === "In" || operator === "NotIn") return (value !== undefined && values.includes(value)) === (operator === "In");
  return (value !== undefined) === (operator === "Exists");
}

function podDocument({ info }: CompiledPolicy, labels: { readonly [label: string]: string }): SourceDocument<KubernetesObject> {
  const metadata = { name: `selected-by-${info.ref.name}`, namespace: info.ref.namespace, labels };
  const value: KubernetesObject = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "any" }] } };
  return { file: "", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}
