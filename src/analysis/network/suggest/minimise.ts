import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import { buildNetwork } from "../build.ts";
import { equivalent } from "../diff.ts";
import type { Direction, Network, NetworkOptions, PolicyInfo } from "../model.ts";

/** One thing that can go without anything changing. */
export interface Removal {
  readonly policy: PolicyInfo;
  /** Where it stands in the policy; empty for the whole of it. */
  readonly path: JsonPath;
}

export interface Minimised {
  readonly removals: readonly Removal[];
  /** Policies that are left and are smaller now. */
  readonly changed: readonly SourceDocument<KubernetesObject>[];
  /** Policies that are left out. */
  readonly dropped: readonly PolicyInfo[];
  /** Whether the engine finds no pair that differs; always true, or nothing is proposed. */
  readonly proven: boolean;
}

/** What is tried at most; each try compares two states of the cluster. */
const mostTries = 2000;

/**
 * Policies, rules, peers and ports that can go one after the other while every pair of endpoints keeps exactly its
 * connections, whole policies first. Greedy: what is left has no part that could go alone. Equivalence is by the workloads
 * that are there: a policy for pods that may come is kept unless it selects nothing that `complete` objects show.
 */
export function minimisePolicies(network: Network, documents: readonly SourceDocument[], options: NetworkOptions): Minimised {
  const working = buildNetwork(documents, options);
  const removals: Removal[] = [];
  const dropped: PolicyInfo[] = [];
  const changed = new Map<string, SourceDocument<KubernetesObject>>();
  let tries = 0;
  // A policy that selects nothing here may be for pods that come later: only the audit speaks of it.
  const candidates = network.policies.filter(
    (policy) => policy.active && policy.kind === "NetworkPolicy" && selectsSomething(network, policy),
  );
  for (const policy of candidates) {
    if (++tries > mostTries) break;
    working.remove(policy.ref);
    if (equivalent(network, working)) {
      removals.push({ policy, path: [] });
      dropped.push(policy);
      continue;
    }
    working.put(policy.document);
    let current = policy.document;
    const remove = (path: JsonPath): boolean => {
      if (++tries > mostTries) return false;
      const smaller = withoutAt(current, path);
      if (smaller === undefined) return false;
      working.put(smaller);
      const isSame = equivalent(network, working);
      if (isSame) current = smaller;
      else working.put(current);
      return isSame;
    };
    for (const direction of directions) {
      const kept = rulesOf(policy.document.value, direction).map((_, i) => i);
      // From the end, so that the numbers before stay right.
      for (const i of kept.toReversed()) {
        if (!remove(["spec", direction, i])) continue;
        removals.push({ policy, path: ["spec", direction, i] });
        kept.splice(i, 1);
      }
      for (const [now, i] of kept.entries()) {
        for (const item of itemsOf(rulesOf(current.value, direction)[now])) {
          if (remove(["spec", direction, now, ...item])) removals.push({ policy, path: ["spec", direction, i, ...item] });
        }
      }
    }
    if (current !== policy.document) changed.set(policy.id, current);
  }
  return { removals, changed: [...changed.values()], dropped, proven: equivalent(network, working) };
}

function selectsSomething(network: Network, policy: PolicyInfo): boolean {
  return network.workloads.some((w) => policy.directions.some((d) => network.selecting(w, d).some((p) => p.id === policy.id)));
}

const directions = ["ingress", "egress"] as const;

function rulesOf(policy: KubernetesObject, direction: Direction): readonly JsonValue[] {
  const rules = member(policy["spec"], direction);
  return isArray(rules) ? rules : [];
}

/** Peers and ports of a rule, from the end. The last one of a list never goes: an empty list means everybody. */
function itemsOf(rule: JsonValue | undefined): readonly JsonPath[] {
  return ["from", "to", "ports"].flatMap((key) => {
    const list = member(rule, key);
    return isArray(list) && list.length > 1 ? list.map((_, i) => [key, i]).reverse() : [];
  });
}

/** The document without the item at `path`; undefined where it is gone, or is the last of its list of peers or ports. */
function withoutAt(document: SourceDocument<KubernetesObject>, path: JsonPath): SourceDocument<KubernetesObject> | undefined {
  const value = without(document.value, path);
  return isKubernetes(value) ? { ...document, value, locate: () => undefined, locateKey: () => undefined } : undefined;
}

function isKubernetes(value: JsonValue | undefined): value is KubernetesObject {
  return isObject(value) && typeof value["apiVersion"] === "string" && typeof value["kind"] === "string";
}

function without(value: JsonValue, [step, ...rest]: JsonPath): JsonValue | undefined {
  if (step === undefined) return undefined;
  if (typeof step === "number") {
    if (!isArray(value) || value[step] === undefined) return undefined;
    if (rest.length === 0) return value.filter((_, i) => i !== step);
    const inner = without(value[step], rest);
    return inner === undefined ? undefined : value.map((item, i) => (i === step ? inner : item));
  }
  const child = member(value, step);
  if (!isObject(value) || child === undefined) return undefined;
  const inner = without(child, rest);
  if (inner === undefined) return undefined;
  // Peers and ports: an empty list would open the rule to everything.
  if ((step === "from" || step === "to" || step === "ports") && isArray(inner) && inner.length === 0) return undefined;
  const changed: JsonObject = { ...value, [step]: inner };
  return changed;
}
