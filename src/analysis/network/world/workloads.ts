import type { ResourceRef } from "../../../core/kubernetes.ts";
import { resourceRef } from "../../../core/kubernetes.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { Workload } from "../model.ts";
import { type PodSource, refKey } from "./pod-source.ts";

/** Labels that controllers give to single pods or revisions; they tell pods of one owner apart only where a selector asks. */
export const volatileLabels: readonly string[] = [
  "apps.kubernetes.io/pod-index",
  "batch.kubernetes.io/controller-uid",
  "batch.kubernetes.io/job-completion-index",
  "controller-revision-hash",
  "controller-uid",
  "pod-template-generation",
  "pod-template-hash",
  "statefulset.kubernetes.io/pod-name",
];

/** What makes pods of one owner differ for some policy. */
export interface Distinctions {
  /** Volatile labels that some selector asks for. */
  readonly askedLabels: ReadonlySet<string>;
  /** Whether some rule asks for labels of nodes. */
  readonly nodesMatter: boolean;
  /** Between which bounds of address blocks an address lies. */
  addressClass(address: string): string;
}

/** The workloads of one owner. Where pods exist they count, and not the template. */
export function workloadsOf(owner: ResourceRef, sources: readonly PodSource[], distinctions: Distinctions): readonly Workload[] {
  const live = sources.filter((s) => s.podName !== "");
  const counted = live.length > 0 ? live : sources;
  const groups = new Map<string, PodSource[]>();
  for (const source of counted) {
    // One pod alone is told from no other.
    const key = counted.length === 1 ? "" : distinction(source, distinctions);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [source]);
    else group.push(source);
  }
  const base = workloadId(owner);
  const isOnly = groups.size === 1;
  return [...groups.values()].map((group, i) =>
    toWorkload(owner, group, isOnly ? base : `${base}/${suffix(group[0], i)}`, distinctions),
  );
}

function workloadId(owner: ResourceRef): string {
  return `${owner.namespace}/${owner.name}[${owner.kind}]`;
}

function suffix(source: PodSource | undefined, index: number): string {
  return source === undefined ? String(index) : source.podName || source.role || String(index);
}

function toWorkload(owner: ResourceRef, group: readonly PodSource[], id: string, distinctions: Distinctions): Workload {
  const [first] = group;
  if (first === undefined) throw new Error("a group of pods has a pod");
  const labels = stableLabels(first.labels, distinctions.askedLabels);
  return {
    kind: "workload",
    id,
    owner,
    role: first.role,
    namespace: first.namespace,
    labels,
    ports: first.ports,
    images: first.images,
    serviceAccount: first.serviceAccount,
    hostNetwork: first.hostNetwork,
    addresses: group.flatMap((s) => s.addresses),
    hostNode: group.every((s) => s.hostNode === first.hostNode) ? first.hostNode : "",
    replicas: group.reduce<number | undefined>(
      (sum, s) => (sum === undefined || s.replicas === undefined ? undefined : sum + s.replicas),
      0,
    ),
    completedBy: first.completedBy,
    document: first.document,
    path: first.path,
  };
}

function distinction(source: PodSource, distinctions: Distinctions): string {
  const labels = Object.entries(stableLabels(source.labels, distinctions.askedLabels)).sort(([a], [b]) => (a < b ? -1 : 1));
  const addresses = source.addresses.map((a) => distinctions.addressClass(a)).sort();
  const ports = source.ports.map((p) => `${p.name}/${p.protocol}/${p.port}`);
  const node = distinctions.nodesMatter ? source.hostNode : "";
  return JSON.stringify([
    source.namespace,
    source.role,
    labels,
    source.serviceAccount,
    source.hostNetwork,
    node,
    addresses,
    ports,
  ]);
}

function stableLabels(labels: Labels, asked: ReadonlySet<string>): Labels {
  if (!volatileLabels.some((key) => Object.hasOwn(labels, key) && !asked.has(key))) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([key]) => asked.has(key) || !volatileLabels.includes(key)));
}

/** The outermost owner of what an object makes, as far as objects tell. */
export function ownerOf(source: PodSource, makers: ReadonlyMap<string, ResourceRef>, asWritten: boolean): ResourceRef {
  const own = { ...resourceRef(source.document.value), namespace: source.namespace };
  let owner = source.madeBy ?? own;
  for (let depth = 0; depth < 8; depth++) {
    const above = makers.get(refKey(owner));
    if (above === undefined) break;
    owner = above;
  }
  if (owner.kind !== "ReplicaSet" || owner.group !== "apps") return owner;
  // Whoever lists pods only still sees the Deployment through the hash that it gives its replica sets.
  const hash = source.labels["pod-template-hash"];
  if (asWritten) return owner;
  if (hash === undefined || !owner.name.endsWith(`-${hash}`)) return owner;
  return { ...owner, kind: "Deployment", name: owner.name.slice(0, -hash.length - 1) };
}
