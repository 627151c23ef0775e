import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";
import { buildNetwork } from "../build.ts";
import { equivalent } from "../diff.ts";
import { anyPod } from "../engine/possible-pod.ts";
import type { Direction, Network, NetworkOptions, PolicyInfo, PossiblePod, Workload } from "../model.ts";

/** One thing that can go without anything changing. */
export interface Removal {
  readonly policy: PolicyInfo;
  /** Where it stands in the policy; empty for the whole of it. */
  readonly path: JsonPath;
  /** The policy of the same pods that takes its rules. */
  readonly into?: PolicyInfo;
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
 * connections, whole policies first. Greedy: no policy that is left could go alone. Callers and called that rules mean and
 * that are not there yet keep theirs, too; a policy that selects no workload is kept, as it may be for pods that come later.
 * `merge`: policies of the same pods become one, too.
 */
export function minimisePolicies(
  network: Network,
  documents: readonly SourceDocument[],
  options: NetworkOptions,
  { merge = false }: { readonly merge?: boolean } = {},
): Minimised {
  const candidates = network.policies.filter(
    (policy) => policy.active && policy.kind === "NetworkPolicy" && selectsSomething(network, policy),
  );
  const minimiser = new Minimiser(network, buildNetwork(documents, options));
  minimiser.dropWhole(candidates);
  for (const policy of minimiser.left(candidates)) minimiser.shrink(policy);
  // What was needed against a rule that has gone may be needed no longer.
  minimiser.dropWhole(minimiser.left(candidates));
  if (merge) minimiser.merge(minimiser.left(candidates));
  return minimiser.result();
}

class Minimiser {
  readonly #network: Network;
  /** As it is without what has gone. */
  readonly #working: Network;
  readonly #removals: Removal[] = [];
  readonly #dropped = new Set<PolicyInfo>();
  readonly #changed = new Map<PolicyInfo, SourceDocument<KubernetesObject>>();
  readonly #possible: readonly PossiblePod[];
  #tries = 0;

  constructor(network: Network, working: Network) {
    this.#network = network;
    this.#working = working;
    this.#possible = network.possiblePods();
  }

  left(policies: readonly PolicyInfo[]): readonly PolicyInfo[] {
    return policies.filter((policy) => !this.#dropped.has(policy));
  }

  result(): Minimised {
    const proven = equivalent(this.#network, this.#working);
    return { removals: this.#removals, changed: [...this.#changed.values()], dropped: [...this.#dropped], proven };
  }

  #current(policy: PolicyInfo): SourceDocument<KubernetesObject> {
    return this.#changed.get(policy) ?? policy.document;
  }

  /** Makes a change, and takes it back where a pair of endpoints notices, or pods that may come would. */
  #attempt(policies: readonly PolicyInfo[], change: () => void, back: () => void): boolean {
    if (++this.#tries > mostTries) return false;
    change();
    const held = new Set(policies.flatMap((policy) => this.#network.selectedBy(policy)));
    if (equivalent(this.#network, this.#working) && [...held].every((workload) => this.#sameForNew(workload))) return true;
    back();
    return false;
  }

  /** Whether pods that rules mean, and that are not there yet, get the same. */
  #sameForNew(workload: Workload): boolean {
    const now = this.#working.find(workload.id);
    if (now === undefined) return false;
    return [anyPod, ...this.#possible].every((pod) =>
      directions.every((direction) => {
        const before = this.#network.throughToPossible(workload, direction, pod);
        return before.equals(this.#working.throughToPossible(now, direction, pod));
      }),
    );
  }

  /** Until no policy can go: one that goes may have been all that another one was needed for. */
  dropWhole(policies: readonly PolicyInfo[]): void {
    let again = true;
    while (again) {
      again = false;
      for (const policy of this.left(policies)) {
        const isGone = this.#attempt(
          [policy],
          () => this.#working.remove(policy.ref),
          () => this.#working.put(this.#current(policy)),
        );
        if (!isGone) continue;
        this.#removals.push({ policy, path: [] });
        this.#dropped.add(policy);
        this.#changed.delete(policy);
        again = true;
      }
    }
  }

  /** Rules, then peers and ports of the rules that are left. */
  shrink(policy: PolicyInfo): void {
    for (const direction of directions) {
      const kept = rulesOf(policy.document.value, direction).map((_, i) => i);
      // From the end, so that the numbers before stay right.
      for (const i of kept.toReversed()) {
        if (!this.#removePart(policy, ["spec", direction, i])) continue;
        this.#removals.push({ policy, path: ["spec", direction, i] });
        kept.splice(i, 1);
      }
      for (const [now, i] of kept.entries()) {
        for (const item of itemsOf(rulesOf(this.#current(policy).value, direction)[now])) {
          if (!this.#removePart(policy, ["spec", direction, now, ...item])) continue;
          this.#removals.push({ policy, path: ["spec", direction, i, ...item] });
        }
      }
    }
  }

  #removePart(policy: PolicyInfo, path: JsonPath): boolean {
    const current = this.#current(policy);
    const smaller = withoutAt(current, path);
    if (smaller === undefined) return false;
    const isGone = this.#attempt(
      [policy],
      () => this.#working.put(smaller),
      () => this.#working.put(current),
    );
    if (isGone) this.#changed.set(policy, smaller);
    return isGone;
  }

  merge(policies: readonly PolicyInfo[]): void {
    for (const [first, ...others] of Map.groupBy(policies, mergeKey).values()) {
      for (const other of first === undefined ? [] : others) {
        if (first === undefined) continue;
        const [into, from] = [this.#current(first), this.#current(other)];
        const joined = withRulesOf(into, from);
        const isOne = this.#attempt(
          [first, other],
          () => {
            this.#working.put(joined);
            this.#working.remove(other.ref);
          },
          () => {
            this.#working.put(into);
            this.#working.put(from);
          },
        );
        if (!isOne) continue;
        this.#removals.push({ policy: other, path: [], into: first });
        this.#dropped.add(other);
        this.#changed.delete(other);
        this.#changed.set(first, joined);
      }
    }
  }
}

/** Policies of the same pods in the same directions can be one. */
function mergeKey({ ref, document, directions: held }: PolicyInfo): string {
  return JSON.stringify([ref.namespace, member(document.value["spec"], "podSelector") ?? {}, held]);
}

/** The first policy with the rules of both. */
function withRulesOf(
  into: SourceDocument<KubernetesObject>,
  from: SourceDocument<KubernetesObject>,
): SourceDocument<KubernetesObject> {
  const spec = into.value["spec"];
  const rules = directions.flatMap((direction) => {
    const all = [...rulesOf(into.value, direction), ...rulesOf(from.value, direction)];
    return all.length === 0 ? [] : [[direction, all] as const];
  });
  const joined = { ...(isObject(spec) ? spec : {}), ...Object.fromEntries(rules) };
  return { ...into, value: { ...into.value, spec: joined }, locate: () => undefined, locateKey: () => undefined };
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
