import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { AddressSet } from "../../../src/analysis/network/address-set.ts";
import { buildNetwork } from "../../../src/analysis/network/build.ts";
import { ConnectionSet } from "../../../src/analysis/network/connection-set.ts";
import type { Network, Workload } from "../../../src/analysis/network/model.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import { readManifests, workloadCatalogue } from "./manifests.ts";

/** A network configuration of a scheme: pods and namespaces, and policies about them. */
export interface Config {
  readonly name: string;
  readonly topology: readonly SourceDocument[];
  readonly policies: readonly SourceDocument<KubernetesObject>[];
}

const policyKinds = new Set(["NetworkPolicy", "GlobalNetworkPolicy"]);

function isPolicyDocument(document: SourceDocument): document is SourceDocument<KubernetesObject> {
  return isKubernetesObject(document.value) && policyKinds.has(document.value.kind);
}

/** Whether a configuration holds something that is not about network policies. */
export function isForeign(document: SourceDocument): boolean {
  const { value } = document;
  return isKubernetesObject(value) && /istio|security\.istio|extensions/.test(groupOf(value));
}

export function isIngress(document: SourceDocument): boolean {
  return isKubernetesObject(document.value) && document.value.kind === "Ingress";
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  return isArray(value) ? value.filter((v) => typeof v === "string") : [];
}

/** Documents at the places that a scheme names, relative to it. */
async function load(scheme: string, places: readonly string[]): Promise<readonly SourceDocument[]> {
  const documents: SourceDocument[] = [];
  for (const place of places) {
    const path = resolve(dirname(scheme), place.replace(/\/\*\*$/, ""));
    if (!(await stat(path).catch(() => undefined))) throw new Error(`${place} is not there`);
    documents.push(...(await readManifests([path])));
  }
  return documents;
}

export async function loadConfigs(scheme: string, root: JsonObject): Promise<ReadonlyMap<string, Config>> {
  const topologyOf = async (entry: JsonObject) => {
    const resources = await load(scheme, textsOf(entry["resourceList"]));
    const [namespaces, pods] = await Promise.all([
      load(scheme, textsOf(entry["namespaceList"])),
      load(scheme, textsOf(entry["podList"])),
    ]);
    return { resources, namespaces, pods };
  };
  const shared = await topologyOf(root);
  const configs = new Map<string, Config>();
  for (const entry of listOf(root["networkConfigList"])) {
    if (!isObject(entry)) continue;
    const own = await topologyOf(entry);
    const listed = await load(scheme, textsOf(entry["networkPolicyList"]));
    const isNamespace = (d: SourceDocument) => isKubernetesObject(d.value) && d.value.kind === "Namespace";
    const isOther = (d: SourceDocument) => !isNamespace(d) && !isPolicyDocument(d);
    const ownAll = [...own.resources];
    const namespaces = first(own.namespaces, ownAll.filter(isNamespace), shared.namespaces, shared.resources.filter(isNamespace));
    const pods = first(own.pods, ownAll.filter(isOther), shared.pods, shared.resources.filter(isOther));
    const policies = [...listed, ...ownAll].filter(isPolicyDocument);
    const name = String(entry["name"]);
    const rest = listed.filter((d) => !isPolicyDocument(d));
    configs.set(name, {
      name,
      topology: [...namespaces.filter(isNamespace), ...pods.filter((d) => !isPolicyDocument(d)), ...rest],
      policies,
    });
  }
  return configs;
}

function first(...lists: readonly (readonly SourceDocument[])[]): readonly SourceDocument[] {
  return lists.find((list) => list.length > 0) ?? [];
}

export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : [];
}

/** A pod as Calico lists it. */
function fromWorkloadEndpoint(document: SourceDocument): SourceDocument {
  const { value } = document;
  if (!isKubernetesObject(value) || value.kind !== "WorkloadEndpoint") return document;
  const name = String(isObject(value["spec"]) ? value["spec"]["pod"] : nameOf(value));
  const owner = value.metadata?.generateName?.replace(/-$/, "");
  const ownerReferences =
    owner === undefined ? [] : [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, controller: true }];
  const pod: KubernetesObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...value.metadata, name, ownerReferences },
    spec: { containers: [] },
  };
  return { ...document, value: pod, locate: () => undefined, locateKey: () => undefined };
}

const built = new WeakMap<Config, Network>();

export async function networkOf(config: Config): Promise<Network> {
  const known = built.get(config);
  if (known !== undefined) return known;
  const catalogue = await workloadCatalogue();
  const network = buildNetwork([...config.topology.map(fromWorkloadEndpoint), ...config.policies], {
    catalogue,
    cni: "generic",
    asNetpolAnalyzer: true,
  });
  built.set(config, network);
  return network;
}

/** `set`, `set/namespace/policy`, `set/kind/namespace/policy`; global policies have no namespace. */
export function pick(configs: ReadonlyMap<string, Config>, reference: string): Config {
  const [name = "", ...rest] = reference.split("/");
  const config = configs.get(name);
  if (config === undefined) throw new Error(`there is no configuration ${name}`);
  if (rest.length === 0) return config;
  const policy = rest.at(-1);
  const namespace = rest.at(-2);
  const kind = rest.length === 3 ? rest[0] : undefined;
  const policies = config.policies.filter(({ value }) => {
    if (nameOf(value) !== policy) return false;
    if (kind !== undefined && (kind === "K8sNetworkPolicy") !== (groupOf(value) === "networking.k8s.io")) return false;
    return (
      namespace === undefined ||
      kind === namespace ||
      (namespaceOf(value) || "default") === namespace ||
      value.kind.startsWith("Global")
    );
  });
  return { name: reference, topology: config.topology, policies };
}

/** Connections of all pairs by `source|target`; addresses stand as `@0`, `@1` for the blocks that policies tell apart. */
export type Relation = ReadonlyMap<string, ConnectionSet>;

/** Every block that policies of some configurations cut addresses into. */
export async function atomsOf(configs: readonly Config[]): Promise<readonly AddressSet[]> {
  const sets: AddressSet[] = [];
  for (const config of configs) {
    for (const { rules } of (await networkOf(config)).compiled) {
      for (const { peers } of [...rules.ingress, ...rules.egress])
        for (const { external } of peers) if (external !== undefined) sets.push(external);
    }
  }
  // IPv6 counts only where some policy speaks of it and of IPv4 not alike.
  const speaksOf6 = configs.some(({ policies }) =>
    policies.some(({ value }) => /[0-9a-f]*:[0-9a-f:]*\/\d/.test(JSON.stringify(value["spec"]))),
  );
  let atoms: AddressSet[] = [speaksOf6 ? AddressSet.all : AddressSet.allIpv4];
  for (const set of sets) atoms = atoms.flatMap((atom) => [atom.intersect(set), atom.subtract(set)].filter((a) => !a.isEmpty));
  return atoms;
}

interface Sides {
  readonly all: Relation;
  /** Only what some policy that selects one of the ends allows. */
  readonly explicit: Relation;
}

export async function relationsOf(config: Config, atoms: readonly AddressSet[]): Promise<Sides> {
  const network = await networkOf(config);
  const all = new Map<string, ConnectionSet>();
  const explicit = new Map<string, ConnectionSet>();
  const put = (
    key: string,
    egress: ConnectionSet,
    ingress: ConnectionSet,
    from: Workload | undefined,
    to: Workload | undefined,
  ) => {
    const isBound = (w: Workload | undefined, direction: "ingress" | "egress") =>
      w !== undefined && network.selecting(w, direction).length > 0;
    const out = isBound(from, "egress") ? egress : ConnectionSet.none;
    const into = isBound(to, "ingress") ? ingress : ConnectionSet.none;
    add(all, key, egress.intersect(ingress));
    add(explicit, key, into.intersect(egress).union(out.intersect(ingress)));
  };
  for (const from of network.workloads) {
    for (const to of network.workloads) {
      // Two pods of one owner talk to each other like any others.
      if (from === to && (from.replicas ?? 1) < 2) continue;
      const { egress, ingress } = network.between(from, to);
      put(`${from.id}|${to.id}`, egress, ingress, from, to);
    }
    atoms.forEach((addresses, i) => {
      const outside = { kind: "external", addresses } as const;
      const [out, into] = [network.between(from, outside), network.between(outside, from)];
      put(`${from.id}|@${i}`, out.egress, out.ingress, from, undefined);
      put(`@${i}|${from.id}`, into.egress, into.ingress, undefined, from);
    });
  }
  return { all, explicit };
}

function add(relation: Map<string, ConnectionSet>, key: string, set: ConnectionSet): void {
  if (!set.isEmpty) relation.set(key, set);
}

export function isContained(a: Relation, b: Relation): boolean {
  return [...a].every(([key, set]) => (b.get(key) ?? ConnectionSet.none).contains(set));
}

/** What of `a` is not in `b`. */
export function lessRelation(a: Relation, b: Relation): Relation {
  const rest = new Map<string, ConnectionSet>();
  for (const [key, set] of a) add(rest, key, set.subtract(b.get(key) ?? ConnectionSet.none));
  return rest;
}

export function meets(a: Relation, b: Relation): boolean {
  return [...a].some(([key, set]) => !set.intersect(b.get(key) ?? ConnectionSet.none).isEmpty);
}

/** A policy without one of its rules; the directions that it is about stay the same. */
export function withoutRule(
  document: SourceDocument<KubernetesObject>,
  direction: "ingress" | "egress",
  index: number,
  directions: readonly string[],
): SourceDocument<KubernetesObject> {
  const spec = document.value["spec"];
  const own: JsonObject = isObject(spec) ? spec : {};
  const rules = listOf(own[direction]).filter((_, i) => i !== index);
  const types = directions.map((d) => (d === "ingress" ? "Ingress" : "Egress"));
  const key = groupOf(document.value) === "networking.k8s.io" ? "policyTypes" : "types";
  const value: KubernetesObject = { ...document.value, spec: { ...own, [direction]: rules, [key]: types } };
  return { file: document.file, index: document.index, value, locate: () => undefined, locateKey: () => undefined };
}
