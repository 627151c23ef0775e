import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import { compileLabelSelector, type LabelPredicate, type Labels } from "../../../core/label-selector.ts";
import type { Network, PolicyInfo, Workload } from "../model.ts";
import type { AllowPeer, AllowPort } from "./allow.ts";
import type { PlanDrafts } from "./plan-drafts.ts";

/**
 * Existing policies say on purpose who may come in. Where the callers that their rules name are isolated now, they are let out
 * to there; rules that name nobody are no purpose. Answers with what could not be mirrored.
 */
export function mirrorPolicies(network: Network, scope: ReadonlySet<string>, drafts: PlanDrafts): readonly string[] {
  const notes: string[] = [];
  const workloads = byNamespaceOf(network);
  for (const policy of network.policies) {
    if (!policy.active || !policy.directions.includes("ingress")) continue;
    if (policy.kind !== "NetworkPolicy") {
      notes.push(`${policy.id}: callers of a ${policy.kind} are not let out; add what it allows by hand.`);
      continue;
    }
    mirrorOne(policy, { network, workloads }, scope, drafts);
  }
  return notes;
}

/** A rule's named callers and what they may reach; also what the proof of a suggestion asks about. */
export interface PurposefulRule {
  readonly policy: PolicyInfo;
  readonly index: number;
  readonly from: readonly Workload[];
  readonly to: readonly Workload[];
  /** Undefined: all. */
  readonly ports: readonly AllowPort[] | undefined;
}

/**
 * Every ingress rule of a NetworkPolicy that names pods, with the workloads on both sides, as far as one of the sides is in
 * `scope`: what lies elsewhere does not change.
 */
export function purposefulRules(network: Network, scope: ReadonlySet<string>): readonly PurposefulRule[] {
  const workloads = byNamespaceOf(network);
  const near = new Map([...workloads].filter(([namespace]) => scope.has(namespace)));
  return network.policies
    .filter((policy) => policy.active && policy.kind === "NetworkPolicy" && policy.directions.includes("ingress"))
    .flatMap((policy) => {
      const subject = subjectOf(policy, { network, workloads });
      const callers = { network, workloads: scope.has(policy.ref.namespace) ? workloads : near };
      return rulesOf(policy).flatMap(({ index, peers, ports }) => {
        const from = callersOf(peers, policy, callers);
        const isOn = subject !== undefined && from.length > 0 && subject.workloads.length > 0;
        return isOn ? [{ policy, index, from, to: subject.workloads, ports }] : [];
      });
    });
}

function mirrorOne(policy: PolicyInfo, place: Place, scope: ReadonlySet<string>, drafts: PlanDrafts): void {
  const { network, workloads } = place;
  const subject = subjectOf(policy, place);
  if (subject === undefined || subject.workloads.length === 0) return;
  const targets = targetPeers(policy, subject, drafts);
  for (const { peers, ports } of rulesOf(policy)) {
    for (const peer of peers) {
      const pods = member(peer, "podSelector");
      const namespaces = [...network.namespaces.keys()].filter((n) => scope.has(n) && namespaceSelects(peer, policy, network, n));
      const why = `${policy.ref.namespace}/${policy.ref.name}`;
      for (const namespace of namespaces) {
        const callers = (workloads.get(namespace) ?? []).filter((w) => podsSelect(peer, w));
        for (const target of targets) {
          const allow = { direction: "egress", peer: target, ports, why } as const;
          if (isEverything(pods)) drafts.allowAll(namespace, allow, "existing");
          else for (const caller of callers) drafts.allow(caller, allow, "existing");
        }
      }
    }
  }
}

interface Subject {
  readonly selector: JsonObject;
  readonly workloads: readonly Workload[];
}

function subjectOf(policy: PolicyInfo, { workloads: byNamespace }: Place): Subject | undefined {
  const spec = policy.document.value["spec"];
  const written = member(spec, "podSelector");
  const selector = isObject(written) ? written : {};
  const matches = predicate(selector);
  if (matches === undefined) return undefined;
  const here = byNamespace.get(policy.ref.namespace) ?? [];
  const workloads = here.filter((w) => !w.hostNetwork && matches(w.labels));
  return { selector, workloads };
}

/** The policy's own selector where it is plain labels; else the labels of each workload that it selects. */
function targetPeers(policy: PolicyInfo, { selector, workloads }: Subject, drafts: PlanDrafts): readonly AllowPeer[] {
  const { namespace } = policy.ref;
  if (member(selector, "matchExpressions") === undefined) {
    const labels = member(selector, "matchLabels");
    return [{ kind: "pods", namespace, labels: isObject(labels) ? plainLabels(labels) : {} }];
  }
  return workloads.flatMap((workload): readonly AllowPeer[] => {
    const labels = drafts.selector(workload);
    return labels === undefined ? [] : [{ kind: "pods", namespace, labels }];
  });
}

function plainLabels(labels: JsonObject): Labels {
  return Object.fromEntries(Object.entries(labels).filter((e): e is [string, string] => typeof e[1] === "string"));
}

interface NamedRule {
  readonly index: number;
  /** Peers that are pods. */
  readonly peers: readonly JsonObject[];
  readonly ports: readonly AllowPort[] | undefined;
}

function rulesOf(policy: PolicyInfo): readonly NamedRule[] {
  const spec = policy.document.value["spec"];
  const rules = member(spec, "ingress");
  return (isArray(rules) ? rules : []).flatMap((rule, index): readonly NamedRule[] => {
    const from = member(rule, "from");
    const peers = (isArray(from) ? from : []).filter(
      (peer): peer is JsonObject => isObject(peer) && peer["ipBlock"] === undefined,
    );
    return peers.length === 0 ? [] : [{ index, peers, ports: portsOf(member(rule, "ports")) }];
  });
}

function portsOf(value: JsonValue | undefined): readonly AllowPort[] | undefined {
  if (!isArray(value) || value.length === 0) return undefined;
  return value.flatMap((item): readonly AllowPort[] => {
    const protocol = member(item, "protocol") ?? "TCP";
    if (protocol !== "TCP" && protocol !== "UDP" && protocol !== "SCTP") return [];
    const port = member(item, "port");
    if (typeof port === "string") return [{ protocol, from: 0, to: 0, name: port }];
    if (typeof port !== "number") return [{ protocol, from: 1, to: 65_535 }];
    const end = member(item, "endPort");
    return [{ protocol, from: port, to: typeof end === "number" ? end : port }];
  });
}

const compiled = new WeakMap<JsonObject, LabelPredicate>();

/** Undefined where the selector is broken: the analysis says so already. */
function predicate(selector: JsonObject): LabelPredicate | undefined {
  const known = compiled.get(selector);
  if (known !== undefined) return known;
  const result = compileLabelSelector(selector);
  if (!result.ok) return undefined;
  compiled.set(selector, result.matches);
  return result.matches;
}

function isEverything(selector: JsonValue | undefined): boolean {
  return selector === undefined || selector === null || (isObject(selector) && Object.keys(selector).length === 0);
}

function namespaceSelects(peer: JsonObject, policy: PolicyInfo, network: Network, namespace: string): boolean {
  const selector = peer["namespaceSelector"];
  if (!isObject(selector)) return namespace === policy.ref.namespace;
  return predicate(selector)?.(network.namespaces.get(namespace) ?? {}) === true;
}

function podsSelect(peer: JsonObject, workload: Workload): boolean {
  const selector = peer["podSelector"];
  return !workload.hostNetwork && (!isObject(selector) || predicate(selector)?.(workload.labels) === true);
}

interface Place {
  readonly network: Network;
  readonly workloads: ReadonlyMap<string, readonly Workload[]>;
}

function byNamespaceOf(network: Network): ReadonlyMap<string, readonly Workload[]> {
  return Map.groupBy(network.workloads, (w) => w.namespace);
}

function callersOf(peers: readonly JsonObject[], policy: PolicyInfo, { network, workloads }: Place): readonly Workload[] {
  const callers = peers.flatMap((peer) =>
    [...workloads].flatMap(([namespace, here]) =>
      namespaceSelects(peer, policy, network, namespace) ? here.filter((w) => podsSelect(peer, w)) : [],
    ),
  );
  return [...new Set(callers)];
}
